"""The lanes: which threads work on which requests. Each lane has threads of its own.

There are three, so that work which waits for one thing never queues behind work that waits for
another. In a prototype with one pool, reading for new requests filled it and no DELETE was sent at
all; later, following a few tasks at an appliance that hung held every thread that could have
absorbed a Withdraw.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnClause, literal_column

from bot.request.model import Request, State
from bot.store.wakes import Room


class Lane(StrEnum):
    """CHECK reads what is new, at Slack and at the appliance. DECIDE needs Slack alone: clicks,
    reminders, deadlines, and whatever comes when all is over. ACT is at the appliance."""

    CHECK = "check"
    DECIDE = "decide"
    ACT = "act"

    @property
    def room(self) -> Room:
        """Where its threads wait."""
        return Room(self.value)


ACTING = (State.APPROVED, State.DELETING, State.ATTENTION, State.FOLLOWING)
"""The states of ACT, the most urgent first: acting goes before following. So does a look, which is
all that `attention` is claimed for: somebody waits for it. Behind the tasks, which come back every
few seconds, its turn would never come at an appliance that hangs."""

_LANES: dict[State, Lane] = {State.CHECKING: Lane.CHECK, **dict.fromkeys(ACTING, Lane.ACT)}


def by_state(values: Mapping[State, str | int], other: str | int) -> ColumnClause[Any]:
    """A CASE over the state of a row. Written out as text because every waiting thread asks with
    it, and thirty bound values made each query a tenth slower. Nothing that people wrote gets
    in."""
    whens = " ".join(f"WHEN '{state}' THEN {value!r}" for state, value in values.items())
    return literal_column(f"CASE requests.state {whens} ELSE {other!r} END")


lane_of_row: ColumnClause[str] = by_state(
    {state: lane.value for state, lane in _LANES.items()}, Lane.DECIDE.value
)
"""`lane_of` in SQL. Not as a list of states: SQLite would use the index by state for that, and walk
through every request that has ever ended in `attention`."""


def lane_of(request: Request) -> Lane:
    return _LANES.get(request.state, Lane.DECIDE)
