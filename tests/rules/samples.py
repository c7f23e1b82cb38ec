"""Plain values for tests of the core."""

from __future__ import annotations

from typing import Any

from bot.request.absorb import absorb
from bot.request.audit_chain import Running
from bot.request.events import (
    Asked,
    CardPosted,
    Clicked,
    Event,
    PairingRead,
    RightsToAskRead,
    Stored,
)
from bot.request.model import Request, Terms
from bot.request.new_request import begin
from bot.request.pairing import Replication, Server, Snapshot, digest_of
from bot.request.who_may import Policy, Reason, SiteTerms, Verdict

CHANNEL = "C0OPS"
PAIRING = "11111111-2222-3333-4444-555555555555"


def asked(requester: str = "U0ASKER") -> Asked:
    return Asked(
        site="default",
        pairing=PAIRING,
        force=False,
        reason="moving",
        requester=requester,
        team="T",
        channel=CHANNEL,
    )


def snapshot() -> Snapshot:
    return Snapshot(
        pairing_id=PAIRING,
        local_vc=Server(id="vc-a", name="vc-berlin.example.net"),
        remote_vc=Server(id="vc-b", name="vc-prague.example.net"),
        local_vrms=Server(id="vr-a", status="OK"),
        remote_vrms=Server(id="vr-b", status="OK"),
        count=2,
        complete=True,
        replications_digest=digest_of(["1", "2"]),
        replications=(Replication(id="1", name="vm-1"), Replication(id="2", name="vm-2")),
        read_at=0,
    )


YES = Verdict(reason=Reason.YES)
CARDED = CardPosted(ts="1.0")


def happens(request: Request, what: Event, *, number: int = 0, at: int = 0) -> Request:
    return absorb(request, Stored(number=number, at=at, event=what), at).request


def pending(carded: Event = CARDED, **terms: object) -> Request:
    """`carded`: what became of its card; by default it stands, and decisions are awaited."""
    plain = {
        "approvals_required": 1,
        "approval_ttl_ms": 3_600_000,
        "execution_ttl_ms": 600_000,
        "follow_ttl_ms": 86_400_000,
        "remind_after_ms": 0,
        "poll_ms": 5_000,
        "timeout_ms": 10_000,
        "dry_run": False,
        "notify": (),
    }
    made = Terms.model_validate({**plain, **terms})
    request = begin(Stored(number=1, at=0, event=asked()), "AAAA-BBBB", made, 0).request
    for what in (
        RightsToAskRead(requester=YES, channel_allowed=True, possible_approvers=9),
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
    plain: dict[str, Any] = {
        "approvers": frozenset({"U2", "U1", "S1"}),
        "approvals_required": 2,
        "force_approvals_required": 3,
        "notify": ("S1",),
        "requesters": None,
        "channels": frozenset({"C1"}),
        "require_reason": True,
        "reason_pattern": r"CHG\d{7}",
        "approval_ttl_ms": 3_600_000,
        "execution_ttl_ms": 600_000,
        "follow_ttl_ms": 86_400_000,
        "remind_after_ms": 0,
        "dry_run": True,
        "label": "production",
        "sites": {"east": SiteTerms(appliance="vr.example.net", poll_ms=5000, timeout_ms=9000)},
    }
    policy = Policy.model_validate({**plain, **changes})
    return Running(version="1.2.3", mode="http", command="/vr-unpair", policy=policy)
