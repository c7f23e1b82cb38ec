"""`/metrics` in the Prometheus text format, one file per concern.

There are two kinds, and the HELP of each metric says which it is. What the database knows is read
at each scrape and is the same in every copy of the bot: take `max` over the copies. The rest is
counted in each process and starts at 0 with it: take `sum` over the copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    disable_created_metrics,
    generate_latest,
)

from bot.operate.metrics.appliance import ApplianceMetrics
from bot.operate.metrics.copies import Copy
from bot.operate.metrics.database import DatabaseMetrics
from bot.operate.metrics.decisions import DecisionMetrics
from bot.operate.metrics.slack import SlackMetrics
from bot.operate.metrics.stored import Stored
from bot.request.figures import Figures


class Metrics:
    """The code that is measured knows no metrics: it gets small callables from these parts."""

    def __init__(self, version: str, sites: Iterable[str]) -> None:
        # Otherwise each counter comes with an extra line: the time at which it was created.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._counted = CollectorRegistry()
        self._read = CollectorRegistry()
        self.decisions = DecisionMetrics(self._counted)
        self.appliance = ApplianceMetrics(self._counted, tuple(sites))
        self.slack = SlackMetrics(self._counted)
        self.database = DatabaseMetrics(self._counted)
        build = Gauge(
            "vr_unpair_build_info",
            "Always 1; the version of this copy",
            ["version"],
            registry=self._counted,
        )
        build.labels(version=version).set(1)

    def watch(
        self,
        *,
        figures: Callable[[], Figures],
        resting: Callable[[Figures], dict[str, float]],
        ready: Callable[[], bool],
        socket_age: Callable[[], float] | None,
    ) -> None:
        """Sets what is read at each scrape; call it once, before the first. `resting`: seconds by
        site. `socket_age`: seconds since the last frame, None in HTTP mode."""
        self._read.register(Stored(figures, resting, self.database.failed))
        self._read.register(Copy(ready, socket_age))

    def text(self) -> bytes:
        """The stored figures are read first, so that an error is counted in the same answer."""
        return generate_latest(self._read) + generate_latest(self._counted)
