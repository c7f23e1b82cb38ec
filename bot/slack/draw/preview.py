"""What a card would show, for one person only: drawn like the card, but without buttons."""

from __future__ import annotations

from typing import Any

from bot.request.fingerprint import fingerprint
from bot.request.messages import Drawn
from bot.request.model import Request
from bot.request.pairing import Snapshot
from bot.request.who_may import Policy
from bot.slack.draw.card import card
from bot.slack.draw.markup import ID, NAME, SENTENCE, code, context, drawn, header, section, when
from bot.slack.draw.words.states import STATES, heading

HEADER = "👁️ Preview: what a card would show"
NOBODY_ASKED = "Only you see this, and nobody was asked."
NO_ID = "PREVIEW"
SHOWN_IN_CARD = frozenset({"header", "actions", "context"})
"""Blocks of the card that a preview leaves out or replaces: there is nothing to decide, and no
request whose id could be named."""


def preview(
    snapshot: Snapshot,
    *,
    site: str,
    also_at: tuple[str, ...] = (),
    force: bool = False,
    by: str,
    channel: str,
    policy: Policy,
    holder: Request | None = None,
    unclear: Request | None = None,
    command: str,
) -> Drawn:
    """The preview of what has just been read. `holder` is the open request for this pairing, and
    `unclear` the latest one whose fate is not known."""
    as_if = _as_if_asked(snapshot, site, by, channel, policy, unclear, force=force)
    request = as_if.model_copy(update={"also_at": also_at})
    made = card(request, command)
    kept = [block for block in made.blocks if block["type"] not in SHOWN_IN_CARD]
    before = [header(HEADER), section(_words(site, holder))]
    named = f"{site}/{snapshot.pairing_id}" if len(policy.sites) > 1 else snapshot.pairing_id
    typed = f"{command} {named}{' --force' if force else ''} reason"
    after = context(
        f"pairing id {code(snapshot.pairing_id, ID)} · read {when(snapshot.read_at)} · "
        f"to ask for it: {code(typed, SENTENCE)}"
    )
    first_line = heading(request)
    text = made.text.replace(first_line, HEADER, 1)
    blocks: list[dict[str, Any]] = [b.to_dict() for b in before] + kept + [after.to_dict()]
    return Drawn(text=drawn(f"{NOBODY_ASKED}\n{text}").text, blocks=tuple(blocks))


def _words(site: str, holder: Request | None) -> str:
    if holder is None:
        return NOBODY_ASKED
    at = f" at {code(holder.site, NAME)}" if holder.site != site else ""
    return (
        f"{NOBODY_ASKED}\n⚠️ {code(holder.id, ID)}{at} {STATES[holder.state].phrase}: while "
        "that is so, another request for this pairing is refused."
    )


def _as_if_asked(
    snapshot: Snapshot,
    site: str,
    by: str,
    channel: str,
    policy: Policy,
    unclear: Request | None,
    *,
    force: bool,
) -> Request:
    # Nobody is mentioned: only one person sees this, whom mentions would only confuse.
    terms = policy.terms(site, force=force).model_copy(update={"notify": ()})
    return Request(
        id=NO_ID,
        site=site,
        asked=snapshot.pairing_id,
        force=force,
        reason="",
        requester=by,
        channel=channel,
        terms=terms,
        asked_by_event=0,
        created_at=snapshot.read_at,
        updated_at=snapshot.read_at,
        pairing_id=snapshot.pairing_id,
        snapshot=snapshot,
        fingerprint=fingerprint(snapshot, force=force, dry_run=terms.dry_run),
        earlier_attention=unclear.id if unclear else None,
    )
