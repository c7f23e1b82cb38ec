"""`/metrics` in the Prometheus text format: one table of the families, and what each of them takes.

There are two kinds, and the HELP of each metric says which it is. What the database knows is read
at each scrape and is the same in every copy of the bot: take `max` over the copies. The rest is
counted in each process and starts at 0 with it: take `sum` over the copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

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

from bot.operate import logs
from bot.operate.ready import Bounded
from bot.request.audit_chain import Entry
from bot.request.lookup_results import Figures
from bot.request.messages import Slot
from bot.request.model import OPEN, UNDECIDED, Request, State

log = structlog.get_logger(__name__)

HERE = "(counted in this copy)"
WHOLE = "(read from the database, the same in every copy)"
NOW = "(this copy, now)"

UNREAD = "scrape"
"""The value of the label `error` for a scrape that could not read the database."""

DECISIONS = {
    "approved_by": "approve",
    "denied": "deny",
    "cancelled": "cancel",
    "glass_broken": "break_glass",
}
"""Actions of the audit trail that are a person's decision, and what they are counted as."""

DECIDED = frozenset({State.APPROVED, State.DENIED})


class Counted(NamedTuple):
    """What is counted in this copy: its help, its labels, the values that are there at 0 from the
    start (Prometheus sees no increase in a line that begins at 1), and the buckets of a histogram.
    """

    words: str
    labels: tuple[str, ...] = ()
    known: Sequence[str] = ()
    kind: type[Counter | Summary | Histogram] = Counter
    buckets: tuple[float, ...] = ()


COUNTED = {
    "decisions": Counted("Decisions that counted, by kind", ("kind",), [*DECISIONS.values()]),
    "decisions_refused": Counted("Clicks that did not count, by kind and why", ("kind", "why")),
    "requests_ended": Counted(
        "Requests that ended, by state and why; a later correction counts again", ("state", "why")
    ),
    "appliance_calls": Counted(
        "HTTP calls to the appliance, by method, template of the path, and status or name of the "
        "error",
        ("site", "method", "path", "status"),
    ),
    "appliance_logins": Counted(
        "Log-ins to the appliance by result: worked, refused, not_sent, or rest (not tried, so "
        "that the account is not locked); the remote site's are among the calls",
        ("site", "result"),
        ("worked", "refused", "not_sent", "rest"),
    ),
    "slack_calls": Counted(
        "Calls of Slack's Web API by method and result: ok, limited (429), passing (no answer, or "
        "one that may be another one later), account (the token or its scopes), final (never "
        "taken)",
        ("method", "result"),
    ),
    "slack_requests_rejected": Counted(
        "What came in Slack's name and was turned away, by why; `replayed` was stored before: a "
        "replay, or Slack's own second try",
        ("why",),
        ("unsigned", "old", "forged", "malformed", "too_large", "replayed"),
    ),
    "messages_given_up": Counted(
        "Messages that Slack will never take, by kind and Slack's word", ("message", "error")
    ),
    "database_errors": Counted(
        "Errors of the database, by class; `scrape` is a reading for /metrics that failed or took "
        "too long, what it should have brought is missing there",
        ("error",),
        ("OperationalError", UNREAD),
    ),
    "budget_wait_seconds": Counted(
        "Calls that VR_CALLS_PER_MINUTE had no room for, and the seconds they were told to wait; "
        "the same work counts again each time it is told",
        ("site", "priority"),
        ("act", "follow", "check", "lookup"),
        Summary,
    ),
    # People read a card in half a minute, and APPROVAL_TTL is an hour by default.
    "ask_to_decision_seconds": Counted(
        "From the asking to the approval that was enough, or to the denial",
        kind=Histogram,
        buckets=(10, 30, 60, 120, 300, 600, 1800, 3600, 2 * 3600, 4 * 3600, 24 * 3600),
    ),
    # A task of the appliance takes a few seconds, and FOLLOW_TTL is a day by default.
    "decision_to_end_seconds": Counted(
        "From the approval that was enough, or the time that was asked for, to the end",
        kind=Histogram,
        buckets=(1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600, 4 * 3600, 24 * 3600),
    ),
    # VR_TIMEOUT_SECONDS is 10 by default, and a call lasts four times as long in the worst case.
    "appliance_call_seconds": Counted(
        "How long HTTP calls to the appliance took",
        ("site", "method"),
        kind=Histogram,
        buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40),
    ),
}


class Metrics:
    """The code that is measured knows no metrics: it gets small callables from here."""

    def __init__(self, version: str, sites: Iterable[str]) -> None:
        # Otherwise each counter comes with an extra line: the time at which it was created.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._read, here = CollectorRegistry(), CollectorRegistry()
        self._here = here
        self._families: dict[str, Any] = {}
        for name, row in COUNTED.items():
            buckets = {"buckets": row.buckets} if row.buckets else {}
            family: Any = row.kind
            words = f"{row.words} {HERE}"
            made = family(f"vr_unpair_{name}", words, row.labels, registry=here, **buckets)
            self._families[name] = made
            for value in row.known:
                for site in [(site,) for site in sites] if row.labels[0] == "site" else [()]:
                    made.labels(*site, value)
        build, words = "vr_unpair_build_info", "Always 1; the version of this copy"
        Gauge(build, words, ["version"], registry=here).labels(version).set(1)

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
        bounded = Bounded(figures)

        def stored() -> Iterator[Metric]:
            """All figures of the database from one view, or none, so that one that is down is
            waited for only once."""
            try:
                found = bounded()
                rests = login_rests(found)
            except Exception as error:
                # No figures at all: a gap in Prometheus is better than wrong numbers. The counter
                # says why.
                log.warning("metrics_unread", error=type(error).__name__)
                self.count("database_errors", UNREAD)
                return
            yield from _stored(found, rests)

        self._read.register(_Read(stored))
        self._read.register(_Read(lambda: _of_copy(ready, socket_age, certificate_ends)))

    def text(self) -> bytes:
        """The stored figures are read first, so that an error is counted in the same answer."""
        return generate_latest(self._read) + generate_latest(self._here)

    def count(self, name: str, *labels: str) -> None:
        self._families[name].labels(*labels).inc()

    def appliance_called(
        self, site: str, method: str, path: str, status: str, seconds: float
    ) -> None:
        self.count("appliance_calls", site, method, path, status)
        self._families["appliance_call_seconds"].labels(site, method).observe(seconds)

    def budget_waited(self, site: str, priority: str, seconds: float) -> None:
        self._families["budget_wait_seconds"].labels(site, priority).observe(seconds)

    def message_given_up(self, slot: str, error: str) -> None:
        self.count("messages_given_up", slot.partition(":")[0], error)

    def saved(self, request: Request | None, entries: Sequence[Entry]) -> None:
        """Logs and counts a step after its commit. Only one copy stores a step, so all copies
        together count it once; a copy that is killed in between loses that count."""
        try:
            logs.steps(request, entries)
            self._count(request, entries)
        except Exception:
            # The step is committed. An error raised here would look to the caller as if it was not.
            log.exception("step_not_told")

    def _count(self, request: Request | None, entries: Sequence[Entry]) -> None:
        """What people decided and how requests end, from the entries of the audit trail."""
        for entry in entries:
            if entry.action in DECISIONS:
                self.count("decisions", DECISIONS[entry.action])
            elif entry.action == "click_refused":
                kind, why = str(entry.detail.get("click")), str(entry.detail.get("why"))
                self.count("decisions_refused", kind, why)
        if request is None:
            return
        moves = {(e.before, e.after): e.at for e in entries if e.before is not e.after}
        for (before, after), at in moves.items():
            if before in UNDECIDED and after in DECIDED:
                waited_ms = at - request.created_at
                self._families["ask_to_decision_seconds"].observe(waited_ms / 1000)
            if after is None or after in OPEN:
                continue
            outcome = request.correction or request.outcome
            self.count("requests_ended", after.value, outcome.code if outcome else "")
            if request.approved_at is not None and before in OPEN:
                begins = max(request.approved_at, request.scheduled_at or 0)
                lasted_ms = max(0, at - begins)
                self._families["decision_to_end_seconds"].observe(lasted_ms / 1000)


class _Read(Collector):
    """What is read at each scrape."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()


def _gauge(
    name: str, words: str, label: str, values: Mapping[str, float], known: Iterable[str]
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"vr_unpair_{name}", words, labels=[label])
    for value in known:
        gauge.add_metric([value], values.get(value, 0))
    return gauge


def _stored(
    figures: Figures, rests: Mapping[str, tuple[float, float]]
) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
    states, slots = [state.value for state in State], [slot.value for slot in Slot]
    unfinished = [state for state in states if state in OPEN]
    rows: tuple[tuple[str, str, str, Mapping[str, float], Sequence[str]], ...] = (
        ("requests", "Requests, by state", "state", figures.by_state, states),
        (
            "request_oldest_seconds",
            "How long the oldest request of each unfinished state has been in it; since the DELETE "
            "for deleting and following; what is approved ahead counts from its time; 0 where "
            "there is none",
            "state",
            {state: ms / 1000 for state, ms in figures.oldest_ms.items()},
            unfinished,
        ),
        (
            "messages_waiting",
            "Messages that Slack does not yet show as they should be, by kind",
            "message",
            figures.waiting,
            slots,
        ),
        (
            "message_oldest_seconds",
            "Age of the oldest waiting message that Slack has never had, by kind; 0 where there is "
            "none",
            "message",
            {slot: ms / 1000 for slot, ms in figures.unposted_ms.items()},
            slots,
        ),
        (
            "appliance_login_rest_seconds",
            "How long this appliance is not logged in to, so that the account is not locked",
            "site",
            {site: seconds for site, (_, seconds) in rests.items()},
            sorted(rests),
        ),
        (
            "appliance_login_rest_start_timestamp_seconds",
            "Since when this appliance is not logged in to, the time of the refusal; 0 for no rest",
            "site",
            {site: began for site, (began, _) in rests.items()},
            sorted(rests),
        ),
    )
    for name, words, label, values, known in rows:
        yield _gauge(name, f"{words} {WHOLE}", label, values, known)
    ahead = f"Approved requests that wait for the time that was asked for {WHOLE}"
    yield GaugeMetricFamily("vr_unpair_requests_scheduled", ahead, value=figures.scheduled)
    words = f"Break glass of all times, counted in the audit trail {WHOLE}"
    yield CounterMetricFamily("vr_unpair_break_glass", words, value=figures.glass_broken)


def _of_copy(
    ready: Callable[[], bool],
    socket_age: Callable[[], float] | None,
    certificate_ends: Callable[[], Mapping[str, float]],
) -> Iterator[GaugeMetricFamily]:
    """Whether this copy can do its work. `ready` says what `/readyz` says."""
    words = f"1 when /readyz of this copy says 200, else 0 {NOW}"
    yield GaugeMetricFamily("vr_unpair_ready", words, value=ready())
    if socket_age is not None:
        yield GaugeMetricFamily(
            "vr_unpair_socket_last_frame_age_seconds",
            "Time since anything was last heard from Slack in Socket Mode; since the start where "
            f"nothing was {NOW}",
            value=socket_age(),
        )
    if ends := certificate_ends():
        words = f"When the appliance's certificate ends, as its last connection showed it {NOW}"
        yield _gauge("appliance_certificate_end_timestamp_seconds", words, "site", ends, ends)
