"""The simulation's own store, which stands for the real one: whether its rules can fail on what a
store gets wrong. `store.py` has the same in the real one."""

from __future__ import annotations

from functools import partial

from tests.planted.change import change
from tests.planted.life import FIRST, HISTORIES

simulated = partial(change, place="tests/life/simulation")

RULES = (
    simulated(
        "simulated: a holder that lost its claim writes the row",
        FIRST,
        "if row.version != claim.version:",
        "if False:",
        within="MemoryTables._held",
    ),
    simulated(
        "simulated: a row is claimed though its lease still runs",
        FIRST,
        "return queue_of(row.request) is queue and lease_over(row.lease_until, now)",
        "return queue_of(row.request) is queue",
    ),
    simulated(
        "simulated: two copies claim a row at once",
        FIRST,
        "if not self._locked(tx, key) and self._free(row, queue, now):",
        "if True:",
    ),
    simulated(
        "simulated: a row with an event is not due before its own time",
        FIRST,
        "with_event = {i.request_id for i in self.unabsorbed.values()}",
        "with_event = set()",
    ),
    simulated(
        "simulated: a dead holder's request waits for its old time",
        FIRST,
        "row.due_at = row.lease_until",
        "pass",
    ),
    simulated(
        "simulated: an intent is stored while an event waits",
        FIRST,
        "if self.waiting(claim.request.id):",
        "if False:",
        within="MemoryTables._heard",
    ),
    simulated(
        "simulated: the inbox is asked before the wait for the row",
        f"{HISTORIES}::test_every_rule_holds[500]",
        'self._lock(tx, ("request", claim.request.id))',
        'self._heard(claim); self._lock(tx, ("request", claim.request.id))',
        "guard(row, now) self._heard(claim)",
        "guard(row, now)",
        within="_save_heard",
    ),
    simulated(
        "simulated: what time does is stored though an event waits",
        "tests/life/simulation/test_locks_agree.py::test_in_memory",
        "guard(row, now) self._heard(claim)",
        "guard(row, now); guard == self._may_intend and self._heard(claim)",
        within="_save_heard",
    ),
    simulated(
        "simulated: two copies claim the same message",
        FIRST,
        "if self._locked(tx, key) or not free:",
        "if False:",
    ),
    simulated(
        "simulated: a pairing may have two open requests",
        FIRST,
        "if holds and other.id != request.id and other.state.open:",
        "if False:",
    ),
)
