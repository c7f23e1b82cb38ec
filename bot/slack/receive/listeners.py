"""Every listener, registered once. Each one parses, stores one event and acknowledges.

Slack waits for three seconds. A click that is not acknowledged by then is shown as failed although
it still counts. So nothing here waits for an appliance, a worker, or Slack, except to open a form,
and to ask whether the form behind Break glass may be opened at all.
"""

from __future__ import annotations

import re

from slack_bolt import Ack, App, BoltResponse

from bot.slack.draw import ids
from bot.slack.draw.forms import WithReason
from bot.slack.receive.asking import asked
from bot.slack.receive.asking_form import (
    form_submitted,
    options_wanted,
    site_chosen,
    suggestion_pressed,
)
from bot.slack.receive.clicks import Action, clicked, pressed_unknown
from bot.slack.receive.deps import ListenerDeps
from bot.slack.receive.failures import error_handler
from bot.slack.receive.lookups import home_opened
from bot.slack.receive.payload import Json
from bot.slack.receive.with_reason import pressed, submitted

ANY = re.compile("")
"""Bolt takes the first listener that fits, so those with this pattern come last."""


def register(app: App, deps: ListenerDeps) -> None:
    """Once per App. The App must have `process_before_response` (see `receive.bolt.make_app`)."""
    app.error(error_handler(deps.whisper))

    def command(ack: Ack, body: Json) -> BoltResponse:
        words = asked(body, deps)
        return ack(text=words, response_type="ephemeral") if words else ack()

    def at_once(action: Action, button: str) -> None:
        def press(ack: Ack, body: Json) -> BoltResponse:
            clicked(body, action, deps)
            return ack()

        app.action(button)(press)

    def with_reason(action: WithReason, button: str, form: str) -> None:
        def press(ack: Ack, body: Json) -> BoltResponse:
            pressed(body, action, deps)
            return ack()

        def submit(ack: Ack, body: Json) -> BoltResponse:
            problem = submitted(body, action, deps)
            if problem is None:
                return ack()
            return ack(response_action="errors", errors={ids.BLOCK_REASON: problem})

        app.action(button)(press)
        app.view(form)(submit)

    def requested(ack: Ack, body: Json) -> BoltResponse:
        problems = form_submitted(body, deps)
        if problems is None:
            return ack()
        return ack(response_action="errors", errors=problems)

    def site(ack: Ack, body: Json) -> BoltResponse:
        site_chosen(body, deps)
        return ack()

    def suggestion(ack: Ack, body: Json) -> BoltResponse:
        suggestion_pressed(body, deps)
        return ack()

    def pairing_options(ack: Ack, body: Json) -> BoltResponse:
        return ack(options=options_wanted(body, deps))

    def home(ack: Ack, body: Json) -> BoltResponse:
        home_opened(body, deps)
        return ack()

    def old_button(ack: Ack, body: Json) -> BoltResponse:
        pressed_unknown(body, deps)
        return ack()

    def old_form(ack: Ack) -> BoltResponse:
        return ack(response_action="clear")

    app.command(ANY)(command)
    at_once("approve", ids.UNPAIR_APPROVE)
    with_reason("deny", ids.UNPAIR_DENY, ids.UNPAIR_DENY_REASON)
    with_reason("break_glass", ids.UNPAIR_BREAK_GLASS, ids.UNPAIR_BREAK_GLASS_REASON)
    at_once("cancel", ids.UNPAIR_CANCEL)
    at_once("look", ids.UNPAIR_LOOK)
    app.view(ids.UNPAIR_REQUEST)(requested)
    app.action(re.compile(f"^{ids.UNPAIR_SUGGEST}"))(suggestion)
    app.action({"block_id": ids.BLOCK_SITE, "action_id": ids.ACTION_VALUE})(site)
    app.options(ids.ACTION_VALUE)(pairing_options)
    app.event("app_home_opened")(home)
    app.block_action({"action_id": ANY})(old_button)
    app.view(ANY)(old_form)
