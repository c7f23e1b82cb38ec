"""The calls of one effect: counted at once as far as they are known, one by one beyond that."""

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
        """Count so many before the first one. Raises OverBudget, with nothing counted. What is not
        needed stays counted until it is given back."""
        self._counted += self._gate.reserve(self._priority, calls, turn)

    def pay(self) -> None:
        """One call is about to be made. Raises OverBudget only beyond what was counted."""
        if self._counted:
            self._gate.spend(self._priority, self._counted.pop())
        else:
            self._gate.take(self._priority)
        self.paid += 1

    def give_back(self) -> None:
        """What was counted and is not needed any more: others wait for it."""
        for at in set(self._counted):
            self._gate.give_back(self._priority, at, self._counted.count(at))
        self._counted = []
