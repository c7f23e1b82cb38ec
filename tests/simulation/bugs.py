"""Bugs that can be planted, to show that the checks of the simulation can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.worker.drive import Lives
    from bot.worker.sender import Sender
    from tests.simulation.memory_store import MemoryStore, OutboxView


@dataclass(frozen=True)
class Bugs:
    """What is wrong on purpose. `patch` replaces functions of the real code while a history runs:
    pairs of an object and the names with their replacements."""

    name: str = "none"
    patch: tuple[tuple[Any, str, Any], ...] = ()
    switch_off: tuple[str, ...] = ()
    lease_ms: int | None = None
    change_lives: Callable[[Lives], Lives] = lambda lives: lives
    change_sender: Callable[[Sender], Sender] = lambda sender: sender
    change_outbox: Callable[[OutboxView], Any] = lambda outbox: outbox

    def store(self, store: MemoryStore) -> None:
        for guard in self.switch_off:
            setattr(store, guard, False)

    def lives(self, lives: Lives) -> Lives:
        return self.change_lives(lives)

    def sender(self, sender: Sender) -> Sender:
        return self.change_sender(sender)

    def outbox(self, outbox: OutboxView) -> Any:
        return self.change_outbox(outbox)

    @contextmanager
    def planted(self) -> Iterator[None]:
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in self.patch]
        for owner, name, replacement in self.patch:
            setattr(owner, name, replacement)
        try:
            yield
        finally:
            for owner, name, original in before:
                setattr(owner, name, original)


NO_BUGS = Bugs()
