"""`list` and `preview`: pairings as the one person who looks reads them, why there are none, and
what a card would show: drawn like the card, but without buttons."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from bot.request.events import CallFailed, PairingUnresolved
from bot.request.fingerprint import fingerprint
from bot.request.lookup_results import ListedPairing, PairingsListed, SiteUnread, other_ends
from bot.request.messages import Drawn
from bot.request.model import Request
from bot.request.pairing import Pairing, Server, Snapshot, id_key, keys_of
from bot.request.problem import Problem, ProblemKind
from bot.request.who_may import Policy
from bot.slack.draw.buttons import card_url, earlier_card
from bot.slack.draw.card import heading, said
from bot.slack.draw.markup import (
    CANDIDATES_SHOWN,
    ID,
    NAME,
    PAIRING_TYPED,
    SENTENCE,
    TITLE,
    VENDOR_WORDS_IN_TEXT,
    code,
    context,
    drawn,
    header,
    line,
    name,
    section,
    when,
)
from bot.slack.draw.words.phrases import (
    FOUND_BY_ID,
    NAMES_OF_PAIRINGS,
    NOT_ALL_LISTED,
    PRESS_THE_ONE,
    linked,
    problem_words,
)
from bot.slack.draw.words.sites import count_of, whole_names
from bot.slack.draw.words.states import STATES

SHOWN_MOST = 40
"""Pairings in one list. The form can search among more of them."""

Holders = Mapping[Hashable, Request]
"""The open request of a pairing, by site and pairing id, and also by the keys of its snapshot: the
other site lists the same pairing too."""


def holders(opened: Sequence[Request]) -> Holders:
    found: dict[Hashable, Request] = {}
    for request in opened:
        if request.pairing_id is not None:
            found[request.site, id_key(request.pairing_id)] = request
        if request.snapshot is not None:
            found |= dict.fromkeys(keys_of(request.snapshot), request)
    return found


def holder_of(site: str, pairing: Pairing | Snapshot, among: Holders) -> Request | None:
    """The open request for this pairing, asked at this site or at its other end."""
    pairing_id = pairing.id if isinstance(pairing, Pairing) else pairing.pairing_id
    own = among.get((site, id_key(pairing_id)))
    others = (among[key] for key in keys_of(pairing) if key in among)
    return own or next((other for other in others if other.site != site), None)


CardOf = Callable[[Request], str | None]
"""The address of a request's card, where it has one."""

Ends = Mapping[tuple[str, str], tuple[str, ...]]
"""The other sites that list the same pairing, by site and pairing id."""


def sites(
    read: Sequence[PairingsListed | SiteUnread],
    holders: Holders,
    command: str,
    card_of: CardOf = lambda _: None,
) -> list[list[str]]:
    """The lines of each appliance: first one about itself, then one for each of its pairings."""
    several = len(read) > 1
    ends = other_ends([each for each in read if isinstance(each, PairingsListed)])
    return [
        _listed(each, holders, ends, command, card_of, several=several)
        if isinstance(each, PairingsListed)
        else _unread(each)
        for each in read
    ]


def _unread(each: SiteUnread) -> list[str]:
    return [
        f"⚠️ The pairings of {code(each.site)} could not be read.",
        *problem_words(each.failed.problem, VENDOR_WORDS_IN_TEXT),
        _again(each.failed.problem),
    ]


def _listed(
    each: PairingsListed,
    holders: Holders,
    ends: Ends,
    command: str,
    card_of: CardOf,
    *,
    several: bool,
) -> list[str]:
    at = f" on {code(each.site)}" if several else ""
    head = f"*{count_of(len(each.pairings), 'pairing')}*{at}, read {when(each.read_at)}"
    pairings = sorted(each.pairings, key=_place)
    lines = [
        _pairing(each.site, item, holders, ends.get((each.site, item.pairing.id), ()), card_of)
        for item in pairings
    ]
    left = len(lines) - SHOWN_MOST
    more = [f"and {left:,} more: {code(command)} searches among all of them"] if left > 0 else []
    # Each only once: a remote site that is away is reported for each of its pairings.
    partial = dict.fromkeys(each.partial)
    gaps = [f"⚠️ This list may not be complete: {line(words)}" for words in partial]
    return [head, *lines[:SHOWN_MOST], *more, *gaps]


def _place(item: ListedPairing) -> tuple[bool, int, str]:
    """Sorts what is not in order first: that is what people look for, and a long list is cut."""
    found = item.pairing
    return found.of_itself, {"🔴": 0, "🟡": 1}.get(_mark(found), 2), found.title


def _pairing(
    site: str, item: ListedPairing, holders: Holders, also_at: tuple[str, ...], card_of: CardOf
) -> str:
    found = item.pairing
    parts = [f"{_mark(found)} *{code(found.title, TITLE)}*", code(found.id, ID)]
    if found.of_itself:
        parts.append("a site paired with itself, never broken by this bot")
    parts += _health(found)
    if item.replications is not None:
        parts.append(count_of(item.replications, "replication"))
    elif item.uncounted:
        parts.append("replications not read")
    if also_at:
        named = ", ".join(code(other, NAME) for other in also_at)
        parts.append(f"the same pairing as seen from {named}")
    holder = holder_of(site, found, holders)
    if holder is not None:
        at = f" at {code(holder.site, NAME)}" if holder.site != site else ""
        held = f"open request {code(holder.id, ID)}{at} {STATES[holder.state].phrase}"
        parts.append(linked(held, holder.id, card_of(holder)))
    return " · ".join(parts)


def _servers(found: Pairing) -> list[tuple[str, Server]]:
    return [
        ("local vCenter", found.local_vc),
        ("remote vCenter", found.remote_vc),
        ("local replication server", found.local_vrms),
        ("remote replication server", found.remote_vrms),
    ]


def _mark(found: Pairing) -> str:
    if found.of_itself:
        return "⚪"
    told = [server.status for _, server in _servers(found) if server.status]
    if not told:
        return "❔"
    if "ERROR" in told:
        return "🔴"
    return "🟢" if all(status == "OK" for status in told) else "🟡"


def _health(found: Pairing) -> list[str]:
    """Each server that is not in order (vendor OpenAPI, ServerInfo)."""
    told = [(name, server) for name, server in _servers(found) if server.status]
    if not told:
        return ["health not told"]
    return [
        f"{name} {code(server.title, NAME)}: {code(server.status or '', NAME)}"
        for name, server in told
        if server.status != "OK"
    ]


def unresolved(site: str, asked: str, found: PairingUnresolved, command: str) -> str:
    """Why there is nothing to preview, and which pairings were close."""
    typed = code(asked, PAIRING_TYPED)
    title = {
        "none": f"There is no pairing {typed}.",
        "several": f"More than one pairing matches {typed}.",
        "self": f"{typed} pairs a site with itself, and is never broken by this bot.",
        "partial": f"It cannot be told which pairing {typed} is. {NOT_ALL_LISTED}",
        "unread": f"It cannot be told which pairing {typed} is.",
        "no_site": f"There is no appliance {code(site, NAME)} here any more.",
    }[found.why]
    if found.unread:
        away = ", ".join(code(name, NAME) for name in found.unread)
        step = f"*Next:* try again in a minute, or type {code(f'{command} preview SITE/PAIRING')}."
        return "\n".join([title, f"These appliances could not be read: {away}.", step])
    by_id = f"type {code(f'{command} preview ID')}: {FOUND_BY_ID}."
    if found.near:
        hint = [NAMES_OF_PAIRINGS] if found.why == "none" else [f"Or {by_id}"]
        step = f"*Next:* {PRESS_THE_ONE} {code(f'{command} list')} shows them all."
        return "\n".join([title, *hint, step])
    shown = [f"• {code(each, PAIRING_TYPED)}" for each in found.candidates[:CANDIDATES_SHOWN]]
    left = len(found.candidates) - len(shown)
    shown += [f"• and {count_of(left, 'other')}"] if left > 0 else []
    step = f"*Next:* {code(f'{command} list')} shows them all; an id is never ambiguous."
    if found.why == "partial":
        step = f"*Next:* {by_id}"
    return "\n".join([title, *shown, step])


def not_previewed(asked: str, failed: CallFailed) -> str:
    problem = failed.problem
    return "\n".join(
        [
            f"{code(asked, PAIRING_TYPED)} could not be read.",
            *problem_words(problem, VENDOR_WORDS_IN_TEXT),
            _again(problem),
        ]
    )


def _again(problem: Problem) -> str:
    if problem.kind is ProblemKind.OVER_BUDGET:
        # The sentence before it names the seconds to wait. A time of day has no seconds here, so it
        # would be over already when it is read.
        return "*Next:* try again then."
    again = f"after {when(problem.retry_at)}" if problem.retry_at is not None else "in a minute"
    return f"*Next:* try again {again}; if it stays, have `vr-unpair check` run."


# ---- preview ---------------------------------------------------------------------------------
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
