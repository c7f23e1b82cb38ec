"""What is posted once in the thread: that it waits, goes on, that an approval is void, that
somebody broke the glass, and the head of the audit trail.

A notice is drawn only from itself and from the terms, so it never changes later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.request.model import Decision, Notice, Request, Witness
from bot.slack.draw.markup import (
    DECISION_REASON_SHOWN,
    DIFFERENCES_SHOWN,
    channels,
    code,
    fence,
    line,
    mention,
    mentions,
    sentence,
    when,
)
from bot.slack.draw.words.phrases import (
    consequences,
    duration,
    may_stop_it,
    not_before,
    open_card,
    request_id,
)
from bot.slack.draw.words.sites import count_of, pairing_at, place

# ---- break glass: who decided alone, why, and what can be done ---------------------------------
GLASS_ALONE = (
    "⚠️ There are too few people who could approve this, so only *Break glass* is left: it breaks "
    "the pairing without approvals. Only people named in the settings can press it, with a reason, "
    "and every approver is told."
)


GLASS_OFFERED = (
    "*Break glass* is for emergencies: it breaks the pairing without further approvals. Only "
    "people named in the settings can press it, with a reason, and every approver is told."
)


def glass_reason(request: Request, limit: int = DECISION_REASON_SHOWN) -> str:
    """For the card and the final reply. Empty if nobody broke the glass."""
    glass = request.glass
    if glass is None:
        return ""
    asked = ", who also asked for it," if glass.by == request.requester else ""
    return (
        f"🚨 *Break glass:* {mention(glass.by)}{asked} decided alone, {when(glass.at)}.\n"
        f"{fence(glass.reason or '', limit)}"
    )


def glass_void(lost: Decision) -> str:
    return (
        f"🚨 Break glass by {mention(lost.by)}, {when(lost.at)}, no longer counts: the right to it "
        "is gone."
    )


def told_where(request: Request, card: str | None) -> str:
    """Where it happened, for an approver who is told by a direct message."""
    which = open_card(request.id, card) if card is not None else f"Request {request_id(request)}"
    return f"You are told as an approver. {which} in {channels([request.channel])}."


def not_told(groups: Sequence[str]) -> str:
    return (
        f"⚠️ Slack did not say who is in {mentions(groups)}: whoever approves only through that "
        "got no direct message of this."
    )


def glass_broken(request: Request, notice: Notice, limit: int = DECISION_REASON_SHOWN) -> str:
    """For the whole channel. Like every notice, drawn only from what does not change later."""
    who = mentions(notice.who) or "somebody"
    asked = "their own request" if request.requester in notice.who else "the request"
    whose = "" if request.requester in notice.who else f" of {mention(request.requester)}"
    lines = [
        f"🚨 *Break glass:* {who} has decided alone on {asked}{whose}:",
        *filter(None, [place(request)]),
        *consequences(request),
        *([f"⏰ *Not before:* {not_before(request)}"] if request.scheduled_at is not None else []),
        *(["🧪 *This is a rehearsal.*"] if request.terms.dry_run else []),
        f"*Why:*\n{fence(notice.text, limit)}",
        f"Until it is sent, {mention(request.requester)} can withdraw it on the card.",
    ]
    return "\n".join(lines)


# ---- notices -----------------------------------------------------------------------------------
def rights_lost(request: Request, notice: Notice) -> str:
    whose = mentions(notice.who) or "somebody"
    called = mentions(request.terms.notify)
    look = f"{called}: please look at the card." if called else "The card says what is missing."
    return f"The approval of {whose} no longer counts: the right to approve is gone. {look}"


def glass_lost(request: Request, notice: Notice) -> str:
    whose = mentions(notice.who) or "somebody"
    called = mentions(request.terms.notify)
    look = f" {called}: please look at the card." if called else ""
    return (
        f"Break glass by {whose} no longer counts: the right to it is gone. The appliance accepted "
        f"nothing; the request waits for a decision again.{look}"
    )


def more_approvals(request: Request, notice: Notice) -> str:
    return (
        f"{line(notice.text)} approvals are needed now, more than when this was approved. The "
        "appliance accepted nothing; the card says what is missing."
    )


def waits_to_send(request: Request, notice: Notice) -> str:
    return (
        f"Approved, but it cannot be carried out yet. {_why(notice)}"
        "The bot keeps trying until the approval runs out."
    )


def waits_to_look(request: Request, notice: Notice) -> str:
    return (
        "The delete may have gone out, and the appliance cannot be asked what became of it. "
        f"{_why(notice)}The bot keeps looking, and does not send it again."
    )


def waits_to_follow(request: Request, notice: Notice) -> str:
    return (
        f"The appliance is at work, and cannot be asked how far it is. {_why(notice)}"
        "The bot keeps looking."
    )


def goes_on(request: Request, notice: Notice) -> str:
    return f"The wait ended {when(notice.at)}; continuing."


def settled(request: Request, notice: Notice) -> str:
    return (
        f"☑️ {mentions(notice.who)} says that this is settled, {when(notice.at)}. It is no longer "
        f"named as unresolved.\n{fence(notice.text, DECISION_REASON_SHOWN)}"
    )


def ahead(request: Request, notice: Notice) -> str:
    """Some minutes before the time that was asked for. `text`: how many replications there are."""
    at = when(request.scheduled_at or notice.at)
    found = [f"• {line(each)}" for each in notice.lines[:DIFFERENCES_SHOWN]]
    there = f", {count_of(int(notice.text), 'replication')} now" if notice.text.isdecimal() else ""
    if not found:
        return (
            f"⏰ At {at} {_is_done(request)}: {pairing_at(request)}{there}, as it was approved. "
            f"{may_stop_it(request)}."
        )
    return "\n".join(
        [
            f"⚠️ {mentions(notice.who)}: at {at} {_is_done(request)}, and {pairing_at(request)} "
            f"is not what was approved any more{there}:",
            *found,
            "If that is still so by then, nothing is sent. Whoever still wants it asks again.",
        ]
    )


def ahead_unread(request: Request, notice: Notice) -> str:
    at = when(request.scheduled_at or notice.at)
    time = duration(request.terms.execution_ttl_ms)
    return (
        f"⚠️ {mentions(notice.who)}: at {at} {_is_done(request)}, and {pairing_at(request)} cannot "
        f"be read now. {_why(notice)}It is read again then, and tried for {time}."
    )


def _is_done(request: Request) -> str:
    return "the dry run is played" if request.terms.dry_run else "the delete is sent"


NOTICES: dict[str, Callable[[Request, Notice], str]] = {
    f.__name__: f
    for f in (
        rights_lost,
        more_approvals,
        glass_broken,
        glass_lost,
        waits_to_send,
        waits_to_look,
        waits_to_follow,
        goes_on,
        ahead,
        ahead_unread,
        settled,
    )
}


def notice_words(request: Request, notice: Notice) -> str:
    words = NOTICES.get(notice.code)
    if words is not None:
        return words(request, notice)
    return f"Note {code(notice.code)}, which this version has no words for. {_why(notice)}".strip()


def _why(notice: Notice) -> str:
    return f"{sentence(notice.text)} " if notice.text else ""


def witness_words(witness: Witness) -> str:
    """The head in the form for `vr-unpair audit verify --head`. The number is the same as in the
    export."""
    return f"Audit trail: record {witness.number}, head `{witness.short}`."
