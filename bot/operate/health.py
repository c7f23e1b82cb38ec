"""The pages that probes and Prometheus read: `/healthz`, `/readyz`, `/metrics`.

`/readyz` says whether this copy can do its work. Hints are about faults elsewhere, which taking
this copy out of service would not help against.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Check = Callable[[], str | None]
"""None when fine, else the reason in words. An error that it raises counts as the reason."""

Page = Callable[[], tuple[int, bytes, str]]
"""Status, body and content type."""

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
"""The text exposition format (Prometheus docs)."""


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

    def pages(self, metrics: Callable[[], bytes]) -> dict[str, Page]:
        """By their paths. `metrics` gives the text for Prometheus."""

        def readiness() -> tuple[int, bytes, str]:
            ready, found = self.ready()
            body = json.dumps({"ready": ready, **found}).encode() + b"\n"
            return 200 if ready else 503, body, JSON

        return {
            "/healthz": lambda: (200, b"ok\n", TEXT),
            "/readyz": readiness,
            "/metrics": lambda: (200, metrics(), PROMETHEUS),
        }


def _run(check: Check) -> str:
    try:
        return check() or "ok"
    except Exception as error:  # reported as the reason: a probe must never get a 500
        return f"{type(error).__name__}: {error}"[:300]
