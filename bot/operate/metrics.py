"""`/metrics` in the Prometheus text format.

There are two kinds, and the HELP of each metric says which it is. What the database knows is read
at each scrape and is the same in every copy of the bot: take `max` over the copies. The rest is
counted in each process and starts at 0 with it: take `sum` over the copies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Summary,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.operate.health import Bounded
from bot.request.audit_chain import Entry
from bot.request.messages import Slot
from bot.request.model import OPEN, UNDECIDED, Figures, Request, State

log = structlog.get_logger(__name__)

HERE = "(counted in this copy)"
WHOLE = "(read from the database, the same in every copy)"

UNREAD = "scrape"
"""The value of the label `error` for a scrape that could not read the database."""

KEPT_SECONDS = 5.0
"""Checking whether the database can be written means writing to it, so not every scrape does it."""

DECISIONS = {
    "approved_by": "approve",
    "denied": "deny",
    "cancelled": "cancel",
    "glass_broken": "break_glass",
}
"""Actions of the audit trail that are a person's decision, and what they are counted as."""

DECIDED = frozenset({State.APPROVED, State.DENIED})

# What is known beforehand is there from the start, at 0: Prometheus sees no increase in a line that
# begins at 1.
REJECTED = ("unsigned", "old", "forged", "malformed", "too_large", "replayed")
DATABASE_ERRORS = ("OperationalError", UNREAD)
LOGIN_RESULTS = ("worked", "refused", "not_sent", "rest")
PRIORITIES = ("act", "follow", "check", "lookup")

TO_DECIDE = (10, 30, 60, 120, 300, 600, 1800, 3600, 2 * 3600, 4 * 3600, 24 * 3600)
"""In seconds. People read a card in half a minute, and APPROVAL_TTL is an hour by default."""

TO_END = (1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600, 4 * 3600, 24 * 3600)
"""In seconds. A task of the appliance takes a few, and FOLLOW_TTL is a day by default."""

CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40)
"""VR_TIMEOUT_SECONDS is 10 by default, and a call lasts four times as long in the worst case."""


@dataclass(frozen=True)
class SiteObservers:
    """What the client of one appliance calls. `called` takes the method, the template of the path,
    the status or the name of the error, and the seconds; `waited` the priority and the seconds;
    `logged_in` the result."""

    called: Callable[[str, str, str, float], None]
    waited: Callable[[str, float], None]
    logged_in: Callable[[str], None]


class Metrics:
    """The code that is measured knows no metrics: it gets small callables from here."""

    def __init__(self, version: str, sites: Iterable[str]) -> None:
        # Otherwise each counter comes with an extra line: the time at which it was created.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._read, here = CollectorRegistry(), CollectorRegistry()
        self._counted = here
        counter, histogram = partial(Counter, registry=here), partial(Histogram, registry=here)
        self._decisions = counter(
            "vr_unpair_decisions", f"Decisions that counted, by kind {HERE}", ["kind"]
        )
        self._refused = counter(
            "vr_unpair_decisions_refused",
            f"Clicks that did not count, by kind and why {HERE}",
            ["kind", "why"],
        )
        self._ended = counter(
            "vr_unpair_requests_ended",
            f"Requests that ended, by state and why; a later correction counts again {HERE}",
            ["state", "why"],
        )
        self._to_decide = histogram(
            "vr_unpair_ask_to_decision_seconds",
            f"From the asking to the approval that was enough, or to the denial {HERE}",
            buckets=TO_DECIDE,
        )
        self._to_end = histogram(
            "vr_unpair_decision_to_end_seconds",
            f"From the approval that was enough, or the time that was asked for, to the end {HERE}",
            buckets=TO_END,
        )
        self._appliance_calls = counter(
            "vr_unpair_appliance_calls",
            "HTTP calls to the appliance, by method, template of the path, and status or name of "
            f"the error {HERE}",
            ["site", "method", "path", "status"],
        )
        self._appliance_seconds = histogram(
            "vr_unpair_appliance_call_seconds",
            f"How long HTTP calls to the appliance took {HERE}",
            ["site", "method"],
            buckets=CALL_SECONDS,
        )
        self._budget_waits = Summary(
            "vr_unpair_budget_wait_seconds",
            "Calls that VR_CALLS_PER_MINUTE had no room for, and the seconds they were told to "
            f"wait; the same work counts again each time it is told {HERE}",
            ["site", "priority"],
            registry=here,
        )
        self._logins = counter(
            "vr_unpair_appliance_logins",
            "Log-ins to the appliance by result: worked, refused, not_sent, or rest (not tried, "
            f"so that the account is not locked); the remote site's are among the calls {HERE}",
            ["site", "result"],
        )
        self._slack_calls = counter(
            "vr_unpair_slack_calls",
            "Calls of Slack's Web API by method and result: ok, limited (429), passing (no answer, "
            "or one that may be another one later), account (the token or its scopes), final "
            f"(never taken) {HERE}",
            ["method", "result"],
        )
        self._rejected = counter(
            "vr_unpair_slack_requests_rejected",
            "What came in Slack's name and was turned away, by why; `replayed` was stored before: "
            f"a replay, or Slack's own second try {HERE}",
            ["why"],
        )
        self._given_up = counter(
            "vr_unpair_messages_given_up",
            f"Messages that Slack will never take, by kind and Slack's word {HERE}",
            ["message", "error"],
        )
        self._database_errors = counter(
            "vr_unpair_database_errors",
            "Errors of the database, by class; `scrape` is a reading for /metrics that failed or "
            f"took too long, what it should have brought is missing there {HERE}",
            ["error"],
        )
        build = Gauge(
            "vr_unpair_build_info", "Always 1; the version of this copy", ["version"], registry=here
        )
        build.labels(version=version).set(1)
        for kind in DECISIONS.values():
            self._decisions.labels(kind=kind)
        for why in REJECTED:
            self._rejected.labels(why=why)
        for error in DATABASE_ERRORS:
            self._database_errors.labels(error=error)
        for site in sites:
            for result in LOGIN_RESULTS:
                self._logins.labels(site=site, result=result)
            for priority in PRIORITIES:
                self._budget_waits.labels(site=site, priority=priority)

    def watch(
        self,
        *,
        figures: Callable[[], Figures],
        login_rests: Callable[[Figures], Mapping[str, tuple[float, float]]],
        ready: Callable[[], bool],
        socket_age: Callable[[], float] | None,
        certificate_ends: Callable[[], Mapping[str, float]],
    ) -> None:
        """Sets what is read at each scrape; call it once, before the first. `login_rests`: since
        when, in epoch seconds, and for how many seconds more, by site; both 0 for none.
        `socket_age`: seconds since the last frame, None in HTTP mode. `certificate_ends`: epoch
        seconds by site."""
        self._read.register(Stored(figures, login_rests, self.database_failed))
        self._read.register(Copy(ready, socket_age, certificate_ends))

    def text(self) -> bytes:
        """The stored figures are read first, so that an error is counted in the same answer."""
        return generate_latest(self._read) + generate_latest(self._counted)

    def of_site(self, site: str) -> SiteObservers:
        def called(method: str, path: str, status: str, seconds: float) -> None:
            self._appliance_calls.labels(site, method, path, status).inc()
            self._appliance_seconds.labels(site, method).observe(seconds)

        def waited(priority: str, seconds: float) -> None:
            self._budget_waits.labels(site, priority).observe(seconds)

        return SiteObservers(called, waited, lambda result: self._logins.labels(site, result).inc())

    def slack_called(self, method: str, result: str) -> None:
        self._slack_calls.labels(method, result).inc()

    def slack_rejected(self, why: str) -> None:
        self._rejected.labels(why).inc()

    def message_given_up(self, slot: str, error: str) -> None:
        self._given_up.labels(slot.partition(":")[0], error).inc()

    def database_failed(self, error: str) -> None:
        self._database_errors.labels(error).inc()

    def saved(self, request: Request | None, entries: Sequence[Entry]) -> None:
        """Counts what people decided and how requests end, from the entries of the audit trail.
        Called for each step after its commit. Only one copy stores a step, so all copies together
        count it once; a copy that is killed in between loses that count."""
        for entry in entries:
            if entry.action in DECISIONS:
                self._decisions.labels(DECISIONS[entry.action]).inc()
            elif entry.action == "click_refused":
                kind, why = str(entry.detail.get("click")), str(entry.detail.get("why"))
                self._refused.labels(kind, why).inc()
        if request is None:
            return
        moves = {(e.before, e.after): e.at for e in entries if e.before is not e.after}
        for (before, after), at in moves.items():
            if before in UNDECIDED and after in DECIDED:
                self._to_decide.observe((at - request.created_at) / 1000)
            if after is None or after in OPEN:
                continue
            outcome = request.correction or request.outcome
            self._ended.labels(after.value, outcome.code if outcome else "").inc()
            if request.approved_at is not None and before in OPEN:
                begins = max(request.approved_at, request.scheduled_at or 0)
                self._to_end.observe(max(0, at - begins) / 1000)


class Stored(Collector):
    """All figures of the database from one view, or none, so that one that is down is waited for
    only once."""

    def __init__(
        self,
        figures: Callable[[], Figures],
        login_rests: Callable[[Figures], Mapping[str, tuple[float, float]]],
        failed: Callable[[str], None],
    ) -> None:
        self._figures = Bounded(figures)
        self._login_rests = login_rests
        self._failed = failed

    def collect(self) -> Iterable[Metric]:
        try:
            figures = self._figures()
            rests = self._login_rests(figures)
        except Exception as error:
            # No figures at all: a gap in Prometheus is better than wrong numbers. The counter says
            # why.
            log.warning("metrics_unread", error=type(error).__name__)
            self._failed(UNREAD)
            return
        states, slots = [state.value for state in State], [slot.value for slot in Slot]
        by_state, by_slot = partial(_by, "state"), partial(_by, "message", slots)
        yield by_state(states, "vr_unpair_requests", "Requests, by state", figures.by_state)
        yield by_state(
            [state for state in states if state in OPEN],
            "vr_unpair_request_oldest_seconds",
            "How long the oldest request of each unfinished state has been in it; since the DELETE "
            "for deleting and following; what is approved ahead counts from its time; 0 where "
            "there is none",
            _seconds(figures.oldest_ms),
        )
        ahead = f"Approved requests that wait for the time that was asked for {WHOLE}"
        yield GaugeMetricFamily("vr_unpair_requests_scheduled", ahead, value=figures.scheduled)
        yield by_slot(
            "vr_unpair_messages_waiting",
            "Messages that Slack does not yet show as they should be, by kind",
            figures.waiting,
        )
        yield by_slot(
            "vr_unpair_message_oldest_seconds",
            "Age of the oldest waiting message that Slack has never had, by kind; 0 where there is "
            "none",
            _seconds(figures.unposted_ms),
        )
        yield _by(
            "site",
            sorted(rests),
            "vr_unpair_appliance_login_rest_seconds",
            "How long this appliance is not logged in to, so that the account is not locked",
            {site: left for site, (_, left) in rests.items()},
        )
        yield _by(
            "site",
            sorted(rests),
            "vr_unpair_appliance_login_rest_start_timestamp_seconds",
            "Since when this appliance is not logged in to, the time of the refusal; 0 for no rest",
            {site: since for site, (since, _) in rests.items()},
        )
        words = f"Break glass of all times, counted in the audit trail {WHOLE}"
        yield CounterMetricFamily("vr_unpair_break_glass", words, value=figures.glass_broken)


def _by(
    label: str, known: Iterable[str], name: str, words: str, values: Mapping[str, float]
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, f"{words} {WHOLE}", labels=[label])
    for value in known:
        gauge.add_metric([value], values.get(value, 0))
    return gauge


def _seconds(milliseconds: Mapping[str, int]) -> dict[str, float]:
    return {key: value / 1000 for key, value in milliseconds.items()}


class Copy(Collector):
    """Whether this copy can do its work. `ready` says what `/readyz` says; if it does not return in
    time, the copy is not ready."""

    def __init__(
        self,
        ready: Callable[[], bool],
        socket_age: Callable[[], float] | None,
        certificate_ends: Callable[[], Mapping[str, float]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ready = Bounded(ready)
        self._socket_age = socket_age
        self._certificate_ends = certificate_ends
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

        if ends := self._certificate_ends():
            name = "vr_unpair_appliance_certificate_end_timestamp_seconds"
            words = "When the appliance's certificate ends, as its last connection showed it"
            family = GaugeMetricFamily(name, f"{words} (this copy, now)", labels=["site"])
            for site, end in ends.items():
                family.add_metric([site], end)
            yield family

    def _is_ready(self) -> bool:
        now = self._monotonic()
        if self._known is None or now - self._known[0] >= KEPT_SECONDS:
            try:
                self._known = now, self._ready()
            except TimeoutError:
                self._known = now, False
        return self._known[1]
