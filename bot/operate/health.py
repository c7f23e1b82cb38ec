"""Whether this copy can do its work: `/readyz`. Hints are about faults elsewhere, which taking this
copy out of service would not help against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Check = Callable[[], str | None]
"""None when fine, else the reason in words. An error that it raises counts as the reason."""


@dataclass(frozen=True)
class Health:
    """Named checks. Ready when all are fine; `hints` do not count."""

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
    except Exception as error:  # reported as the reason: a probe must never get a 500
        return f"{type(error).__name__}: {error}"[:300]
