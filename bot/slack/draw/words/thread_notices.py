"""What is posted once in the thread: that it waits, goes on, that an approval is void, that
somebody broke the glass, and the head of the audit trail.

A notice is drawn only from itself and from the terms, so it never changes later; but there is one
alone about waiting, which always says how that is now.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.request.model import Notice, Request, Witness
from bot.slack.draw import limits
from bot.slack.draw.markup import code, fence, line, mention, mentions, sentence, when
from bot.slack.draw.words.pairing_names import at_site, consequences, count_of, pairing, place
from bot.slack.draw.words.phrases import duration, may_stop_it


def glass_reason(request: Request) -> str:
    """For the card and the final reply: who decided alone, and why. Empty if nobody broke the
    glass."""
    glass = request.glass
    if glass is None:
        return ""
    asked = ", who also asked for it," if glass.by == request.requester else ""
    return (
        f"🚨 *Break glass:* {mention(glass.by)}{asked} decided alone, {when(glass.at)}.\n"
        f"{fence(glass.reason or '', limits.DECISION_REASON_SHOWN)}"
    )


def glass_broken(request: Request, notice: Notice) -> str:
    """For the whole channel. Like every notice, drawn only from what does not change later."""
    own = request.requester in notice.who
    whose = "their own request" if own else f"the request of {mention(request.requester)}"
    where = place(request)
    lines = [
        f"🚨 *Break glass:* {mentions(notice.who)} has decided alone on {whose}:",
        *([where] if where else []),
        *consequences(request),
        f"*Why:*\n{fence(notice.text, limits.DECISION_REASON_SHOWN)}",
        f"Until it is sent, {mention(request.requester)} can withdraw it on the card.",
    ]
    return "\n".join(lines)


def asked_unseen(request: Request, notice: Notice) -> str:
    """For the thread: who is told by a direct message, and who could not be."""
    why = "they are not in this channel"
    if notice.text:
        why = "Slack did not say who is in this channel"
    people = mentions(notice.told) or "nobody"
    lines = [f"✉️ Told of this request by direct message, since {why}: {people}."]
    if notice.unread:
        lines.append(
            f"⚠️ Slack did not say who is in {mentions(notice.unread)}: whoever is to be called "
            "only through that, and is not in this channel, does not know of this request."
        )
    return "\n".join(lines)


def asked_elsewhere(request: Request, notice: Notice) -> str:
    """The same for one of them, who may not see card and thread."""
    lines = [
        f"🔔 {mention(request.requester)} has asked, {when(notice.at)}:",
        *consequences(request),
        f"*Why:*\n{fence(request.reason, limits.DECISION_REASON_SHOWN)}",
        f"To decide, have {mention(request.requester)} invite you to the channel.",
    ]
    return "\n".join(lines)


def approved_elsewhere(request: Request, notice: Notice) -> str:
    asked = f"asked by {mention(request.requester)}"
    lines = [
        f"🔵 {mentions(notice.who)} approved, {when(notice.at)}, {asked}:",
        *consequences(request),
        f"Until it is sent, {mention(request.requester)} can withdraw it on the card.",
    ]
    return "\n".join(lines)


def no_longer_approved(request: Request, why: str) -> str:
    called = mentions(request.terms.notify)
    look = f" {called}: please look at it." if called else ""
    return f"{why}. The appliance accepted nothing; the card says what is missing.{look}"


def ahead(request: Request, notice: Notice) -> str:
    """Some minutes before the time that was asked for. `text`: how many replications there are."""
    found = [f"• {line(each)}" for each in notice.lines[: limits.DIFFERENCES_SHOWN]]
    there = f", {count_of(int(notice.text), 'replication')} now" if notice.text.isdecimal() else ""
    named = f"{pairing(request)}{at_site(request)}"
    when_what = _ahead(request, notice)
    if not found:
        return f"⏰ At {when_what}: {named}{there}, as it was approved. {may_stop_it(request)}."
    return "\n".join(
        [
            f"⚠️ {mentions(notice.who)}: at {when_what}, and {named} is not what was approved any "
            f"more{there}:",
            *found,
            "If that is still so by then, nothing is sent. Whoever still wants it asks again.",
        ]
    )


def ahead_unread(request: Request, notice: Notice) -> str:
    named = f"{pairing(request)}{at_site(request)}"
    time = duration(request.terms.execution_ttl_ms)
    return (
        f"⚠️ {mentions(notice.who)}: at {_ahead(request, notice)}, and {named} cannot be read now. "
        f"{_why(notice)}It is read again then, and tried for {time}."
    )


def _ahead(request: Request, notice: Notice) -> str:
    does = "the dry run is played" if request.terms.dry_run else "the delete is sent"
    return f"{when(request.scheduled_at or notice.at)} {does}"


def _why(notice: Notice) -> str:
    return f"{sentence(notice.text)} " if notice.text else ""


def _since(notice: Notice) -> str:
    before = "once" if notice.times == 2 else f"{notice.times - 1:,} times"
    again = f" It has waited {before} before." if notice.times > 1 else ""
    return f"Waiting since {when(notice.at)}.{again}"


NOTICES: dict[str, Callable[[Request, Notice], str]] = {
    "rights_lost": lambda r, n: no_longer_approved(
        r, f"The approval of {mentions(n.who)} no longer counts: the right to it is gone"
    ),
    "more_approvals": lambda r, n: no_longer_approved(
        r, f"{line(n.text)} approvals are needed now, more than when this was approved"
    ),
    "asked_unseen": asked_unseen,
    "approved_unseen": approved_elsewhere,
    "glass_broken": glass_broken,
    "glass_lost": lambda r, n: no_longer_approved(
        r, f"Break glass by {mentions(n.who)} no longer counts: the right to it is gone"
    ),
    "waits_to_send": lambda r, n: (
        f"Approved, but it cannot be carried out yet. {_why(n)}The bot keeps trying until the "
        f"approval runs out. {_since(n)}"
    ),
    "waits_to_look": lambda r, n: (
        "The delete may have gone out, and the appliance cannot be asked what became of it. "
        f"{_why(n)}The bot keeps looking, and does not send it again. {_since(n)}"
    ),
    "waits_to_follow": lambda r, n: (
        f"The appliance is at work, and cannot be asked how far it is. {_why(n)}The bot keeps "
        f"looking. {_since(n)}"
    ),
    "goes_on": lambda r, n: (
        f"The wait ended {when(n.at)}; continuing."
        + (f" It has waited {n.times:,} times so far." if n.times > 1 else "")
    ),
    "not_ours": lambda r, n: (
        f"Task {code(n.text, limits.ID)}, which was taken for ours, is somebody else's: the answer "
        "to the delete has come late, and says that nothing of it began."
    ),
    "ahead": ahead,
    "ahead_unread": ahead_unread,
    "settled": lambda r, n: (
        f"☑️ {mentions(n.who)} says that this is settled, {when(n.at)}. It is no longer named as "
        f"unresolved.\n{fence(n.text, limits.DECISION_REASON_SHOWN)}"
    ),
}


TOLD: dict[str, Callable[[Request, Notice], str]] = {"asked_unseen": asked_elsewhere}
"""What one person reads in place of what the thread is told."""


def witness_words(witness: Witness) -> str:
    """The head in the form for `vr-unpair audit verify --head`. The number is the same as in the
    export."""
    return f"Audit trail: record {witness.number}, head `{witness.short}`."
