"""`/metrics` in the Prometheus text format: read from the store when asked, so never stale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.core.request import State

CountByState = Callable[[], Mapping[str, int]]


class Metrics:
    """`count_by_state` is asked at each scrape."""

    def __init__(self, count_by_state: CountByState) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Requests(count_by_state))
        self._rejected = Counter(
            "vr_unpair_slack_requests_rejected",
            "Requests to /slack/events that were turned away, by why",
            ["why"],
            registry=self._registry,
        )

    def rejected(self, why: str) -> None:
        self._rejected.labels(why=why).inc()

    def text(self) -> bytes:
        return generate_latest(self._registry)


class _Requests(Collector):
    def __init__(self, count_by_state: CountByState) -> None:
        self._count_by_state = count_by_state

    def collect(self) -> Iterable[Metric]:
        gauge = GaugeMetricFamily(
            "vr_unpair_requests", "Requests in the store, by state", labels=["state"]
        )
        counted = self._count_by_state()
        for state in State:
            gauge.add_metric([state.value], counted.get(state.value, 0))
        yield gauge
