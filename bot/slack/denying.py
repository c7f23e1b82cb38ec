"""Deny: a click that opens a form for the reason, and the form's submission."""

from __future__ import annotations

import structlog
from slack_sdk.errors import SlackApiError

from bot.core.events import Clicked, Opened
from bot.core.policy import Policy
from bot.core.request import Request, State
from bot.slack import origins, sentences
from bot.slack.clicks import Press, read_press, store, told_apart
from bot.slack.deps import ListenerDeps
from bot.slack.ids import BLOCK_REASON, DenyOrigin
from bot.slack.modals import FieldErrors, deny_reason, read_deny_reason
from bot.slack.payload import Json, object_of, text_of, user_of
from bot.slack.trouble import BROKEN, trouble_of

log = structlog.get_logger(__name__)

UNDECIDED = frozenset((State.CHECKING, State.PENDING))


def deny_clicked(payload: Json, deps: ListenerDeps) -> None:
    """Open the form, or store the click at once when it will be refused whatever its reason is:
    nobody should type an explanation for nothing. Raises Malformed."""
    press = read_press(payload, "deny", deps)
    if press is None:
        return
    if refused_anyway(press.request, press.clicked, deps.policy):
        store(press, deps)
        return
    opened = Opened(action="deny", by=press.clicked.by)
    number = deps.inbox.put(
        opened,
        origin=press.origin,
        request_id=press.request.id,
        response_url=press.response_url,
    )
    if number is None:
        # The same press again: its form has been opened, and its trigger has been used.
        told_apart(None, press.request.id, "deny", press.clicked.by, deps)
        return
    _open(payload, press, number, deps)


def refused_anyway(request: Request, click: Clicked, policy: Policy) -> bool:
    """What the row and the settings say already. Only a guess on the side of asking: whatever is
    stored is judged again by the worker, with the row and the rights of then."""
    misplaced = request.card_ts is not None and click.message_ts != request.card_ts
    return (
        not click.ours
        or misplaced
        or click.channel != request.channel
        or click.fingerprint != request.fingerprint
        or request.state not in UNDECIDED
        or click.by == request.requester
        or (click.by not in policy.approvers and not _has_groups(policy))
    )


def _has_groups(policy: Policy) -> bool:
    """User group ids begin with S; who is in them cannot be known without a call."""
    return any(who.startswith("S") for who in policy.approvers)


def _open(payload: Json, press: Press, number: int, deps: ListenerDeps) -> None:
    click = press.clicked
    origin = DenyOrigin(
        request_id=press.request.id,
        fingerprint=click.fingerprint,
        channel=click.channel,
        message_ts=click.message_ts,
        opened_by=number,
        ours=click.ours,
    )
    view = deny_reason(origin, press.request)
    try:
        deps.views.views_open(trigger_id=text_of(payload, "trigger_id"), view=view)
    except (SlackApiError, *BROKEN) as error:
        word = trouble_of(error).word
        log.warning("modal_not_opened", request=press.request.id, by=click.by, error=word)
        deps.whisper.tell(press.response_url, sentences.CLICK_AGAIN)


def deny_submitted(payload: Json, deps: ListenerDeps) -> str | None:
    """Store the denial with its reason. None, or the sentence for the reason's field. Raises
    Malformed."""
    view = object_of(payload, "view")
    by, team = user_of(payload)
    event_origin = origins.of_submission(payload, view)
    submitted = read_deny_reason(view)
    if submitted is None:
        log.warning("modal_without_origin", by=by)
        return sentences.FORM_LOST
    if isinstance(submitted, FieldErrors):
        return submitted.errors[BLOCK_REASON]
    opened = submitted.origin
    denial = Clicked(
        action="deny",
        by=by,
        team=team,
        fingerprint=opened.fingerprint,
        channel=opened.channel,
        message_ts=opened.message_ts,
        ours=opened.ours,
        reason=submitted.reason,
    )
    number = deps.inbox.put(
        denial,
        origin=event_origin,
        request_id=opened.request_id,
        answer_via=opened.opened_by,
    )
    told_apart(number, opened.request_id, "deny", by, deps)
    return None
