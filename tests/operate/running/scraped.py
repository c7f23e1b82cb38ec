"""What a scrape says, by sample."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from bot.appliance.refused_login import login_rests
from bot.operate.metrics import Metrics
from bot.request.lookup_results import Figures

EMPTY = Figures(
    at=0, by_state={}, oldest_ms={}, waiting={}, unposted_ms={}, shared={}, glass_broken=0
)


class Scrape:
    """`scrape("vr_unpair_requests", state="pending")` is the value, None where it is left out."""

    def __init__(self, scraped: Metrics | str) -> None:
        text = scraped if isinstance(scraped, str) else scraped.text().decode()
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.samples.get((name, frozenset(labels.items())))

    def names(self) -> set[str]:
        return {name for name, _ in self.samples}


def watched(sites: list[str], figures: Callable[[], Figures], **more: Any) -> Metrics:
    """As the bot watches what is read at each scrape."""
    metrics = Metrics("1.2.3", sites)
    rests = partial(login_rests, sites)
    of_copy = {"ready": lambda: False, "socket_age": None, "certificate_ends": dict}
    metrics.watch(figures=figures, login_rests=rests, **{**of_copy, **more})
    return metrics
