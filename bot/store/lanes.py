"""The lanes: which requests are whose work. Each lane has threads of its own.

Three, because what waits for one thing must not stand in a queue behind what waits for another: in
a prototype the readers of new requests filled the one pool and no DELETE was sent at all; later, a
few tasks followed at an appliance that hung held every thread that could have heard a Cancel.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnClause, literal_column

from bot.core.request import Request, State
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
"""The states of ACT, and who goes first there: acting before following. A look, for which alone
`attention` is claimed, goes before following too: somebody waits for it, and tasks come back every
few seconds. At an appliance that hangs it would never be its turn."""

_LANES: dict[State, Lane] = {State.CHECKING: Lane.CHECK, **dict.fromkeys(ACTING, Lane.ACT)}


def by_state(values: Mapping[State, str | int], other: str | int) -> ColumnClause[Any]:
    """What each state of a row stands for. Written out, since every waiting thread asks with it:
    thirty values to be bound made each look a tenth longer. Nobody's words come in here."""
    whens = " ".join(f"WHEN '{state}' THEN {value!r}" for state, value in values.items())
    return literal_column(f"CASE requests.state {whens} ELSE {other!r} END")


lane_of_row: ColumnClause[str] = by_state(
    {state: lane.value for state, lane in _LANES.items()}, Lane.DECIDE.value
)
"""`lane_of` for a row. Not a list of states: SQLite would take the index by state for that, and
walk through all that has ever ended in `attention`."""


def lane_of(request: Request) -> Lane:
    return _LANES.get(request.state, Lane.DECIDE)
