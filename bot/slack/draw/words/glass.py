"""What everybody is told if the glass is broken: who decided alone, why, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence

from bot.request.model import Decision, Notice, Request
from bot.slack.draw.card_facts import place
from bot.slack.draw.limits import DECISION_REASON_SHOWN, TITLE
from bot.slack.draw.markup import channels, fence, mention, mentions, when
from bot.slack.draw.words.phrases import consequences, open_card, request_id

GLASS_ALONE = (
    "⚠️ There are too few people who could approve this, so only *Break glass* is left: somebody "
    "of `BREAK_GLASS` decides alone, with a reason, and everybody is told."
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


def glass_lost(lost: Decision) -> str:
    return (
        f"🚨 Break glass by {mention(lost.by)}, {when(lost.at)}, no longer counts: the right to it "
        "is gone."
    )


def told_where(request: Request, card: str | None) -> str:
    """Where it happened, for an approver who is told by a direct message."""
    link = f" {open_card(card)}." if card is not None else ""
    return (
        f"You are told as an approver. Request {request_id(request)} was asked in "
        f"{channels([request.channel])}.{link}"
    )


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
        f"🚨 *Break glass:* {who} has decided alone on {asked}{whose}, and nobody else had to "
        "approve it:",
        *filter(None, [place(request)]),
        *consequences(request, TITLE),
        *(["🧪 *This is a rehearsal.*"] if request.terms.dry_run else []),
        f"*Why:*\n{fence(notice.text, limit)}",
        f"Until it is sent, {mention(request.requester)} can withdraw it on the card. "
        "The thread says how it ends.",
    ]
    return "\n".join(lines)
