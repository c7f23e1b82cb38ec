"""Lookups that bring what a test has set, and the pairings that they bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bot.request.events import CallFailed, PairingUnresolved
from bot.request.lookup_results import (
    Home,
    HomeRead,
    ListedPairing,
    LookFailed,
    MayNotLook,
    PairingsListed,
    PreviewRead,
    SitesRead,
    SiteUnread,
)
from bot.request.pairing import Pairing, Server
from bot.request.problem import Problem, ProblemKind

READ_AT = 1_700_000_000_000


def pairing(number: int = 1, *, remote: str = "prague", status: str | None = "OK") -> Pairing:
    return Pairing(
        id=f"{number:08d}-0000-0000-0000-000000000000",
        local_vc=Server(id="vc-berlin", name="berlin", status="OK"),
        remote_vc=Server(id=f"vc-{remote}", name=remote, status="OK"),
        local_vrms=Server(id="vr-berlin", name="vr-berlin", status="OK"),
        remote_vrms=Server(id=f"vr-{remote}", name=f"vr-{remote}", status=status),
    )


def itself(number: int = 9) -> Pairing:
    same = Server(id="vc-berlin", name="berlin")
    return pairing(number).model_copy(update={"remote_vc": same})


def listed(*pairings: Pairing, site: str = "default", **more: object) -> PairingsListed:
    items = tuple(ListedPairing(pairing=each) for each in pairings)
    return PairingsListed.model_validate(
        {"site": site, "pairings": items, "read_at": READ_AT, **more}
    )


def unread(site: str = "default", kind: ProblemKind = ProblemKind.UNSENT) -> SiteUnread:
    problem = Problem(kind=kind, text="no connection to vr.local <b>")
    return SiteUnread(site=site, failed=CallFailed(problem=problem))


class FakeLookups:
    """Gives what is set, at once and in the thread of whoever asks; `full` takes nothing.
    `asked` remembers what was looked up, by whom."""

    def __init__(self) -> None:
        self.sites: dict[str, PairingsListed | SiteUnread] = {}
        self.read: PreviewRead = PairingUnresolved(why="none")
        self.refusal: MayNotLook | LookFailed | None = None
        self.in_memory: dict[str, PairingsListed] = {}
        self.full = False
        self.asked: list[tuple[object, ...]] = []
        self.homes: dict[str, HomeRead] = {}

    def preview(self, site: str, typed: str, by: str, then: Callable[[PreviewRead], None]) -> bool:
        return self._take(("preview", site, typed, by), then, lambda: self.read)

    def pairings(
        self,
        sites: Sequence[str],
        by: str,
        then: Callable[[SitesRead], None],
        *,
        counted: bool = False,
        fresh_s: float = 0,
    ) -> bool:
        asked = ("pairings", tuple(sites), by, counted)
        return self._take(asked, then, lambda: tuple(self.sites[site] for site in sites))

    def stored(self, by: str, read: Callable[[], Any], then: Callable[[Any], None]) -> bool:
        return self._take(("stored", by), then, read)

    def home(self, by: str, then: Callable[[HomeRead], None]) -> bool:
        return self._take(("home", by), then, lambda: self.homes.get(by, Home()))

    def known(self, site: str, *, within_s: float) -> PairingsListed | None:
        return self.in_memory.get(site)

    def _take(
        self, asked: tuple[object, ...], then: Callable[[Any], None], found: Callable[[], Any]
    ) -> bool:
        if not self.full:
            self.asked.append(asked)
            then(self.refusal or found())
        return not self.full
