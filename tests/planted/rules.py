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

SETTINGS = (
    change(
        "a .env of somebody else is read",
        "tests/operate/settings/test_sources.py::test_a_file_of_somebody_else_is_not_read",
        "if found.st_uid not in (me, 0):",
        "if False:",
    ),
    change(
        "a .env that the group may write is read",
        "tests/operate/settings/test_sources.py::test_a_file_that_others_may_write_is_not_read",
        "found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and",
        "found.st_mode & stat.S_IWOTH and",
    ),
    change(
        "a guard whose name is misspelt is off, and nothing says so",
        "tests/operate/settings/test_slips.py",
        "_slips(one, other) <= (0 if of_appliance else 2 if len(other) >= _LONG else 1)",
        "one == other",
    ),
    change(
        "a name that begins like a setting is nobody's",
        "tests/operate/settings/test_slips.py",
        "0.0 if typed.startswith(BEGINNINGS) else",
        "",
    ),
)
