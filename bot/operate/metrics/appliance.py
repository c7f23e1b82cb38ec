"""Calls to the appliances, log-ins, and waits for the budget of calls, counted in this copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, Summary

CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40)
"""VR_TIMEOUT_SECONDS is 10 by default, and a call lasts four times as long in the worst case."""

LOGIN_RESULTS = ("worked", "refused", "not_sent", "resting")
PRIORITIES = ("act", "follow", "check", "lookup")
"""The values of LOGIN_RESULTS and PRIORITIES are there from the start, at 0."""


@dataclass(frozen=True)
class SiteObservers:
    """What the client of one appliance calls. `called` takes the method, the template of the path,
    the status or the name of the error, and the seconds; `waited` the priority and the seconds;
    `logged_in` the result."""

    called: Callable[[str, str, str, float], None]
    waited: Callable[[str, float], None]
    logged_in: Callable[[str], None]


class ApplianceMetrics:
    def __init__(self, registry: CollectorRegistry, sites: tuple[str, ...]) -> None:
        self._calls = Counter(
            "vr_unpair_appliance_calls",
            "HTTP calls to the appliance, by method, template of the path, and status or name of "
            "the error (counted in this copy)",
            ["site", "method", "path", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "vr_unpair_appliance_call_seconds",
            "How long HTTP calls to the appliance took (counted in this copy)",
            ["site", "method"],
            buckets=CALL_SECONDS,
            registry=registry,
        )
        self._waits = Summary(
            "vr_unpair_budget_wait_seconds",
            "Calls that VR_CALLS_PER_MINUTE had no room for, and the seconds they were told to "
            "wait; the same work counts again each time it is told (counted in this copy)",
            ["site", "priority"],
            registry=registry,
        )
        self._logins = Counter(
            "vr_unpair_appliance_logins",
            "Log-ins to the appliance by result: worked, refused, not_sent, or resting (not tried, "
            "so that the account is not locked); the remote site's are among the calls (counted in "
            "this copy)",
            ["site", "result"],
            registry=registry,
        )
        for site in sites:
            for result in LOGIN_RESULTS:
                self._logins.labels(site=site, result=result)
            for priority in PRIORITIES:
                self._waits.labels(site=site, priority=priority)

    def of(self, site: str) -> SiteObservers:
        def called(method: str, path: str, status: str, seconds: float) -> None:
            self._calls.labels(site=site, method=method, path=path, status=status).inc()
            self._seconds.labels(site=site, method=method).observe(seconds)

        def waited(priority: str, seconds: float) -> None:
            self._waits.labels(site=site, priority=priority).observe(seconds)

        def logged_in(result: str) -> None:
            self._logins.labels(site=site, result=result).inc()

        return SiteObservers(called, waited, logged_in)
