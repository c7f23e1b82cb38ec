"""The simulation's own store, which stands for the real one: whether its rules can fail on what a
store gets wrong. `store.py` has the same in the real one."""

from __future__ import annotations

from functools import partial

from tests.planted.change import change
from tests.planted.life import FIRST, SECOND

simulated = partial(change, place="tests/life/simulation")

RULES = (
    simulated(
        "simulated: a holder that lost its claim writes the row",
        FIRST,
        "if row.version != claim.version:",
        "if False:",
        within="MemoryStore._held",
    ),
    simulated(
        "simulated: a row is claimed though its lease still runs",
        FIRST,
        "and queue_of(row.request) is queue and lease_over(row.lease_until, now)",
        "and queue_of(row.request) is queue",
    ),
    simulated(
        "simulated: a row with an event is not due before its own time",
        FIRST,
        "with_event = {i.request_id for i in self.unabsorbed.values()}",
        "with_event = set()",
    ),
    simulated(
        "simulated: a dead holder's request waits for its old time",
        SECOND,
        "row.due_at = row.lease_until",
        "pass",
    ),
    simulated(
        "simulated: an intent is stored while what may stop it waits",
        FIRST,
        "if late or early or stopped or request.state",
        "if late or early or request.state",
    ),
    simulated(
        "simulated: a message that is being sent is claimed again",
        FIRST,
        "post.lease_until = now + SENDING_MS",
        "pass",
    ),
    simulated(
        "simulated: a pairing may have two open requests",
        FIRST,
        "if holds and other.id != request.id and other.state.open:",
        "if False:",
    ),
)
