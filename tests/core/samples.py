"""Plain values for tests of the core."""

from __future__ import annotations

from bot.core.events import Asked
from bot.core.snapshot import Server, Snapshot, digest_of

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
        names=("vm-1", "vm-2"),
        read_at=0,
    )
