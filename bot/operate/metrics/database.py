"""Errors of the database, counted in this copy."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from bot.operate.metrics.stored import UNREAD

OFTEN = ("OperationalError", UNREAD)
"""There from the start, at 0, so that Prometheus sees the first error as an increase."""


class DatabaseMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._errors = Counter(
            "vr_unpair_database_errors",
            "Errors of the database, by class; `scrape` is a reading for /metrics that failed or "
            "took too long, what it should have brought is missing there (counted in this copy)",
            ["error"],
            registry=registry,
        )
        for error in OFTEN:
            self._errors.labels(error=error)

    def failed(self, error: str) -> None:
        self._errors.labels(error=error).inc()
