"""Pairings as the lookups bring them, for tests."""

from __future__ import annotations

from bot.request.events import CallFailed
from bot.request.lookup_results import ListedPairing, PairingsListed, SiteUnread
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
