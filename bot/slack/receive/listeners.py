"""Every command, action, view, option and event that this app takes, each registered once with Bolt
under its id (`bot.slack.draw.ids`), with the function that it leads to.

A listener reads the payload, has one event stored and acknowledges. Slack waits for three seconds.
A click that is not acknowledged by then is shown as failed although it still counts. So nothing
here waits for an appliance, a worker, or Slack, except to open a form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import structlog
from slack_bolt import Ack, App, BoltResponse
from slack_bolt.error import BoltUnhandledRequestError

from bot.slack.draw import ids
from bot.slack.draw.words import usage
from bot.slack.receive.bolt_app import answer_to_error, bolt_app
from bot.slack.receive.button_pressed import names_wanted, pressed, reason_sent, unknown_pressed
from bot.slack.receive.command_typed import command_typed, home
from bot.slack.receive.deps import Deps
from bot.slack.receive.payload import Click, Command, FormSent, HomeOpened, Json, Search, read
from bot.slack.receive.request_form import (
    request_sent,
    search_pairings,
    site_chosen,
    suggestion_pressed,
)

log = structlog.get_logger(__name__)

Listener = Callable[[Ack, Json], BoltResponse]

SUGGESTIONS = re.compile(rf"^{ids.UNPAIR_SUGGEST}(_\d+)?$")
"""Each suggested pairing has a button of its own."""


def make_app(deps: Deps) -> App:
    """Bolt's App with all listeners."""
    app = bolt_app(deps.views)
    click, form = partial(_click, deps), partial(_form, deps)

    app.command(deps.command)(_command(deps))

    # The card, and the final reply.
    app.action(ids.UNPAIR_APPROVE)(click(partial(pressed, action="approve")))
    app.action(ids.UNPAIR_DENY)(click(partial(pressed, action="deny")))
    app.action(ids.UNPAIR_CANCEL)(click(partial(pressed, action="cancel")))
    app.action(ids.UNPAIR_BREAK_GLASS)(click(partial(pressed, action="break_glass")))
    app.action(ids.UNPAIR_LOOK)(click(partial(pressed, action="look")))
    app.action(ids.UNPAIR_SETTLE)(click(partial(pressed, action="settle")))
    app.action(ids.UNPAIR_NAMES)(click(names_wanted))
    # The answer to who asked for something that is no pairing.
    app.action(SUGGESTIONS)(click(suggestion_pressed))
    # The form.
    app.block_action({"block_id": ids.BLOCK_SITE, "action_id": ids.ACTION_VALUE})(
        click(site_chosen)
    )
    app.options(ids.ACTION_VALUE)(_options(deps))

    app.view(ids.UNPAIR_REQUEST)(form(request_sent))
    app.view(ids.UNPAIR_DENY_REASON)(form(partial(reason_sent, action="deny")))
    app.view(ids.UNPAIR_BREAK_GLASS_REASON)(form(partial(reason_sent, action="break_glass")))
    app.view(ids.UNPAIR_SETTLE_WORDS)(form(partial(reason_sent, action="settle")))

    app.event("app_home_opened")(_home(deps))

    app.error(_error(deps))
    return app


# ---- from Bolt's arguments to a payload with types, and from what comes back to the answer -----


def _command(deps: Deps) -> Listener:
    def listener(ack: Ack, body: Json) -> BoltResponse:
        words = command_typed(read(Command, body), deps)
        return ack(text=words, response_type="ephemeral") if words else ack()

    return listener


def _click(deps: Deps, handle: Callable[[Click, Deps], None]) -> Listener:
    def listener(ack: Ack, body: Json) -> BoltResponse:
        handle(read(Click, body), deps)
        return ack()

    return listener


def _form(deps: Deps, handle: Callable[[FormSent, Deps], dict[str, str]]) -> Listener:
    def listener(ack: Ack, body: Json) -> BoltResponse:
        problems = handle(read(FormSent, body), deps)
        return ack(response_action="errors", errors=problems) if problems else ack()

    return listener


def _options(deps: Deps) -> Listener:
    def listener(ack: Ack, body: Json) -> BoltResponse:
        return ack(options=search_pairings(read(Search, body), deps))

    return listener


def _home(deps: Deps) -> Listener:
    def listener(ack: Ack, body: Json) -> BoltResponse:
        home(read(HomeOpened, body), deps)
        return ack()

    return listener


def _error(deps: Deps) -> Callable[[Exception, Json], BoltResponse]:
    def handler(error: Exception, body: Json) -> BoltResponse:
        try:
            if isinstance(error, BoltUnhandledRequestError):
                return _unregistered(body, deps)
        except Exception as of_the_answer:
            error = of_the_answer
        return answer_to_error(error, body, deps.whisper)

    return handler


def _unregistered(body: Json, deps: Deps) -> BoltResponse:
    """For an id of another version of the bot, or of another app in its place: whoever pressed,
    typed or sent it is answered all the same."""
    answer: Json | str = ""
    if "command" in body:
        words = usage.other_command(read(Command, body).name, deps.command)
        answer = {"response_type": "ephemeral", "text": words}
    match body.get("type"):
        case "block_actions":
            unknown_pressed(read(Click, body), deps)
        case "view_submission":
            answer = {"response_action": "clear"}
        case "block_suggestion":
            answer = {"options": []}
    log.info("payload_unhandled", kind=str(body.get("type"))[:40])
    return BoltResponse(status=200, body=answer)
