"""What the worker needs of the outside. Adapters implement it and return events, never errors, so
that whoever runs an effect need not know what can go wrong on a wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.core.events import (
    CallFailed,
    DeleteOutcome,
    Looked,
    PairingLooked,
    PairingRead,
    PairingUnresolved,
)
from bot.core.request import TaskView
from bot.core.who_may import Home, Person, Verdict


class AppliancePort(Protocol):
    """One appliance. `by` is the monotonic second by which the whole effect must be over."""

    def find_and_read(self, asked: str, by: float) -> PairingRead | PairingUnresolved | CallFailed:
        """The pairing that somebody typed, as it is now."""
        ...

    def read_to_act(self, pairing_id: str, by: float) -> PairingRead | CallFailed:
        """The pairing as it is now, and all tasks listed after it."""
        ...

    def prepare_delete(self, pairing_id: str, by: float) -> CallFailed | None:
        """Log in, remote session, one call of the budget: all that comes before the intent."""
        ...

    def delete(self, pairing_id: str, *, force: bool, send_by: float, by: float) -> DeleteOutcome:
        """Exactly one DELETE, or provably none: not after the monotonic second `send_by`."""
        ...

    def look_around(self, pairing_id: str, by: float) -> Looked | CallFailed: ...

    def look_at_pairing(self, pairing_id: str, by: float) -> PairingLooked | CallFailed: ...

    def list_tasks(self, by: float) -> Sequence[TaskView] | CallFailed:
        """All tasks that the appliance lists now."""
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
