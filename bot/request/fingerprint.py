"""What was approved is what is done: the fingerprint in each button, and what is compared again
before the DELETE."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from bot.request.pairing import Replication, Snapshot, id_key

FINGERPRINT_LENGTH = 16
"""Hex characters in a button's value: 64 bits, enough for something that is only ever compared
with the one fingerprint in force."""

_QUOTES = str.maketrans("“”", "''")

NAMED_MOST = 10
NAME_MOST = 80
"""Of a long name the beginning is enough."""


def _shown(snapshot: Snapshot) -> dict[str, tuple[str | int | None, str]]:
    """What must stay the same (rule 3), and how it is named, under the words for it if it does
    not."""
    servers = {
        "local vCenter": snapshot.local_vc,
        "remote vCenter": snapshot.remote_vc,
        "local replication server": snapshot.local_vrms,
        "remote replication server": snapshot.remote_vrms,
    }
    return {
        "pairing id": (snapshot.id, snapshot.id),
        **{what: (server.id, server.title) for what, server in servers.items()},
        "number of replications": (snapshot.count, str(snapshot.count)),
    }


def _compared(snapshot: Snapshot) -> dict[str, Any]:
    """The same as it is compared."""
    return {
        what: id_key(value) if isinstance(value, str) else value
        for what, (value, _) in _shown(snapshot).items()
    }


def identified(snapshot: Snapshot) -> dict[str, Any]:
    """The part of a snapshot that goes into its fingerprint. With the ids of its replications, and
    of those in recovery plans, if all of them are known."""
    whole = snapshot.complete
    return {
        **_compared(snapshot),
        "replications": snapshot.replications_digest if whole else None,
        "in recovery plans": snapshot.protected_digest if whole else None,
    }


def fingerprint(
    snapshot: Snapshot, *, force: bool, dry_run: bool, scheduled_at: int | None = None
) -> str:
    """Over everything that rule 3 names, and the time for the delete. Status, RPO, times, issues
    and order are left out on purpose: they change all the time, and approvals would hardly ever
    survive them."""
    covered = {
        **identified(snapshot),
        "force": force,
        "dry run": dry_run,
        "not before": scheduled_at,
    }
    canonical = json.dumps(covered, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:FINGERPRINT_LENGTH]


def differences(shown: Snapshot, now: Snapshot, *, force: bool) -> tuple[str, ...]:
    """Sentences for what is not as it was shown; empty when the approval still fits. They tell
    names, as people know them, and an id only where the name is the same.

    With `force`, a remote site that was down when shown and answers now counts: the reason for a
    one-sided break has gone. The other direction does not: it makes nothing worse than approved.
    """
    same = _compared(now)
    found = [
        _was_and_is(what, shown, now)
        for what, value in _compared(shown).items()
        if value != same[what]
    ]
    if shown.complete and now.complete:
        if shown.replications_digest != now.replications_digest:
            found += _came_and_went(shown, now)
        found += _newly_protected(shown, now)
    if force and shown.remote_down and not now.remote_down:
        found.append(
            "remote site: was unreachable, can be reached now, so force has lost its reason"
        )
    return tuple(found)


def _was_and_is(what: str, shown: Snapshot, now: Snapshot) -> str:
    both = _shown(shown)[what], _shown(now)[what]
    was, is_now = (name if isinstance(value, int) else _quoted(name) for value, name in both)
    if was != is_now:
        return f"{what}: was {was}, is now {is_now}"
    was_id, now_id = (_quoted(str(value or "unknown")) for value, _ in both)
    return f"{what}: another one of the same name, {was}; its id was {was_id}, is now {now_id}"


def _came_and_went(shown: Snapshot, now: Snapshot) -> list[str]:
    """Which replications, where all of both readings are known by name. What tells that they are
    not the same ones is the digest over all ids: where no name can be told, it is still said."""
    if not (shown.all_named and now.all_named):
        return _not_the_same(shown, now)
    was = {id_key(each.id): each for each in shown.replications}
    is_now = {id_key(each.id): each for each in now.replications}
    went = [each for key, each in was.items() if key not in is_now]
    came = [each for key, each in is_now.items() if key not in was]
    both = {each.name for each in went} & {each.name for each in came}
    told = {"gone since": went, "new since": came}
    lines = [f"replications {how}: {_some(which, both)}" for how, which in told.items() if which]
    return lines or _not_the_same(shown, now)


def _not_the_same(shown: Snapshot, now: Snapshot) -> list[str]:
    """Empty where the number differs, which is told by itself."""
    same_number = shown.count == now.count
    return ["replications: as many as before, but not the same ones"] if same_number else []


def _newly_protected(shown: Snapshot, now: Snapshot) -> list[str]:
    """Which replications are in a recovery plan that were in none. One that has left its plan is no
    difference: nothing gets worse than approved. Of more than are kept by name it cannot be told
    who came and who left, so there any difference counts."""
    was = {id_key(each.id) for each in shown.replications if each.protected}
    guarded = [each for each in now.replications if each.protected]
    if len(was) == shown.protected and len(guarded) == now.protected:
        came = [each for each in guarded if id_key(each.id) not in was]
        return [f"replications newly in a recovery plan: {_some(came, set())}"] if came else []
    same = shown.protected_digest == now.protected_digest
    return [] if same else ["recovery plans: not the same replications as before are in one"]


def _some(replications: list[Replication], ambiguous: set[str]) -> str:
    """At most a few by name, the rest counted."""
    named = [
        f"{_quoted(each.name)} (id {_quoted(each.id)})"
        if each.name in ambiguous
        else _quoted(each.name)
        for each in replications[:NAMED_MOST]
    ]
    left = len(replications) - len(named)
    return ", ".join(named) + (f" and {left} more" if left else "")


def _quoted(name: str) -> str:
    """The sentence around it is ours, and a name may be words too."""
    short = name if len(name) <= NAME_MOST else f"{name[: NAME_MOST - 1]}…"
    return f"“{short.translate(_QUOTES)}”"
