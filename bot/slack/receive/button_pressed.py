"""The buttons of a card, and the forms behind them: each press becomes one event, Deny, Break glass
and Settle with the words that a form asks for. Whether it counts is the worker's."""

from __future__ import annotations

from typing import Any, Literal

import structlog
from slack_sdk.errors import SlackApiError

from bot.request.events import Clicked, Misdirected, Opened
from bot.request.lookup_results import LookFailed, MayNotLook
from bot.request.model import UNDECIDED, Request
from bot.request.who_may import is_group
from bot.slack.draw import ask_form
from bot.slack.draw.card_buttons import FORMS, WithReason, names_view, reason_form
from bot.slack.draw.ids import ButtonValue, ReasonOrigin
from bot.slack.draw.limits import DECISION_REASON
from bot.slack.draw.markup import fenced_units, tidy
from bot.slack.draw.words import usage
from bot.slack.draw.words.after_a_click import UNKNOWN_REQUEST
from bot.slack.draw.words.phrases import state_now
from bot.slack.receive.deps import Deps
from bot.slack.receive.payload import Click, FormSent, Malformed, View, origin
from bot.slack.receive.request_form import untold
from bot.slack.send.slack_problem import BROKEN, problem_of

log = structlog.get_logger(__name__)

Action = Literal["approve", "deny", "cancel", "look", "break_glass", "settle"]

VALUE_KEPT = 100
"""Characters kept in the audit trail of a value that is not ours. Slack allows 2,000."""

Why = Literal["unreadable_button", "unknown_button", "unknown_request"]


def pressed(click: Click, deps: Deps, *, action: Action) -> None:
    """Store the press, or open the form for its reason. What leads to no request is answered at
    once, and stored for the audit trail alone. Raises Malformed."""
    channel, message_ts = _place(click)
    value = ButtonValue.unpack(click.value)
    request = deps.overview.get(value.request_id) if value is not None else None
    if value is None:
        return _astray(click, action, "unreadable_button", usage.UNKNOWN_BUTTON, deps)
    if request is None:
        return _astray(click, action, "unknown_request", UNKNOWN_REQUEST, deps)
    # A message in the card's place is the card, whatever the payload says of its author.
    ours = (channel, message_ts) == (request.channel, request.card_ts) or _ours(click, deps)
    event = Clicked(
        action=action,
        by=click.by,
        team=click.team,
        fingerprint=value.fingerprint,
        channel=channel,
        message_ts=message_ts,
        ours=ours,
    )
    opens: WithReason | None = None
    if action in ("deny", "break_glass", "settle") and not _refused(event, action, request, deps):
        opens = action
    number = deps.inbox.put(
        Opened(action=opens, by=click.by) if opens else event,
        origin=click.origin,
        request_id=request.id,
        response_url=click.response_url,
    )
    if opens is None or number is None:
        # The same press again opens no form: it is open already, and its trigger has been used.
        return log_click(number, request.id, action, click.by, deps)
    opened = ReasonOrigin(
        request_id=request.id,
        fingerprint=event.fingerprint,
        channel=channel,
        message_ts=message_ts,
        opened_by=number,
        ours=ours,
    )
    return _open(click, reason_form(opens, opened, request), request, deps)


def unknown_pressed(click: Click, deps: Deps) -> None:
    """A button of another version: nothing of it is done, and whoever pressed it is told so. Raises
    Malformed."""
    action = click.action_id[:VALUE_KEPT]
    if click.author is None:  # nothing on a form or a home page decides anything
        log.info("unknown_button", action=action, by=click.by)
        return deps.whisper.tell(click.response_url, usage.UNKNOWN_BUTTON)
    return _astray(click, action, "unknown_button", usage.UNKNOWN_BUTTON, deps)


def names_wanted(click: Click, deps: Deps) -> None:
    """Open the list of a card's replications, for those who could ask in its channel. Only from the
    card itself, and only while that has the button. Raises Malformed."""
    value = ButtonValue.unpack(click.value)
    request = deps.overview.get(value.request_id) if value is not None else None
    if request is None or _place(click) != (request.channel, request.card_ts):
        return deps.whisper.tell(click.response_url, usage.UNKNOWN_BUTTON)
    if request.state not in UNDECIDED:
        return deps.whisper.tell(click.response_url, state_now(request))
    shown = request

    def show(found: dict[str, Any] | MayNotLook | LookFailed) -> None:
        if isinstance(found, dict):
            return _open(click, found, shown, deps)
        return deps.whisper.tell(click.response_url, untold(found))

    place = {"team": click.team, "channel": shown.channel}
    if not deps.lookups.stored(click.by, lambda: names_view(shown), show, **place):
        deps.whisper.tell(click.response_url, usage.BUSY)
    return None


def _open(click: Click, view: dict[str, Any], request: Request, deps: Deps) -> None:
    try:
        deps.views.views_open(trigger_id=click.trigger_id, view=view)
    except (SlackApiError, *BROKEN) as error:
        about = {"request": request.id, "action": click.action_id, "by": click.by}
        log.warning("modal_not_opened", error=problem_of(error).word, **about)
        deps.whisper.tell(click.response_url, usage.NOT_OPENED)


def _refused(click: Clicked, action: WithReason, request: Request, deps: Deps) -> bool:
    """Whether the click will be refused whatever its reason, as far as it is likely: nobody should
    type an explanation for nothing. The worker judges everything, by the row and the rights at
    that time."""
    if action == "settle":
        asked = click.by == request.requester
        return (
            asked or not request.unresolved or not _may_be_listed(click.by, deps.policy.approvers)
        )
    if not (request.state in UNDECIDED or (action == "deny" and request.may_be_denied)):
        return True
    if action == "deny":
        return click.by == request.requester or not _may_be_listed(click.by, deps.policy.approvers)
    return not request.terms.break_glass or not _may_be_listed(click.by, deps.policy.break_glass)


def _may_be_listed(user: str, listed: frozenset[str]) -> bool:
    """True as well if a user group is listed: who is in it cannot be known without a call."""
    return user in listed or any(is_group(who) for who in listed)


def _ours(click: Click, deps: Deps) -> bool:
    """Whether the bot wrote the pressed message. If Slack names the message's app, that must be the
    app that the click was sent to. Otherwise the bot's own ids tell."""
    author = click.author
    if author is None:
        return False
    if author.app is not None and click.app is not None:
        return author.app == click.app
    if author.bot is None and author.user is None:
        # If somebody else had written it, Slack would say who. That is enough here: the worker
        # still compares channel and `ts` with those of the card.
        return author.app is None
    me = deps.identity.known
    return me is not None and (
        (author.bot is not None and author.bot == me.bot)
        or (author.user is not None and author.user == me.user)
    )


def _astray(click: Click, action: str, why: Why, words: str, deps: Deps) -> None:
    channel, message_ts = _place(click)
    value = ButtonValue.unpack(click.value)
    event = Misdirected(
        action=action,
        by=click.by,
        channel=channel,
        message_ts=message_ts,
        value=click.value[:VALUE_KEPT],
        why=why,
    )
    request_id = value.request_id if value is not None else ""
    # The same press is recorded once, not each time: nobody fills the trail by pressing all day.
    key = origin("astray", click.by, channel, message_ts, event.action, event.value, why)
    number = deps.inbox.put(event, origin=key, request_id=request_id)
    log_click(number, request_id, event.action, click.by, deps)
    deps.whisper.tell(click.response_url, words)


def _place(click: Click) -> tuple[str, str]:
    """Channel and `ts` of the pressed message. Raises Malformed."""
    if not click.channel or not click.message_ts:
        raise Malformed("a button that stands in no message")
    return click.channel, click.message_ts


def log_click(number: int | None, request_id: str, action: str, by: str, deps: Deps) -> None:
    """A new click; and one that was stored before (`number` is None), which is counted."""
    about = {"request": request_id, "action": action, "by": by}
    if number is None:
        deps.on_repeated()
        log.info("click_repeated", **about)
    else:
        log.info("clicked", **about)


# ---- a decision with its reason --------------------------------------------------------------


def reason_sent(sent: FormSent, deps: Deps, *, action: WithReason) -> dict[str, str]:
    """Store the decision with its reason. Returns a sentence for the reason's field if it was not
    taken, also where this form was sent before with another one."""
    field = FORMS[action].block_id
    read = read_reason(sent.view, action)
    if read is None:
        log.warning("modal_without_origin", by=sent.by)
        return {field: usage.FORM_LOST}
    if isinstance(read, str):
        return {field: read}
    opened, reason = read
    decision = Clicked(
        action=action,
        by=sent.by,
        team=sent.team,
        fingerprint=opened.fingerprint,
        channel=opened.channel,
        message_ts=opened.message_ts,
        ours=opened.ours,
        reason=reason,
    )
    # By the press that opened it, and the person: one form makes one decision, however often it is
    # sent. It stays open if Slack heard nothing of the first. Each press opens another form.
    key = origin("reason", sent.by, opened.request_id, str(opened.opened_by))
    number = deps.inbox.put(
        decision, origin=key, request_id=opened.request_id, answer_via=opened.opened_by
    )
    log_click(number, opened.request_id, action, sent.by, deps)
    before = None if number is not None else deps.inbox.stored(key)
    if isinstance(before, Clicked) and before.reason != reason:
        return {field: ask_form.already_sent(opened.request_id)}
    return {}


def read_reason(view: View, action: WithReason) -> tuple[ReasonOrigin, str] | str | None:
    """A sentence if the reason will not do. None if the modal does not tell what opened it."""
    opened = ReasonOrigin.unpack(view.metadata)
    if opened is None:
        return None
    reason = tidy(view.values.get(FORMS[action].block_id, ""))
    length = fenced_units(reason)
    if not reason:
        return FORMS[action].missing
    if length > DECISION_REASON:
        return ask_form.reason_too_long(length, DECISION_REASON)
    return opened, reason
