"""Pairings as the one person who looks reads them: `list`, and `preview`, drawn like a card without
buttons; and to choose from: the options of the form's menu, which of them fit what was typed, and
the buttons for those that may have been meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from slack_sdk.models.blocks import ActionsBlock, Block, Option

from bot.request.events import CallFailed
from bot.request.lookup_results import ListedPairing, PairingsListed, SiteUnread, holder_of
from bot.request.messages import Drawn
from bot.request.model import Request
from bot.request.pairing import (
    SHORT_ID,
    Near,
    Pairing,
    PairingUnresolved,
    Server,
    Snapshot,
    same_keys,
)
from bot.request.who_may import Policy
from bot.slack.draw import limits
from bot.slack.draw.card import heading, said
from bot.slack.draw.card_buttons import earlier_card, linked
from bot.slack.draw.ids import UNPAIR_SUGGEST, Suggestion
from bot.slack.draw.limits import BUTTON_VALUE, OPTION_TEXT, OPTION_VALUE
from bot.slack.draw.markup import (
    button,
    code,
    context,
    drawn,
    fits,
    header,
    plain,
    plain_text,
    section,
    units,
    when,
)
from bot.slack.draw.words.check_refused import not_found
from bot.slack.draw.words.pairing_names import count_of
from bot.slack.draw.words.phrases import STATES, problem_words


class _Site(NamedTuple):
    """The lines of one appliance: the first about itself, one for each of its pairings, and what
    comes last. `number`: how many pairings it has."""

    first: str
    pairings: list[str]
    number: int
    last: list[str]


def pairings_list(
    read: Sequence[PairingsListed | SiteUnread],
    opened: Sequence[Request],
    command: str,
    workspace_url: str | None = None,
) -> Drawn:
    """Of several appliances each has as many lines as leave room for all: a message that Slack
    refuses is read by nobody."""
    listed = [each for each in read if isinstance(each, PairingsListed)]
    seen_at: dict[str, list[str]] = {}
    for each in listed:
        for item in each.pairings:
            for key in same_keys(item.pairing):
                seen_at.setdefault(key, []).append(each.site)
    sites = [_site(each, len(read) > 1, opened, seen_at, workspace_url) for each in read]
    for most in range(limits.PAIRINGS_LISTED, -1, -1):
        blocks = [block for site in sites for block in _sections(site, most, command)]
        if fits(blocks):
            break
    return drawn(*blocks)


def _sections(site: _Site, most: int, command: str) -> list[Block]:
    left = site.number - len(site.pairings[:most])
    more = [f"and {left:,} more: {code(command)} searches among all of them"] if left else []
    lines, size = [site.first, *site.pairings[:most], *more, *site.last], limits.LINES_IN_SECTION
    return [section("\n".join(lines[n : n + size])) for n in range(0, len(lines), size)]


def _site(
    read: PairingsListed | SiteUnread,
    several: bool,
    opened: Sequence[Request],
    seen_at: Mapping[str, Sequence[str]],
    workspace_url: str | None,
) -> _Site:
    if isinstance(read, SiteUnread):
        first, *last = _unread(f"⚠️ The pairings of {code(read.site)}", read.failed)
        return _Site(first, [], 0, last)
    at = f" on {code(read.site)}" if several else ""
    lines = [
        _pairing(read.site, item, opened, seen_at, workspace_url)
        for item in sorted(read.pairings, key=_place)[: limits.PAIRINGS_LISTED]
    ]
    number = len(read.pairings)
    first = f"*{count_of(number, 'pairing')}*{at}, read {when(read.read_at)}"
    # Each only once: a remote site that is away is reported for each of its pairings.
    last = [
        f"⚠️ This list may not be complete: {code(words, limits.LINE)}"
        for words in dict.fromkeys(read.partial)
    ]
    return _Site(first, lines, number, last)


def _place(item: ListedPairing) -> tuple[bool, int, str]:
    """Sorts what is not in order first: that is what people look for, and a long list is cut."""
    found = item.pairing
    return found.of_itself, {"🔴": 0, "🟡": 1}.get(_mark(found), 2), found.title


def _pairing(
    site: str,
    item: ListedPairing,
    opened: Sequence[Request],
    seen_at: Mapping[str, Sequence[str]],
    workspace_url: str | None,
) -> str:
    """`seen_at`: the appliances that list a pairing, by each of its `same_keys`."""
    found = item.pairing
    parts = [f"{_mark(found)} *{code(found.title, limits.TITLE)}*", code(found.id, limits.ID)]
    if found.of_itself:
        parts.append("a site paired with itself, never broken by this bot")
    told = [(role, server) for role, server in _servers(found) if server.status]
    parts += [] if told else ["health not told"]
    parts += [
        f"{role} {code(server.title, limits.NAME)}: {code(server.status or '', limits.NAME)}"
        for role, server in told
        if server.status != "OK"
    ]
    if item.replications is not None:
        parts.append(count_of(item.replications, "replication"))
    elif item.uncounted:
        parts.append("replications not read")
    seen = dict.fromkeys(one for key in same_keys(found) for one in seen_at[key])
    other_ends = [code(one, limits.NAME) for one in seen if one != site]
    if other_ends:
        parts.append(f"the same pairing as seen from {', '.join(other_ends)}")
    holder = holder_of(site, found, opened)
    if holder is not None:
        at = f" at {code(holder.site, limits.NAME)}" if holder.site != site else ""
        held = f"open request {code(holder.id, limits.ID)}{at} {STATES[holder.state].phrase}"
        parts.append(linked(held, holder, workspace_url))
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


def unresolved(site: str, asked: str, found: PairingUnresolved, *, several: bool) -> str:
    """Why there is nothing to preview."""
    some = found.unread or found.candidates
    end = not_found(found.why, asked, site, some, near=bool(found.near), several=several)
    return "\n".join([end.title, *end.body, f"*Next:* {end.next_step}"])


def not_previewed(asked: str, failed: CallFailed) -> str:
    return "\n".join(_unread(code(asked, limits.PAIRING_TYPED), failed))


def _unread(what: str, failed: CallFailed) -> list[str]:
    at = failed.problem.retry_at
    again = f"after {when(at)}" if at is not None else "in a minute"
    return [
        f"{what} could not be read.",
        *problem_words(failed.problem, limits.VENDOR_WORDS_IN_ANSWER),
        f"*Next:* try again {again}; if it stays, have `vr-unpair check` run.",
    ]


# ---- preview ---------------------------------------------------------------------------------
HEADER = "👁️ Preview: what a card would show"


def preview(
    snapshot: Snapshot,
    *,
    site: str,
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
    `unclear` the latest one whose outcome is or was unknown."""
    # Nobody is mentioned: only one person sees this, whom mentions would only confuse.
    terms = policy.terms(site, force=force).model_copy(update={"notify": ()})
    as_if = Request(
        id="PREVIEW",
        site=site,
        asked=snapshot.id,
        force=force,
        reason="",
        requester=by,
        channel=channel,
        terms=terms,
        asked_by_event=0,
        created_at=snapshot.read_at,
        updated_at=snapshot.read_at,
        snapshot=snapshot,
        earlier_attention=unclear.id if unclear else None,
        earlier_settled=unclear.settled if unclear else None,
    )
    named = f"{site}/{snapshot.id}" if len(policy.sites) > 1 else snapshot.id
    typed = f"{command} {named}{' --force' if force else ''} reason"
    small = [
        code(snapshot.title, limits.TITLE),
        f"pairing id {code(snapshot.id, limits.ID)}",
        f"read {when(snapshot.read_at)}",
        f"to ask for it: {code(typed, limits.SENTENCE)}",
    ]
    first, last = "Only you see this, and nobody was asked.", " · ".join(small)
    if holder is not None:
        at = f" at {code(holder.site, limits.NAME)}" if holder.site != site else ""
        held = (
            f"{first}\n⚠️ {code(holder.id, limits.ID)}{at} {STATES[holder.state].phrase}: while "
            "that is so, another request for this pairing is refused."
        )
        first = linked(held, holder, workspace_url)
    parts = said(as_if, earlier_card(unclear, command, workspace_url) if unclear else "")
    return drawn(
        header(HEADER),
        section(first),
        header(heading(as_if)),
        *(section(each) for each in parts),
        context(last),
    )


# ---- to choose from ----------------------------------------------------------------------------
NOT_READ = "-"
"""The value of the option that says "not read yet". No pairing has it."""


class Choice(NamedTuple):
    """One pairing that can be asked for. The option's value is what one would type as PAIRING."""

    site: str
    option: Option
    searched: str


def _label(title: str, pairing_id: str, site: str | None) -> str:
    """The two sites, and the beginning of the id in case they have several pairings."""
    after = f" · {plain(pairing_id[:SHORT_ID], SHORT_ID * 2)}"
    named = f"{site}: {title}" if site else title
    return plain(named, OPTION_TEXT - units(after)) + after


def choices(listed: Sequence[PairingsListed], *, several_sites: bool) -> list[Choice]:
    """All pairings that can be asked for, sorted by name. A site paired with itself cannot, and an
    id that is too long for Slack has to be typed. Below the name stands the whole id."""
    made = []
    for each in listed:
        for found in (item.pairing for item in each.pairings):
            value = f"{each.site}/{found.id}" if several_sites else found.id
            if found.of_itself or units(value) > OPTION_VALUE:
                continue
            label = _label(found.title, found.id, each.site if several_sites else None)
            option = Option(
                text=plain_text(label),
                value=value,
                description=plain_text(plain(found.id, OPTION_TEXT)),
            )
            names = (server.name or "" for _, server in _servers(found))
            searched = " ".join([each.site, found.id, *names]).casefold()
            order = each.site, found.title.casefold(), found.id
            made.append((order, Choice(each.site, option, searched)))
    return [choice for _, choice in sorted(made, key=lambda one: one[0])]


def matching(among: Sequence[Choice], typed: str) -> list[Choice]:
    """Those that have every typed word in one of their names or in the id."""
    words = typed.casefold().split()
    return [c for c in among if all(word in c.searched for word in words)]


def not_read_option() -> Option:
    """Shown if there is no list yet. An empty list would say that there are no pairings."""
    words = "The pairings are being read. Type again in a moment."
    return Option(text=plain_text(words), value=NOT_READ)


def suggestions(
    near: Sequence[Near], site: str | None, *, force: bool, refused: str | None = None
) -> Block | None:
    """A button for each pairing that may have been meant: it opens the form, filled in. `site` was
    asked, where there are several appliances."""
    found = []
    for number, each in enumerate(near):
        at = each.site or site
        named = f"{at}/{each.pairing_id}" if at else each.pairing_id
        value = Suggestion(pairing=named, force=force, refused=refused).pack()
        if units(named) <= OPTION_VALUE and units(value) <= BUTTON_VALUE:  # else it must be typed
            label = _label(each.title, each.pairing_id, at)
            found.append(button(label, f"{UNPAIR_SUGGEST}_{number}", value, label=label))
    return ActionsBlock(elements=found) if found else None
