"""What was approved is what is done: the fingerprint in each button, and what is compared again
before the DELETE."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from bot.core.snapshot import Snapshot, id_key

FINGERPRINT_LENGTH = 16
"""Hex characters in a button's value: 64 bits, enough for something that is only ever compared
with the one fingerprint in force."""


def _shown(snapshot: Snapshot) -> dict[str, Any]:
    """What must stay the same (rule 3), under the words for it if it does not."""
    return {
        "pairing id": snapshot.pairing_id,
        "local vCenter": snapshot.local_vc.id,
        "remote vCenter": snapshot.remote_vc.id,
        "local replication server": snapshot.local_vrms.id,
        "remote replication server": snapshot.remote_vrms.id,
        "number of replications": snapshot.count,
    }


def _compared(snapshot: Snapshot) -> dict[str, Any]:
    """The same as it is compared."""
    return {
        what: id_key(value) if isinstance(value, str) else value
        for what, value in _shown(snapshot).items()
    }


def identified(snapshot: Snapshot) -> dict[str, Any]:
    """The part of a snapshot that goes into its fingerprint. With the ids of its replications, if
    all of them are known."""
    digest = snapshot.replications_digest if snapshot.complete else None
    return {**_compared(snapshot), "replications": digest}


def fingerprint(snapshot: Snapshot, *, force: bool, dry_run: bool) -> str:
    """Over everything that rule 3 names. Status, RPO, times, issues and order are left out on
    purpose: they change all the time, and approvals would hardly ever survive them."""
    covered = {**identified(snapshot), "force": force, "dry run": dry_run}
    canonical = json.dumps(covered, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:FINGERPRINT_LENGTH]


def differences(shown: Snapshot, now: Snapshot, *, force: bool) -> tuple[str, ...]:
    """Sentences for what is not as it was shown; empty when the approval still fits.

    With `force`, a remote site that was down when shown and answers now counts: the reason for a
    one-sided break has gone. The other direction does not: it makes nothing worse than approved.
    """
    before, after = _shown(shown), _shown(now)
    same = _compared(now)
    found = [
        f"{what}: was {before[what] if before[what] is not None else 'unknown'}, "
        f"is now {after[what] if after[what] is not None else 'unknown'}"
        for what, value in _compared(shown).items()
        if value != same[what]
    ]
    if (
        shown.complete
        and now.complete
        and shown.count == now.count
        and shown.replications_digest != now.replications_digest
    ):
        found.append("replications: as many as before, but not the same ones")
    if force and shown.remote_down and not now.remote_down:
        found.append(
            "remote site: was unreachable, can be reached now, so force has lost its reason"
        )
    return tuple(found)
