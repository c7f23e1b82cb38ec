"""Plain values for tests of the core."""

from __future__ import annotations

from typing import Any

from bot.request.audit_chain import Running
from bot.request.events import Asked
from bot.request.pairing import Replication, Server, Snapshot, digest_of
from bot.request.who_may import Policy, SiteTerms

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
