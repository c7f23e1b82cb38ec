"""Pairings as the options of a menu: their names, and which of them fit what was typed.

Lengths and numbers: Slack docs, option object (text and description 75, value 150) and select menu
(100 options).
"""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.models.blocks import Option, PlainTextObject

from bot.request import Frozen
from bot.request.lookups import PairingsListed, other_ends
from bot.request.pairing import Pairing
from bot.slack.draw.markup import plain, units

MOST = 100
TEXT = 75
VALUE = 150
ID_IN_TEXT = 8

NOT_READ = "-"
"""The value of the option that says "not read yet". No pairing has it."""


class Choice(Frozen):
    """One pairing that can be asked for. `value` is what one would type as PAIRING."""

    site: str
    pairing: Pairing
    value: str
    with_site: bool
    also_at: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its two sites, and the beginning of its id in case they have several pairings."""
        before = f"{self.site}: " if self.with_site else ""
        after = f" · {plain(self.pairing.id[:ID_IN_TEXT], ID_IN_TEXT * 2)}"
        return plain(f"{before}{self.pairing.title}", TEXT - units(after)) + after

    @property
    def description(self) -> str:
        """The whole id, and which other sites list this pairing."""
        end = f" · also {', '.join(self.also_at)}" if self.also_at else ""
        return plain(f"{self.pairing.id}{end}", TEXT)

    @property
    def searched(self) -> str:
        p = self.pairing
        servers = (p.local_vc, p.remote_vc, p.local_vrms, p.remote_vrms)
        names = [server.name or "" for server in servers]
        return " ".join([self.site, p.id, *names]).casefold()


def choices(listed: Sequence[PairingsListed], *, several_sites: bool) -> list[Choice]:
    """All pairings that can be asked for, sorted by name. A site paired with itself cannot, and an
    id that is too long for Slack has to be typed."""
    ends = other_ends(listed) if several_sites else {}
    made = [
        Choice(
            site=each.site,
            pairing=item.pairing,
            value=f"{each.site}/{item.pairing.id}" if several_sites else item.pairing.id,
            with_site=several_sites,
            also_at=ends.get((each.site, item.pairing.id), ()),
        )
        for each in listed
        for item in each.pairings
        if not item.pairing.of_itself
    ]
    fitting = [c for c in made if units(c.value) <= VALUE]
    return sorted(fitting, key=lambda c: (c.site, c.pairing.title.casefold(), c.pairing.id))


def found(among: Sequence[Choice], typed: str) -> list[Choice]:
    """Those that have every typed word in one of their names or in the id."""
    words = typed.casefold().split()
    return [c for c in among if all(word in c.searched for word in words)]


def option(choice: Choice) -> Option:
    return Option(
        text=PlainTextObject(text=choice.label, emoji=False),
        value=choice.value,
        description=PlainTextObject(text=choice.description, emoji=False),
    )


def not_read_option(words: str) -> Option:
    """Shown if there is no list yet. An empty list would say that there are no pairings."""
    return Option(text=PlainTextObject(text=plain(words, TEXT), emoji=False), value=NOT_READ)
