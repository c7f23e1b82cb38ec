"""Every listener, registered once. Each one parses, stores one event and acknowledges.

Slack gives three seconds, and a click that was not acknowledged in time was shown as failed while
it still counts: so nothing here waits for an appliance, a worker, or Slack (opening a form aside).
"""

from __future__ import annotations

import re

import structlog
from slack_bolt import Ack, App, BoltResponse

from bot.slack import ids, sentences
from bot.slack.asking import asked
from bot.slack.asking_form import form_submitted, options_wanted, site_chosen
from bot.slack.clicks import clicked
from bot.slack.denying import deny_clicked, deny_submitted
from bot.slack.deps import ListenerDeps
from bot.slack.failures import error_handler
from bot.slack.payload import Json, maybe_text, only_action, text_of, user_of

__all__ = ["ListenerDeps", "register"]

log = structlog.get_logger(__name__)

ANY = re.compile("")
"""Bolt takes the first listener that fits, so those with this pattern come last."""


def register(app: App, deps: ListenerDeps) -> None:
    """Once per App. The App must have `process_before_response` (see `bolt_app.make_app`)."""
    app.error(error_handler(deps.whisper))

    def command(ack: Ack, body: Json) -> BoltResponse:
        words = asked(body, deps)
        return ack(text=words, response_type="ephemeral") if words else ack()

    def approve(ack: Ack, body: Json) -> BoltResponse:
        clicked(body, "approve", deps)
        return ack()

    def cancel(ack: Ack, body: Json) -> BoltResponse:
        clicked(body, "cancel", deps)
        return ack()

    def look(ack: Ack, body: Json) -> BoltResponse:
        clicked(body, "look", deps)
        return ack()

    def deny(ack: Ack, body: Json) -> BoltResponse:
        deny_clicked(body, deps)
        return ack()

    def denied(ack: Ack, body: Json) -> BoltResponse:
        problem = deny_submitted(body, deps)
        if problem is None:
            return ack()
        return ack(response_action="errors", errors={ids.BLOCK_REASON: problem})

    def requested(ack: Ack, body: Json) -> BoltResponse:
        problems = form_submitted(body, deps)
        if problems is None:
            return ack()
        return ack(response_action="errors", errors=problems)

    def site(ack: Ack, body: Json) -> BoltResponse:
        site_chosen(body, deps)
        return ack()

    def pairing_options(ack: Ack, body: Json) -> BoltResponse:
        return ack(options=options_wanted(body, deps))

    def old_button(ack: Ack, body: Json) -> BoltResponse:
        by, _ = user_of(body)
        action = text_of(only_action(body), "action_id")
        log.info("unknown_button", action=action[:255], by=by)
        deps.whisper.tell(maybe_text(body, "response_url"), sentences.OLD_BUTTON)
        return ack()

    def old_form(ack: Ack) -> BoltResponse:
        return ack(response_action="clear")

    app.command(ANY)(command)
    app.action(ids.UNPAIR_APPROVE)(approve)
    app.action(ids.UNPAIR_DENY)(deny)
    app.action(ids.UNPAIR_CANCEL)(cancel)
    app.action(ids.UNPAIR_LOOK)(look)
    app.view(ids.UNPAIR_DENY_REASON)(denied)
    app.view(ids.UNPAIR_REQUEST)(requested)
    app.action({"block_id": ids.BLOCK_SITE, "action_id": ids.ACTION_VALUE})(site)
    app.options(ids.ACTION_VALUE)(pairing_options)
    app.block_action({"action_id": ANY})(old_button)
    app.view(ANY)(old_form)
