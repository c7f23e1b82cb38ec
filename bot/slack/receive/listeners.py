"""Every listener, registered once with Bolt. Each one reads the payload, has one event stored and
acknowledges; every error becomes a sentence for the person and a line in the log.

Slack waits for three seconds. A click that is not acknowledged by then is shown as failed although
it still counts. So nothing here waits for an appliance, a worker, or Slack, except to open a form.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_sdk import WebClient

from bot.request.lookup_results import HomeRead, PairingsListed, PreviewRead, SitesRead
from bot.request.model import new_reference
from bot.request.who_may import Policy
from bot.slack.draw import ids
from bot.slack.draw.card_buttons import BY_CALLBACK, FORMS
from bot.slack.draw.words import usage
from bot.slack.people import Identity
from bot.slack.receive import button_pressed, command_typed, request_form
from bot.slack.receive.payload import (
    Click,
    Command,
    FormSent,
    HomeOpened,
    Json,
    Malformed,
    Search,
    read,
)
from bot.slack.send.one_message import Whisper
from bot.store.inbox import Inbox
from bot.store.queries import Overview

log = structlog.get_logger(__name__)

ANY = re.compile("")

SHORTEST_SECRET = 8
"""Hiding anything shorter would blank out half of the traceback and protect nothing."""

SECRETS = ("response_url", "trigger_id", "token")
"""Fields of a payload that must not be logged. A database error quotes the values to store."""


class Lookups(Protocol):
    """What people may look up, each for a user of Slack: False where too many wait already
    (`bot.worker.lookup_threads`)."""

    def preview(
        self, site: str, asked: str, by: str, then: Callable[[PreviewRead], None], /
    ) -> bool: ...

    def pairings(
        self,
        sites: Sequence[str],
        by: str,
        then: Callable[[SitesRead], None],
        /,
        *,
        counted: bool = False,
        fresh_s: float = 0,
    ) -> bool:
        """`counted` with their replications. A list up to `fresh_s` old is not read again."""

    def stored(
        self,
        by: str,
        read: Callable[[], Any],
        then: Callable[[Any], None],
        /,
        *,
        team: str | None = None,
        channel: str | None = None,
    ) -> bool:
        """With a `channel` only for somebody who could ask there."""

    def home(self, by: str, then: Callable[[HomeRead], None], /) -> bool: ...

    def known(self, site: str, /, *, within_s: float) -> PairingsListed | None:
        """A list in memory that is no older than this."""


@dataclass(frozen=True)
class Deps:
    """What the listeners need of the rest of the bot. `views` is called within a listener: it must
    have the short timeout (`web_api.QUICK_TIMEOUT_S`). `on_repeated` counts events that were stored
    before: replays and Slack's own second tries, which look the same. `later`: do this in so many
    seconds, if the process still runs.
    """

    inbox: Inbox
    overview: Overview
    policy: Policy
    command: str
    identity: Identity
    views: WebClient
    whisper: Whisper
    lookups: Lookups
    on_repeated: Callable[[], None] = lambda: None
    later: Callable[[float, Callable[[], None]], None] = lambda seconds, then: None


def make_app(deps: Deps) -> App:
    """Bolt's App with all listeners: synchronous, for one workspace, and it makes no calls to Slack
    by itself.

    `process_before_response`: a listener runs in the thread of its request. This saves 10 ms per
    acknowledgement, and Bolt's pool of five threads, which could be full. Bolt's check of the
    signature is off: it comes after its parser, and `signature` has checked it before anything is
    parsed.
    """

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # Without this Bolt would call auth.test inside the first request, and wait up to 30 s.
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_token=deps.views.token
        )

    # Errors only. At lower levels Bolt logs bodies with `response_url` and `trigger_id`, and warns
    # at each start about a token that we pass on purpose.
    logger = logging.getLogger("bot.slack.bolt")
    logger.setLevel(logging.ERROR)
    app = App(
        name="vr-unpair",
        client=deps.views,
        authorize=authorize,
        logger=logger,
        process_before_response=True,
        token_verification_enabled=False,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
        raise_error_for_unhandled_request=True,
    )

    def command(ack: Ack, body: Json) -> BoltResponse:
        words = command_typed.command_typed(read(Command, body), deps)
        return ack(text=words, response_type="ephemeral") if words else ack()

    def pressed(ack: Ack, body: Json) -> BoltResponse:
        click = read(Click, body)
        if click.action_id == ids.UNPAIR_NAMES:
            button_pressed.names_wanted(click, deps)
        elif click.action_id.startswith(ids.UNPAIR_SUGGEST):
            request_form.suggestion_pressed(click, deps)
        elif (click.block_id, click.action_id) == (ids.BLOCK_SITE, ids.ACTION_VALUE):
            request_form.site_chosen(click, deps)
        else:
            button_pressed.pressed(click, deps)
        return ack()

    def sent(ack: Ack, body: Json) -> BoltResponse:
        form = read(FormSent, body)
        action = BY_CALLBACK.get(form.view.callback_id or "")
        if form.view.callback_id == ids.UNPAIR_REQUEST:
            problems = request_form.request_sent(form, deps)
        elif action is not None:
            problem = button_pressed.reason_sent(form, action, deps)
            problems = {FORMS[action].block_id: problem} if problem else {}
        else:  # of another version of the bot
            return ack(response_action="clear")
        return ack(response_action="errors", errors=problems) if problems else ack()

    def search(ack: Ack, body: Json) -> BoltResponse:
        return ack(options=request_form.search_pairings(read(Search, body), deps))

    def home(ack: Ack, body: Json) -> BoltResponse:
        command_typed.home(read(HomeOpened, body), deps)
        return ack()

    def problem(error: Exception, body: Json) -> BoltResponse:
        return _problem(error, body, deps)

    app.command(ANY)(command)
    app.block_action({"action_id": ANY})(pressed)
    app.view(ANY)(sent)
    app.options(ANY)(search)
    app.event("app_home_opened")(home)
    app.error(problem)
    return app


def dispatch(app: App, body: Json) -> BoltResponse:
    """What the listener answers to a payload that `payload.checked` let through. Raises Malformed.

    The mode is `socket_mode` for HTTP too: so Bolt takes the payload as it is, and parses nothing.
    """
    try:
        request = BoltRequest(mode="socket_mode", body=body)
    except Exception as error:
        # Bolt looks for ids in some forty places, whatever their type is, and fails on a wrong one.
        raise Malformed(f"Bolt cannot read it: {type(error).__name__}") from error
    answer = app.dispatch(request)
    if answer.status == 400:
        raise Malformed("a listener cannot read it")
    return answer


def _problem(error: Exception, body: Json, deps: Deps) -> BoltResponse:
    """Whatever came from Slack and is not malformed is acknowledged with 200. With any other status
    the person would only read "operation failed"."""
    if isinstance(error, Malformed):
        log.warning("payload_malformed", why=str(error))
        return BoltResponse(status=400, body={"error": "malformed"})
    if isinstance(error, BoltUnhandledRequestError):
        log.info("payload_unhandled", kind=str(body.get("type"))[:40])
        return BoltResponse(status=200, body="")
    reference = new_reference()
    # Without local variables, and without the secrets of the payload.
    lines = "".join(traceback.format_exception(error))
    for value in (body.get(name) for name in SECRETS):
        if isinstance(value, str) and len(value) >= SHORTEST_SECRET:
            lines = lines.replace(value, "<secret>")
    log.error("listener_failed", reference=reference, traceback=lines)
    sentence = usage.unexpected(reference)
    if "command" in body:
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": sentence})
    if body.get("type") == "view_submission":
        form = body["view"].get("callback_id")
        ours = form in (ids.UNPAIR_REQUEST, *BY_CALLBACK)
        block = FORMS[BY_CALLBACK.get(form, "deny")].block_id
        errors = {"response_action": "errors", "errors": {block: sentence}}
        return BoltResponse(status=200, body=errors if ours else {"response_action": "clear"})
    url = body.get("response_url")
    deps.whisper.tell(url if isinstance(url, str) else None, sentence)
    return BoltResponse(status=200, body="")
