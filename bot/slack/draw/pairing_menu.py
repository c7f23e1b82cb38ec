"""Pairings to choose from: the options of the form's menu, which of them fit what was typed, and
the buttons for those that may have been meant."""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.models.blocks import ActionsBlock, Block, Option, PlainTextObject

from bot.request import Frozen
from bot.request.lookup_results import PairingsListed, other_ends
from bot.request.pairing import SHORT_ID, Near, Pairing
from bot.slack.draw.ids import UNPAIR_SUGGEST, Suggestion
from bot.slack.draw.limits import BUTTON_VALUE, OPTION_TEXT, OPTION_VALUE
from bot.slack.draw.markup import button, plain, units

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
    def option(self) -> Option:
        """Its sites; below them the whole id, and which other sites list this pairing."""
        end = f" · also {', '.join(self.also_at)}" if self.also_at else ""
        about = plain(f"{self.pairing.id}{end}", OPTION_TEXT)
        site = self.site if self.with_site else None
        return Option(
            text=PlainTextObject(
                text=_label(self.pairing.title, self.pairing.id, site), emoji=False
            ),
            value=self.value,
            description=PlainTextObject(text=about, emoji=False),
        )

    @property
    def searched(self) -> str:
        p = self.pairing
        servers = (p.local_vc, p.remote_vc, p.local_vrms, p.remote_vrms)
        return " ".join([self.site, p.id, *(each.name or "" for each in servers)]).casefold()


def _label(title: str, pairing_id: str, site: str | None) -> str:
    """The two sites, and the beginning of the id in case they have several pairings."""
    after = f" · {plain(pairing_id[:SHORT_ID], SHORT_ID * 2)}"
    named = f"{site}: {title}" if site else title
    return plain(named, OPTION_TEXT - units(after)) + after


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
    fitting = [c for c in made if units(c.value) <= OPTION_VALUE]
    return sorted(fitting, key=lambda c: (c.site, c.pairing.title.casefold(), c.pairing.id))


def matching(among: Sequence[Choice], typed: str) -> list[Choice]:
    """Those that have every typed word in one of their names or in the id."""
    words = typed.casefold().split()
    return [c for c in among if all(word in c.searched for word in words)]


def not_read_option() -> Option:
    """Shown if there is no list yet. An empty list would say that there are no pairings."""
    words = "The pairings are being read. Type again in a moment."
    return Option(text=PlainTextObject(text=words, emoji=False), value=NOT_READ)


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
