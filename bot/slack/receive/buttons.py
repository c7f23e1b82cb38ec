"""The buttons of a card: each press becomes one event, Deny and Break glass with a reason that a
form asks for. Whether it counts is the worker's."""

from __future__ import annotations

from typing import Literal

import structlog
from slack_sdk.errors import SlackApiError

from bot.request import Frozen
from bot.request.events import Clicked, Misdirected, Opened
from bot.request.model import UNDECIDED, Request
from bot.request.who_may import is_group
from bot.slack.draw import ids
from bot.slack.draw.buttons import names_view
from bot.slack.draw.forms import WithReason, block_of, reason_form
from bot.slack.draw.ids import ButtonValue, ReasonOrigin
from bot.slack.draw.markup import DECISION_REASON, fenced_units, tidy
from bot.slack.draw.words import labels, usage
from bot.slack.draw.words.answers import UNKNOWN_REQUEST
from bot.slack.people import IdentityUnread
from bot.slack.receive import Deps
from bot.slack.receive.payload import Click, FormSent, Malformed, View, origin
from bot.slack.send.problems import BROKEN, problem_of

log = structlog.get_logger(__name__)

Action = Literal["approve", "deny", "cancel", "look", "break_glass", "settle"]

ACTIONS: dict[str, Action] = {
    ids.UNPAIR_APPROVE: "approve",
    ids.UNPAIR_DENY: "deny",
    ids.UNPAIR_CANCEL: "cancel",
    ids.UNPAIR_LOOK: "look",
    ids.UNPAIR_BREAK_GLASS: "break_glass",
    ids.UNPAIR_SETTLE: "settle",
}
FORMS: dict[str, WithReason] = {
    ids.UNPAIR_DENY_REASON: "deny",
    ids.UNPAIR_BREAK_GLASS_REASON: "break_glass",
    ids.UNPAIR_SETTLE_WORDS: "settle",
}
WORDS: dict[WithReason, labels.ReasonWords] = {
    "deny": labels.DENY,
    "break_glass": labels.GLASS,
    "settle": labels.SETTLE,
}

VALUE_KEPT = 100
"""Characters kept in the audit trail of a value that is not ours. Slack allows 2,000."""

Why = Literal["unreadable_button", "unknown_button", "unknown_request", "bot_unread"]


# ---- pressed ---------------------------------------------------------------------------------


def pressed(click: Click, action: Action, deps: Deps) -> None:
    """Store the press, or open the form for its reason. Raises Malformed."""
    channel, message_ts = _place(click)
    value = ButtonValue.unpack(click.value)
    request = deps.overview.get(value.request_id) if value is not None else None
    if value is None:
        return _misdirected(click, action, "unreadable_button", usage.unreadable_button(), deps)
    if request is None:
        return _misdirected(click, action, "unknown_request", UNKNOWN_REQUEST, deps)
    try:
        # A message in the card's place is the card, whatever the payload says of its author.
        ours = (channel, message_ts) == (request.channel, request.card_ts) or _ours(click, deps)
    except IdentityUnread:
        return _misdirected(click, action, "bot_unread", usage.IDENTITY_UNKNOWN, deps)
    event = Clicked(
        action=action,
        by=click.by,
        team=click.team,
        fingerprint=value.fingerprint,
        channel=channel,
        message_ts=message_ts,
        ours=ours,
    )
    if action not in ("deny", "break_glass", "settle") or _refused(event, action, request, deps):
        stored = deps.inbox.put(
            event, origin=click.origin, request_id=request.id, response_url=click.response_url
        )
        _log(stored, request.id, action, click.by, deps)
        return None
    return _ask_why(click, event, action, request, deps)


def pressed_unknown(click: Click, deps: Deps) -> None:
    """A button of another version of the bot, or of nobody's. Raises Malformed."""
    log.info("unknown_button", action=click.action_id[:VALUE_KEPT], by=click.by)
    if click.author is None:  # on a form or a home page: nothing there decides anything
        deps.whisper.tell(click.response_url, usage.OLD_BUTTON)
    else:
        action = click.action_id[:VALUE_KEPT]
        _misdirected(click, action, "unknown_button", usage.OLD_BUTTON, deps)


def names_wanted(click: Click, deps: Deps) -> None:
    """Open the list of a card's replications. Only from the card itself: whoever presses reads it
    there already, so no rights are asked for. Raises Malformed."""
    value = ButtonValue.unpack(click.value)
    request = deps.overview.get(value.request_id) if value is not None else None
    if request is not None and _place(click) == (request.channel, request.card_ts):
        try:
            deps.views.views_open(trigger_id=click.trigger_id, view=names_view(request))
            return
        except (SlackApiError, *BROKEN) as error:
            word = problem_of(error).word
            log.warning("names_not_opened", request=request.id, by=click.by, error=word)
    deps.whisper.tell(click.response_url, usage.NAMES_NOT_SHOWN)


def _ask_why(
    click: Click, event: Clicked, action: WithReason, request: Request, deps: Deps
) -> None:
    number = deps.inbox.put(
        Opened(action=action, by=click.by),
        origin=click.origin,
        request_id=request.id,
        response_url=click.response_url,
    )
    if number is None:
        # The same press again: its form is open already, and its trigger has been used.
        _log(None, request.id, action, click.by, deps)
        return
    opened = ReasonOrigin(
        request_id=request.id,
        fingerprint=event.fingerprint,
        channel=event.channel,
        message_ts=event.message_ts,
        opened_by=number,
        ours=event.ours,
    )
    view = reason_form(action, opened, request)
    try:
        deps.views.views_open(trigger_id=click.trigger_id, view=view)
    except (SlackApiError, *BROKEN) as error:
        word = problem_of(error).word
        log.warning("modal_not_opened", request=request.id, by=click.by, error=word)
        deps.whisper.tell(click.response_url, usage.click_again(WORDS[action].button))


def _refused(click: Clicked, action: WithReason, request: Request, deps: Deps) -> bool:
    """Whether the click will be refused whatever its reason: nobody should type an explanation for
    nothing. Only to decide whether to open the form: the worker judges everything again, by the row
    and the rights at that time."""
    if action == "settle":
        return not click.ours or not request.unresolved
    misplaced = request.card_ts is not None and click.message_ts != request.card_ts
    if (
        not click.ours
        or misplaced
        or click.channel != request.channel
        or click.fingerprint != request.fingerprint
        or not (request.state in UNDECIDED or (action == "deny" and request.may_be_denied))
    ):
        return True
    if action == "deny":
        return click.by == request.requester or not _may_be_listed(click.by, deps.policy.approvers)
    if not request.terms.break_glass or not _may_be_listed(click.by, deps.policy.break_glass):
        return True
    # Ask Slack before asking anybody why. No answer is a no here too.
    return not deps.may_break_glass(click.by, click.team)


def _may_be_listed(user: str, listed: frozenset[str]) -> bool:
    """True as well if a user group is listed: who is in it cannot be known without a call."""
    return user in listed or any(is_group(who) for who in listed)


def _ours(click: Click, deps: Deps) -> bool:
    """Whether the bot wrote the pressed message. If Slack names the message's app, that must be the
    app that the click was sent to. Otherwise the bot's own ids tell. Raises IdentityUnread."""
    author = click.author
    if author is None:
        return False
    if author.app is not None and click.app is not None:
        return author.app == click.app
    if author.bot is None and author.user is None:
        # If somebody else had written it, Slack would say who. That is enough here: the worker
        # still compares channel and `ts` with those of the card.
        return author.app is None
    me = deps.identity.read(queue_s=0)
    return (author.bot is not None and author.bot == me.bot) or (
        author.user is not None and author.user == me.user
    )


def _misdirected(click: Click, action: str, why: Why, words: str, deps: Deps) -> None:
    """Answer at once, and store the press for the audit trail. Nothing else comes of it."""
    channel, message_ts = _place(click)
    value = ButtonValue.unpack(click.value)
    request_id = value.request_id if value is not None else ""
    event = Misdirected(
        action=action,
        by=click.by,
        channel=channel,
        message_ts=message_ts,
        value=click.value[:VALUE_KEPT],
        why=why,
    )
    number = deps.inbox.put(event, origin=click.origin, request_id=request_id)
    _log(number, request_id, action, click.by, deps)
    deps.whisper.tell(click.response_url, words)


def _place(click: Click) -> tuple[str, str]:
    """Channel and `ts` of the pressed message. Raises Malformed."""
    if not click.channel or not click.message_ts:
        raise Malformed("a button that stands in no message")
    return click.channel, click.message_ts


def _log(number: int | None, request_id: str, action: str, by: str, deps: Deps) -> None:
    """A new click; and one that was stored before (`number` is None), which is counted."""
    about = {"request": request_id, "action": action, "by": by}
    if number is None:
        deps.on_repeated()
        log.info("click_repeated", **about)
    else:
        log.info("clicked", **about)


# ---- sent with a reason ----------------------------------------------------------------------


class ReasonSent(Frozen):
    """What the form behind Deny or Break glass brought back."""

    opened: ReasonOrigin
    reason: str


def reason_sent(sent: FormSent, action: WithReason, deps: Deps) -> str | None:
    """Store the decision with its reason. None, or the sentence for the reason's field, also where
    this form was sent before with another one."""
    read = read_reason(sent.view, action)
    if read is None:
        log.warning("modal_without_origin", by=sent.by)
        return usage.form_lost(WORDS[action].button)
    if isinstance(read, str):
        return read
    opened = read.opened
    decision = Clicked(
        action=action,
        by=sent.by,
        team=sent.team,
        fingerprint=opened.fingerprint,
        channel=opened.channel,
        message_ts=opened.message_ts,
        ours=opened.ours,
        reason=read.reason,
    )
    # By the press that opened it, and the person: one form makes one decision, however often it is
    # sent. It stays open if Slack heard nothing of the first. Each press opens another form.
    key = origin("reason", sent.by, opened.request_id, str(opened.opened_by))
    number = deps.inbox.put(
        decision, origin=key, request_id=opened.request_id, answer_via=opened.opened_by
    )
    _log(number, opened.request_id, action, sent.by, deps)
    before = None if number is not None else deps.inbox.stored(key)
    if isinstance(before, Clicked) and before.reason != read.reason:
        return labels.already_sent(f"this reason: “{labels.quoted(before.reason or '')}”")
    return None


def read_reason(view: View, action: WithReason) -> ReasonSent | str | None:
    """A sentence if the reason will not do. None if it is not a submission of this modal."""
    opened = ReasonOrigin.unpack(view.metadata)
    if opened is None or FORMS.get(view.callback_id or "") != action:
        return None
    reason = tidy(view.values.get(block_of(action), ""))
    length = fenced_units(reason)
    if not reason:
        return WORDS[action].missing
    if length > DECISION_REASON:
        return labels.reason_too_long(length, DECISION_REASON)
    return ReasonSent(opened=opened, reason=reason)
