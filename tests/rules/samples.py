"""Plain values for tests of the core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.request.absorb import absorb
from bot.request.audit_chain import Running
from bot.request.events import (
    Asked,
    CardPosted,
    Clicked,
    Event,
    IntentStored,
    PairingRead,
    RightsToAskRead,
    Stored,
    TimePassed,
)
from bot.request.model import Request
from bot.request.new_request import begin
from bot.request.plan import ReadPairing, ReadRights, SendDelete, Tick, Wait, plan
from bot.request.pools import ALL
from bot.request.who_may import Reason, Verdict
from tests.support.world import ASKER, CHANNEL, PAIRING, TEAM, policy, snapshot


def asked(requester: str = ASKER) -> Asked:
    return Asked(
        site="default",
        pairing=PAIRING,
        force=False,
        reason="moving",
        requester=requester,
        team=TEAM,
        channel=CHANNEL,
    )


YES = Verdict(reason=Reason.YES, pools={ALL: "U0A"})
CARDED = CardPosted(ts="1.0")


def happens(request: Request, what: Event, *, number: int = 0, at: int = 0) -> Request:
    return absorb(request, Stored(number=number, at=at, event=what), at).request


Reads = Callable[[Request, ReadRights], Event]


def drive(request: Request, at: int, read_rights: Reads) -> Request:
    """What the worker does, until there is nothing to do at this moment or the intent is stored."""
    for _ in range(60):
        match plan(request, at):
            case Wait():
                return request
            case Tick():
                request = happens(request, TimePassed(), at=at)
            case ReadRights() as effect:
                request = happens(request, read_rights(request, effect), at=at)
            case ReadPairing():
                request = happens(request, PairingRead(snapshot=snapshot()), at=at)
            case SendDelete():
                return happens(request, IntentStored(), at=at)
            case other:
                raise AssertionError(f"not expected: {other!r}")
    raise AssertionError("it never comes to rest")


def pending(carded: Event = CARDED, needed: int = 1, **terms: object) -> Request:
    """`carded`: what became of its card; by default it stands, and decisions are awaited."""
    plain = policy(remind_after_ms=0, approvals_required=needed)
    made = plain.terms("default", force=False).model_copy(update=terms)
    request = begin(Stored(number=1, at=0, event=asked()), "AAAA-BBBB", made, 0).request
    for what in (
        RightsToAskRead(requester=YES, channel_allowed=True),
        PairingRead(snapshot=snapshot()),
        carded,
    ):
        request = happens(request, what)
    return request


def clicked(request: Request, action: str, by: str, **changes: object) -> Clicked:
    """On the card of `pending`."""
    plain = {
        "action": action,
        "by": by,
        "team": None,
        "fingerprint": request.fingerprint or "",
        "channel": CHANNEL,
        "message_ts": CARDED.ts,
        "ours": True,
    }
    return Clicked.model_validate({**plain, **changes})


def running(**changes: Any) -> Running:
    """One start; `changes` are of its policy."""
    usual = {"approvers": frozenset({"U2", "U1", "S1"}), "dry_run": True, "label": "production"}
    made = policy(**{**usual, **changes})
    return Running(version="1.2.3", mode="http", command="/vr-unpair", policy=made)
