"""Whether this copy can do its work, asked at each scrape."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.operate.health import Bounded

KEPT_SECONDS = 5.0
"""Checking whether the database can be written means writing to it, so not every scrape does it."""


class Copy(Collector):
    """`ready` says what `/readyz` says. If it does not return in time, the copy is not ready."""

    def __init__(
        self,
        ready: Callable[[], bool],
        socket_age: Callable[[], float] | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ready = Bounded(ready)
        self._socket_age = socket_age
        self._monotonic = monotonic
        self._known: tuple[float, bool] | None = None

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            "vr_unpair_ready",
            "1 when /readyz of this copy says 200, else 0 (this copy, at most 5 s ago)",
            value=self._is_ready(),
        )
        if self._socket_age is not None:
            yield GaugeMetricFamily(
                "vr_unpair_socket_last_frame_age_seconds",
                "Time since anything was last heard from Slack in Socket Mode; since the start "
                "where nothing was (this copy, now)",
                value=self._socket_age(),
            )

    def _is_ready(self) -> bool:
        now = self._monotonic()
        if self._known is None or now - self._known[0] >= KEPT_SECONDS:
            try:
                self._known = now, self._ready()
            except TimeoutError:
                self._known = now, False
        return self._known[1]
