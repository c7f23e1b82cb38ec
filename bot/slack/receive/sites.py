"""Which appliance is meant by what was typed or chosen."""

from __future__ import annotations

from bot.request.model import ANY_SITE
from bot.slack.draw import sentences


def site_and_pairing(typed: str, sites: tuple[str, ...], command: str) -> tuple[str, str] | str:
    """Site and pairing from `SITE/PAIRING`, or a sentence that says what is wrong. With a single
    appliance its name is optional, and any other slash belongs to the pairing. With several, a
    pairing without a site is looked for at all of them."""
    name, slash, rest = typed.partition("/")
    named = next((s for s in sites if s.casefold() == name.strip().casefold()), None)
    if slash and named is not None and rest.strip():
        return named, rest.strip()
    if len(sites) == 1:
        return sites[0], typed
    if slash and named is not None:
        return sentences.pairing_missing(command, named)
    if slash:
        return sentences.unknown_site(name, sites)
    return ANY_SITE, typed
