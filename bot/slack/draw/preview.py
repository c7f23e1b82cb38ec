"""What a card would show, for one person only: drawn like the card, but without buttons."""

from __future__ import annotations

from bot.request.fingerprint import fingerprint
from bot.request.messages import Drawn
from bot.request.model import Request
from bot.request.pairing import Snapshot
from bot.request.who_may import Policy
from bot.slack.draw.card import card_url, earlier_card, heading, said
from bot.slack.draw.markup import (
    ID,
    NAME,
    SENTENCE,
    code,
    context,
    drawn,
    header,
    name,
    section,
    when,
)
from bot.slack.draw.words.phrases import linked, whole_names
from bot.slack.draw.words.states import STATES

HEADER = "👁️ Preview: what a card would show"
NOBODY_ASKED = "Only you see this, and nobody was asked."
NO_ID = "PREVIEW"


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
    workspace_url: str | None = None,
) -> Drawn:
    """The preview of what has just been read. `holder` is the open request for this pairing, and
    `unclear` the latest one whose fate is not known."""
    as_if = _as_if_asked(snapshot, site, by, channel, policy, unclear, force=force)
    request = as_if.model_copy(update={"also_at": also_at})
    named = f"{site}/{snapshot.pairing_id}" if len(policy.sites) > 1 else snapshot.pairing_id
    typed = f"{command} {named}{' --force' if force else ''} reason"
    ids = [f"pairing id {code(snapshot.pairing_id, ID)}"]
    ids += [f"also seen from {', '.join(map(name, also_at))}"] if also_at else []
    ids += [f"read {when(snapshot.read_at)}", f"to ask for it: {code(typed, SENTENCE)}"]
    first, last = _words(site, holder), " · ".join([whole_names(request), *ids])
    if holder is not None:
        first = linked(first, holder.id, card_url(holder, workspace_url))
    parts = said(request, earlier_card(unclear, command, workspace_url) if unclear else "")
    return drawn(
        "\n".join([first, HEADER, heading(request), *parts, last]),
        header(HEADER),
        section(first),
        header(heading(request)),
        *(section(each) for each in parts),
        context(last),
    )


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
