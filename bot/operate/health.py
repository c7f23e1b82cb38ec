"""Whether this copy can do its work: `/readyz`. Hints are about what is wrong elsewhere: to take a
copy away for them would help nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Check = Callable[[], str | None]
"""None when fine, else the reason in words; may raise, which is a reason too."""


@dataclass(frozen=True)
class Health:
    """Named checks; ready when each is fine, whatever `hints` there are."""

    checks: Mapping[str, Check]
    hints: Callable[[], Mapping[str, str]] = dict

    def ready(self) -> tuple[bool, dict[str, Any]]:
        found = {name: _run(check) for name, check in self.checks.items()}
        ready = all(word == "ok" for word in found.values())
        hints = dict(self.hints())
        return ready, {**found, "hints": hints} if hints else found


def _run(check: Check) -> str:
    try:
        return check() or "ok"
    except Exception as error:  # the reason is the answer: a probe must never get a 500
        return f"{type(error).__name__}: {error}"[:300]
