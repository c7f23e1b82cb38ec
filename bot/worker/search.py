"""Which appliance has the pairing that somebody typed without naming one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.request.events import CallFailed, PairingRead, PairingUnresolved
from bot.request.lookups import ReadingPort
from bot.request.pairing import looks_like_id
from bot.request.policy import Policy
from bot.request.ports import AppliancePort
from bot.worker.side_by_side import SideBySide

Read = PairingRead | PairingUnresolved | CallFailed


def search(
    asked: str,
    appliances: Mapping[str, AppliancePort | ReadingPort],
    policy: Policy,
    side_by_side: SideBySide,
    by: float,
) -> PairingRead | PairingUnresolved:
    """The pairing and where it is, if exactly one fits. Never waits for an appliance that is away.

    An id names one pairing, so it may be found while another appliance is away. A name may fit at
    that one too, or a pairing that is missing from a partial list. Then nobody can tell, and
    whoever asks has to name the appliance or the id.
    """
    calls = {site: _call(appliance, asked) for site, appliance in appliances.items()}
    read = side_by_side.ask(calls, by)
    hits = {site: each for site, each in read.items() if isinstance(each, PairingRead)}
    others = {site: each for site, each in read.items() if isinstance(each, PairingUnresolved)}
    unread = tuple(site for site, each in read.items() if isinstance(each, CallFailed))
    why = {each.why for each in others.values()}
    if len(hits) > 1 or "several" in why:
        return PairingUnresolved(why="several", candidates=_titles(hits, others, "several"))
    if hits and (not (unread or "partial" in why) or looks_like_id(asked)):
        (site, hit) = next(iter(hits.items()))
        return hit.model_copy(update={"place": policy.place(site)})
    if unread:
        return PairingUnresolved(why="unread", unread=unread)
    if "partial" in why:
        return PairingUnresolved(why="partial", candidates=_titles(hits, others, "partial"))
    if "self" in why:
        return PairingUnresolved(why="self", candidates=_titles({}, others, "self"))
    return PairingUnresolved(why="none", candidates=_titles({}, others, "none"))


def _call(appliance: AppliancePort | ReadingPort, asked: str) -> Callable[[float], Read]:
    return lambda by: appliance.find_and_read(asked, by)


def _titles(
    hits: Mapping[str, PairingRead], others: Mapping[str, PairingUnresolved], why: str
) -> tuple[str, ...]:
    """As they can be typed: `SITE/ID`, with the two vCenters behind it."""
    found = [
        f"{site}/{hit.snapshot.pairing_id} ({hit.snapshot.title})" for site, hit in hits.items()
    ]
    found += [
        f"{site}/{title}"
        for site, each in others.items()
        if each.why == why
        for title in each.candidates
    ]
    return tuple(found)
