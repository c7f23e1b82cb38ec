"""The card: what is asked, what it affects, who decides, and until when. Drawn only from the row.

People read it from the top, often on a phone, so the danger comes first and the ids come last.
"""

from __future__ import annotations

from slack_sdk.models.blocks import Block

from bot.request.delivery import Drawn
from bot.request.model import UNDECIDED, Request
from bot.slack.draw import limits
from bot.slack.draw.blocks import context, drawn, header, section
from bot.slack.draw.card_buttons import card_buttons
from bot.slack.draw.card_facts import hits, one_sided, place, small_print
from bot.slack.draw.markup import code, fence, mention, mentions, tidy, when
from bot.slack.draw.words.glass import GLASS_ALONE, glass_lost, glass_reason
from bot.slack.draw.words.outcomes import ending
from bot.slack.draw.words.phrases import pairing, pairing_at, tally, to_call, who_decided
from bot.slack.draw.words.states import heading

DRY_RUN = "🧪 *Dry run: nothing will be deleted.*"
NO_WAY_BACK = (
    "Breaking it cannot be undone: Reconnect does not bring a pairing back, only a new site pair "
    "does."
)
"""It stays on the card at the end: whoever reads the record months later has the same question."""

REPLICATIONS_ANEW = " Its replications then have to be configured anew."


def card(request: Request, command: str) -> Drawn:
    """One message, always the same for the same row. `command` is the slash command."""
    return drawn(
        _text(request),
        header(heading(request)),
        _outcome(request),
        _glass(request),
        section(DRY_RUN) if request.terms.dry_run else None,
        section(_asked(request, command)),
        section("\n".join(hits(request))),
        section(_reason(request, limits.REASON_SHOWN)),
        section(f"*Approvals:* {_approvals(request)}"),
        section(GLASS_ALONE) if request.glass_alone and request.state in UNDECIDED else None,
        _call(request),
        context(small_print(request)),
        card_buttons(request),
    )


def _glass(request: Request) -> Block | None:
    """Who broke the glass and why, or that somebody had and it no longer counts."""
    if request.glass:
        return section(glass_reason(request))
    return section(glass_lost(request.glass_lost)) if request.glass_lost else None


def _asked(request: Request, command: str) -> str:
    lines = [
        f"{mention(request.requester)} {_asks(request)} to break the pairing",
        f"*{pairing(request)}*",
    ]
    lines += [where] if (where := place(request)) else []
    if request.also_at:
        named = ", ".join(code(site, limits.NAME) for site in request.also_at)
        lines.append(f"Also seen from {named}: that is the same pairing, one request is enough.")
    if request.force:
        lines.append(f"⚠️ {one_sided(request)}")
    if request.earlier_attention:
        earlier = code(request.earlier_attention)
        look = code(f"{command} status {request.earlier_attention}")
        lines.append(
            f"⚠️ An earlier request for this pairing, {earlier}, ended unclear. "
            f"See first what became of it: {look} leads to its card."
        )
    replicates = request.snapshot is not None and request.snapshot.count > 0
    lines.append(f"{NO_WAY_BACK}{REPLICATIONS_ANEW if replicates else ''}")
    return "\n".join(lines)


def _asks(request: Request) -> str:
    return "asks" if request.state.open else "asked"


def _reason(request: Request, limit: int) -> str:
    if not tidy(request.reason):
        return "*Why:* no reason given."
    return f"*Why:*\n{fence(request.reason, limit)}"


def _approvals(request: Request) -> str:
    by = f" ({mentions(d.by for d in request.approvals)})" if request.approvals else ""
    line = f"{tally(request)}{by}"
    if request.state not in UNDECIDED:
        return f"{line}."
    missing = f"{line}, {request.missing_approvals} missing."
    if request.decide_by is None:
        return missing
    return f"{missing} *Until:* {when(request.decide_by)}"


def _call(request: Request) -> Block | None:
    """Mentions people only while they have something to decide."""
    called = to_call(request)
    return section(f"Please decide: {called}") if called and request.state in UNDECIDED else None


def _outcome(request: Request) -> Block | None:
    """The decision or the end. It comes on top, since the card is now a record."""
    ended_by_hand = request.denial or request.cancellation
    decided = who_decided(request) if ended_by_hand or not request.glass else ""
    if request.outcome is None:
        return section(decided) if decided and request.state not in UNDECIDED else None
    if ended_by_hand:
        # The decision is also the end, so it is said only once.
        reason = request.denial.reason if request.denial else None
        why = [fence(reason, limits.DECISION_REASON_SHOWN)] if reason else []
        return section("\n".join([f"*{decided}*", *why]))
    lines = [f"*{ending(request, request.correction or request.outcome).title}*"]
    lines += [decided] if decided else []
    if request.ended_at is not None:
        lines.append(f"Ended {when(request.ended_at)}.")
    return section("\n".join(lines))


def _text(request: Request) -> str:
    """The text that a phone shows before the message is opened."""
    label = f" ({code(request.terms.label)})" if request.terms.label else ""
    parts = [f"{heading(request)}{label}"]
    if request.terms.dry_run:
        parts.append("Dry run: nothing will be deleted.")
    parts.append(f"{mention(request.requester)} {_asks(request)} to break {pairing_at(request)}.")
    if request.force:
        parts.append(one_sided(request))
    parts += hits(request, brief=True)
    parts.append(f"Approvals: {_approvals(request)}")
    called = to_call(request)
    if called and request.state in UNDECIDED:
        parts.append(f"Please decide: {called}")
    decided = who_decided(request)
    if decided and request.state not in UNDECIDED:
        parts.append(decided)
    if request.glass:
        parts.append(glass_reason(request, limits.REASON_IN_TEXT))
    elif request.glass_lost:
        parts.append(glass_lost(request.glass_lost))
    elif request.glass_alone and request.state in UNDECIDED:
        parts.append(GLASS_ALONE)
    parts.append(_reason(request, limits.REASON_IN_TEXT))
    return "\n".join(parts)
