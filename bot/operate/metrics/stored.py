"""Figures that are read from the database at each scrape, the same in every copy of the bot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.operate.health import Bounded
from bot.request.figures import Figures
from bot.request.messages import Slot
from bot.request.model import OPEN, State

log = structlog.get_logger(__name__)

WHOLE = "read from the database, the same in every copy"

UNREAD = "scrape"
"""The value of the label `error` for a scrape that could not read the database."""


class Stored(Collector):
    """All figures from one view of the database, or none, so that one that is down is waited for
    only once."""

    def __init__(
        self,
        figures: Callable[[], Figures],
        resting: Callable[[Figures], Mapping[str, float]],
        failed: Callable[[str], None],
    ) -> None:
        self._figures = Bounded(figures)
        self._resting = resting
        self._failed = failed

    def collect(self) -> Iterable[Metric]:
        try:
            figures = self._figures()
            resting = self._resting(figures)
        except Exception as error:
            # No figures at all: a gap in Prometheus is better than wrong numbers. The counter says
            # why.
            log.warning("metrics_unread", error=type(error).__name__)
            self._failed(UNREAD)
            return
        states = [state.value for state in State]
        yield _by("vr_unpair_requests", "Requests, by state", "state", states, figures.by_state)
        yield _by(
            "vr_unpair_request_oldest_seconds",
            "How long the oldest request of each unfinished state has been in it; since the DELETE "
            "for deleting and following; 0 where there is none",
            "state",
            [state for state in states if state in OPEN],
            _seconds(figures.oldest_ms),
        )
        slots = [slot.value for slot in Slot]
        yield _by(
            "vr_unpair_messages_waiting",
            "Messages that Slack does not yet show as they should be, by kind",
            "message",
            slots,
            figures.waiting,
        )
        yield _by(
            "vr_unpair_message_oldest_seconds",
            "Age of the oldest waiting message that Slack has never had, by kind; 0 where there is "
            "none",
            "message",
            slots,
            _seconds(figures.unposted_ms),
        )
        yield _by(
            "vr_unpair_appliance_resting_seconds",
            "How long this appliance is not logged in to, so that the account is not locked",
            "site",
            sorted(resting),
            resting,
        )
        yield CounterMetricFamily(
            "vr_unpair_break_glass",
            f"Break glass of all times, counted in the audit trail ({WHOLE})",
            value=figures.glass_broken,
        )


def _by(
    name: str, words: str, label: str, known: Iterable[str], values: Mapping[str, float]
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, f"{words} ({WHOLE})", labels=[label])
    for value in known:
        gauge.add_metric([value], values.get(value, 0))
    return gauge


def _seconds(milliseconds: Mapping[str, int]) -> dict[str, float]:
    return {key: value / 1000 for key, value in milliseconds.items()}
