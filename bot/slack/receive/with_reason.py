"""Deny and Break glass: a click that opens a form for the reason, and the form's submission."""

from __future__ import annotations

import structlog
from slack_sdk.errors import SlackApiError

from bot.request.events import Clicked, Opened
from bot.request.model import UNDECIDED
from bot.request.who_may import is_group
from bot.slack.draw.forms import BUTTONS, FieldErrors, WithReason, read_reason, reason_form
from bot.slack.draw.ids import BLOCK_REASON, ReasonOrigin
from bot.slack.draw.words import labels, usage
from bot.slack.receive import origins
from bot.slack.receive.clicks import Press, read_press, store, told_apart
from bot.slack.receive.deps import ListenerDeps
from bot.slack.receive.payload import Json, object_of, text_of, user_of
from bot.slack.send.trouble import BROKEN, trouble_of

log = structlog.get_logger(__name__)


def pressed(payload: Json, action: WithReason, deps: ListenerDeps) -> None:
    """Open the form. If the click will be refused whatever its reason, store it at once instead:
    nobody should type an explanation for nothing. Raises Malformed."""
    press = read_press(payload, action, deps)
    if press is None:
        return
    if _refused_by_the_row(press) or _refused_by_who(press, action, deps):
        store(press, deps)
        return
    opened = Opened(action=action, by=press.clicked.by)
    number = deps.inbox.put(
        opened,
        origin=press.origin,
        request_id=press.request.id,
        response_url=press.response_url,
    )
    if number is None:
        # The same press again: its form is open already, and its trigger has been used.
        told_apart(None, press.request.id, action, press.clicked.by, deps)
        return
    _open(payload, press, action, number, deps)


def submitted(payload: Json, action: WithReason, deps: ListenerDeps) -> str | None:
    """Store the decision with its reason. None, or the sentence for the reason's field, also where
    this form was sent before with another one. Raises Malformed."""
    view = object_of(payload, "view")
    by, team = user_of(payload)
    text_of(payload, "trigger_id")  # Slack sends one with everything that a person does
    given = read_reason(view, action)
    if given is None:
        log.warning("modal_without_origin", by=by)
        return usage.form_lost(BUTTONS[action])
    if isinstance(given, FieldErrors):
        return given.errors[BLOCK_REASON]
    opened = given.origin
    decision = Clicked(
        action=action,
        by=by,
        team=team,
        fingerprint=opened.fingerprint,
        channel=opened.channel,
        message_ts=opened.message_ts,
        ours=opened.ours,
        reason=given.reason,
    )
    origin = origins.of_reason_form(by, opened.request_id, opened.opened_by)
    number = deps.inbox.put(
        decision,
        origin=origin,
        request_id=opened.request_id,
        answer_via=opened.opened_by,
    )
    told_apart(number, opened.request_id, action, by, deps)
    before = None if number is not None else deps.inbox.stored(origin)
    if isinstance(before, Clicked) and before.reason != given.reason:
        return labels.already_sent(f"this reason: “{labels.quoted(before.reason or '')}”")
    return None


def _refused_by_the_row(press: Press) -> bool:
    """Whether the row already rules the click out. Only to decide whether to open the form: the
    worker judges everything again, by the row and the rights at that time."""
    request, click = press.request, press.clicked
    misplaced = request.card_ts is not None and click.message_ts != request.card_ts
    return (
        not click.ours
        or misplaced
        or click.channel != request.channel
        or click.fingerprint != request.fingerprint
        or request.state not in UNDECIDED
    )


def _refused_by_who(press: Press, action: WithReason, deps: ListenerDeps) -> bool:
    by = press.clicked.by
    if action == "deny":
        return by == press.request.requester or not _may_be_listed(by, deps.policy.approvers)
    if not press.request.terms.break_glass or not _may_be_listed(by, deps.policy.break_glass):
        return True
    # Ask Slack before asking anybody why. No answer is a no here too.
    return not deps.may_break_glass(by, press.clicked.team)


def _may_be_listed(user: str, listed: frozenset[str]) -> bool:
    """True as well if a user group is listed: who is in it cannot be known without a call."""
    return user in listed or any(is_group(who) for who in listed)


def _open(payload: Json, press: Press, action: WithReason, number: int, deps: ListenerDeps) -> None:
    click = press.clicked
    origin = ReasonOrigin(
        request_id=press.request.id,
        fingerprint=click.fingerprint,
        channel=click.channel,
        message_ts=click.message_ts,
        opened_by=number,
        ours=click.ours,
    )
    view = reason_form(action, origin, press.request)
    try:
        deps.views.views_open(trigger_id=text_of(payload, "trigger_id"), view=view)
    except (SlackApiError, *BROKEN) as error:
        word = trouble_of(error).word
        log.warning("modal_not_opened", request=press.request.id, by=click.by, error=word)
        deps.whisper.tell(press.response_url, usage.click_again(BUTTONS[action]))
