"""Finds pairings: the one that somebody typed, and the list of each appliance.

Of several appliances all are asked at once, each in a thread of its own, until a deadline: one that
is away costs whoever waits a few seconds. The latest lists are kept in memory only. They decide
nothing: what somebody picks is read again from the appliance when it is checked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from bot.request.events import CallFailed, PairingRead
from bot.request.lookup_results import PairingsListed, SiteUnread
from bot.request.model import ANY_SITE
from bot.request.pairing import PairingUnresolved, looks_like_id, nearest
from bot.request.plan import AppliancePort
from bot.request.problem import Problem, ProblemKind
from bot.request.who_may import Policy
from bot.steady_clock import steady_seconds

SECONDS = 5.0
"""For one of several. The vendor names no figure; a list of pairings takes a fraction of it."""

GRACE_SECONDS = 0.5
"""On top, for a thread that is about to bring its answer: calls keep their own deadline."""

COUNTED_MOST = 4
"""Each count is a call, and people's lookups may use only a part of an appliance's calls."""

Answer = TypeVar("Answer")


def at_once(
    calls: Mapping[str, Callable[[float], Answer | CallFailed]],
    by: float,
    *,
    seconds: float = SECONDS,
    monotonic: Callable[[], float] = steady_seconds,
) -> dict[str, Answer | CallFailed]:
    """What each site answers. Each call is given the monotonic second by which to end: `by`, or
    `seconds` from now; its thread may end that late. Raises what a call raised."""
    by = min(by, monotonic() + seconds)
    answers: dict[str, Answer | CallFailed] = {}
    errors: list[Exception] = []

    def run(site: str, call: Callable[[float], Answer | CallFailed]) -> None:
        try:
            answers[site] = call(by)
        except Exception as error:
            errors.append(error)

    threads = [
        threading.Thread(target=run, args=(site, call), name=f"ask-{site}", daemon=True)
        for site, call in calls.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, by + GRACE_SECONDS - monotonic()))
    if errors:
        raise errors[0]
    text = f"no answer within {seconds:g} seconds, and no longer waited for"
    too_slow = CallFailed(problem=Problem(kind=ProblemKind.UNANSWERED, text=text))
    return {site: answers.get(site, too_slow) for site in calls}


def find(
    site: str,
    asked: str,
    appliances: Mapping[str, AppliancePort],
    policy: Policy,
    lists: Lists,
    by: float,
) -> PairingRead | PairingUnresolved | CallFailed:
    """The pairing that somebody typed, and where it is. `site` may be ANY_SITE."""
    found: PairingRead | PairingUnresolved | CallFailed
    if site == ANY_SITE:
        found = search(asked, appliances, by, monotonic=lists.monotonic)
    elif site in appliances:
        found = appliances[site].find_and_read(asked, by)
    else:
        found = PairingUnresolved(why="no_site")
    if not isinstance(found, PairingRead):
        return found
    # If it was asked before a restart, the row may name an appliance that is not there now.
    at = found.found_at or site
    return found.model_copy(update={"found_at": at, "site_terms": policy.sites[at]})


def search(
    asked: str,
    appliances: Mapping[str, AppliancePort],
    by: float,
    *,
    monotonic: Callable[[], float] = steady_seconds,
) -> PairingRead | PairingUnresolved:
    """The pairing that somebody typed without naming an appliance, and where it is, if exactly one
    fits.

    An id names one pairing, so it may be found while another appliance is away. A name may fit at
    that one too, or a pairing that is missing from a partial list. Then nobody can tell, and
    whoever asks has to name the appliance or the id.
    """
    calls = {site: partial(each.find_and_read, asked) for site, each in appliances.items()}
    read = at_once(calls, by, monotonic=monotonic)
    hits = {site: each for site, each in read.items() if isinstance(each, PairingRead)}
    others = {site: each for site, each in read.items() if isinstance(each, PairingUnresolved)}
    unread = tuple(site for site, each in read.items() if isinstance(each, CallFailed))
    why = {each.why for each in others.values()}
    near = nearest(
        asked,
        [n.model_copy(update={"site": site}) for site, each in others.items() for n in each.near],
    )
    if len(hits) > 1 or "several" in why:
        return PairingUnresolved(why="several", candidates=_titles(hits, others, "several"))
    if hits and (not (unread or "partial" in why) or looks_like_id(asked)):
        (site, hit) = next(iter(hits.items()))
        return hit.model_copy(update={"found_at": site})
    if unread:
        return PairingUnresolved(why="unread", unread=unread)
    if "partial" in why:
        candidates = _titles(hits, others, "partial")
        return PairingUnresolved(why="partial", candidates=candidates, near=near)
    if "self" in why:
        return PairingUnresolved(why="self", candidates=_titles({}, others, "self"))
    return PairingUnresolved(why="none", near=near)


def _titles(
    hits: Mapping[str, PairingRead], others: Mapping[str, PairingUnresolved], why: str
) -> tuple[str, ...]:
    """As they can be typed: `SITE/ID`, with the two vCenters behind it."""
    found = [f"{site}/{hit.snapshot.id} ({hit.snapshot.title})" for site, hit in hits.items()]
    found += [
        f"{site}/{title}"
        for site, each in others.items()
        if each.why == why
        for title in each.candidates
    ]
    return tuple(found)


@dataclass
class Lists:
    """The pairings of each appliance, read at the priority of lookups, and the latest list of each.
    Threads share it. `now` is in ms."""

    appliances: Mapping[str, AppliancePort]
    now: Callable[[], int]
    monotonic: Callable[[], float] = steady_seconds
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _latest: dict[str, tuple[float, PairingsListed]] = field(default_factory=dict)

    def known(self, site: str, *, within_s: float) -> PairingsListed | None:
        """The latest list, or None if there is none or it is older than `within_s`."""
        with self._lock:
            at, listed = self._latest.get(site, (0.0, None))
        return listed if listed and self.monotonic() - at <= within_s else None

    def read(
        self,
        sites: Sequence[str],
        by: float,
        *,
        counted: bool = False,
        fresh_s: float = 0,
    ) -> tuple[PairingsListed | SiteUnread, ...]:
        """In the order of `sites`; `counted` with their replications. A list that is not older than
        `fresh_s` is returned again. If there is only one appliance it has until `by`, since no
        other's list waits for it."""
        known = {site: self.known(site, within_s=fresh_s) for site in sites if fresh_s}
        found = {site: listed for site, listed in known.items() if listed}
        calls = {site: self._call(site, counted) for site in sites if site not in found}
        if len(self.appliances) == 1:
            read = {site: call(by) for site, call in calls.items()}
        else:
            read = at_once(calls, by, monotonic=self.monotonic)
        told = {
            site: SiteUnread(site=site, failed=each) if isinstance(each, CallFailed) else each
            for site, each in read.items()
        }
        return tuple(found.get(site) or told[site] for site in sites)

    def _call(self, site: str, counted: bool) -> Callable[[float], PairingsListed | CallFailed]:
        most = COUNTED_MOST if counted else 0

        def call(by: float) -> PairingsListed | CallFailed:
            found = self.appliances[site].list_pairings(by, count_at_most=most)
            if isinstance(found, CallFailed):
                return found
            pairings, partial = found
            listed = PairingsListed(
                site=site, pairings=pairings, partial=partial, read_at=self.now()
            )
            with self._lock:
                self._latest[site] = (self.monotonic(), listed)
            return listed

        return call
