"""Which appliance is meant by what was typed or chosen."""

from __future__ import annotations

from bot.slack import sentences


def site_and_pairing(typed: str, sites: tuple[str, ...], command: str) -> tuple[str, str] | str:
    """Which appliance is meant, by `SITE/PAIRING`, or a sentence. With one appliance its name may
    stand there, and any other slash belongs to the pairing."""
    name, slash, rest = typed.partition("/")
    named = next((s for s in sites if s.casefold() == name.strip().casefold()), None)
    if slash and named is not None and rest.strip():
        return named, rest.strip()
    if len(sites) == 1:
        return sites[0], typed
    if slash:
        return sentences.unknown_site(name, sites)
    return sentences.site_missing(command, sites)
