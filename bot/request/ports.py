"""What the worker needs of the outside. Adapters implement it and return events, never errors, so
that whoever runs an effect need not know what can go wrong on a wire."""

from __future__ import annotations

from typing import Protocol

from bot.request.events import (
    CallFailed,
    DeleteOutcome,
    PairingRead,
    PairingUnresolved,
    PresenceRead,
    TaskPolled,
    TasksRead,
)
from bot.request.listed_pairings import ListedPairing
from bot.request.who_may import Home, Person, Verdict


class AppliancePort(Protocol):
    """One appliance. `by` is the monotonic second by which the whole effect must be over."""

    def find_and_read(self, asked: str, by: float) -> PairingRead | PairingUnresolved | CallFailed:
        """The pairing that somebody typed, as it is now."""
        ...

    def list_pairings(
        self, by: float, *, count_at_most: int
    ) -> tuple[tuple[ListedPairing, ...], tuple[str, ...]] | CallFailed:
        """All pairings, and what is missing in the appliance's own words. The replications of
        each are counted where there are no more than `count_at_most` of them and the budget of
        calls has room."""
        ...

    def read_to_act(self, pairing_id: str, by: float) -> PairingRead | PresenceRead | CallFailed:
        """The pairing as it is now, and all tasks listed after it. Or that it is not there."""
        ...

    def prepare_delete(self, pairing_id: str, by: float) -> CallFailed | None:
        """Log in, remote session, one call of the budget: all that comes before the intent."""
        ...

    def delete(self, pairing_id: str, *, force: bool, send_by: float, by: float) -> DeleteOutcome:
        """Exactly one DELETE, or provably none: not after the monotonic second `send_by`."""
        ...

    def read_tasks(
        self, pairing_id: str, by: float, *, listed: bool, task_id: str | None
    ) -> TasksRead | CallFailed:
        """All tasks that are `listed`, or the one of this id, or none; and the pairing."""
        ...

    def read_presence(self, pairing_id: str, by: float) -> PresenceRead | CallFailed: ...

    def poll_task(self, task_id: str, by: float) -> TaskPolled | CallFailed:
        """One call, whatever else the appliance has to do."""
        ...


class PeoplePort(Protocol):
    """Who somebody is, by Slack, without a cache."""

    def home(self) -> Home: ...

    def person(self, user: str) -> Person | Verdict:
        """The person; a verdict where Slack does not know them, or `unreadable`, with when to ask
        again where Slack said so."""
        ...

    def members(self, group: str) -> frozenset[str] | Verdict:
        """Who is in a user group: nobody where it is disabled or unknown. Or the verdict
        `group_unreadable`, with when to ask again where Slack said so."""
        ...
