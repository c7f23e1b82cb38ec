"""Whether this copy can do its work: `/readyz`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Check = Callable[[], str | None]
"""None when fine, else the reason in words; may raise, which is a reason too."""


@dataclass(frozen=True)
class Health:
    """Named checks; ready when each is fine."""

    checks: Mapping[str, Check]

    def ready(self) -> tuple[bool, dict[str, str]]:
        found = {name: _run(check) for name, check in self.checks.items()}
        return all(word == "ok" for word in found.values()), found


def _run(check: Check) -> str:
    try:
        return check() or "ok"
    except Exception as error:  # the reason is the answer: a probe must never get a 500
        return f"{type(error).__name__}: {error}"[:300]
