"""The calls of one effect. Those that are known beforehand are counted at once, others singly."""

from __future__ import annotations

from bot.appliance.budget import Priority
from bot.appliance.gate import Gate


class Purse:
    """For one thread."""

    def __init__(self, gate: Gate, priority: Priority) -> None:
        self._gate = gate
        self._priority = priority
        self._counted: list[int] = []
        self.paid = 0

    def fill(self, calls: int, turn: str = "") -> None:
        """Count so many calls before the first one, or raise OverBudget and count none. Calls that
        are not needed stay counted until they are given back."""
        self._counted += self._gate.reserve(self._priority, calls, turn)

    def pay(self) -> None:
        """One call is about to be made. Raises OverBudget only if it was not counted before."""
        if self._counted:
            self._gate.spend(self._priority, self._counted.pop())
        else:
            self._gate.take(self._priority)
        self.paid += 1

    def give_back(self) -> None:
        """Give back the counted calls that are not needed any more: others may wait for them."""
        for at in set(self._counted):
            self._gate.give_back(self._priority, at, self._counted.count(at))
        self._counted = []
