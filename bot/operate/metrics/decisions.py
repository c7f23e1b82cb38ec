"""What people decided, which clicks were refused, and how long it all took.

Counted from the entries of the audit trail when a step is stored. Only one copy stores a step, so
all copies together count each step once. A copy that is killed between commit and count loses that
count; the audit trail still has the step.
"""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram

from bot.request.entries import Entry
from bot.request.model import OPEN, UNDECIDED, Request, State

KINDS = {
    "approved_by": "approve",
    "denied": "deny",
    "cancelled": "cancel",
    "glass_broken": "break_glass",
}
"""Actions of the audit trail that are a person's decision."""

DECIDED = frozenset({State.APPROVED, State.DENIED})

TO_DECIDE = (10, 30, 60, 120, 300, 600, 1800, 3600, 2 * 3600, 4 * 3600, 24 * 3600)
"""In seconds. People read a card in half a minute, and APPROVAL_TTL is an hour by default."""

TO_END = (1, 2, 5, 10, 20, 30, 60, 120, 300, 900, 3600, 4 * 3600, 24 * 3600)
"""In seconds. A task of the appliance takes a few, and FOLLOW_TTL is a day by default."""


class DecisionMetrics:
    """`saved` is called for each step after its commit."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._decisions = Counter(
            "vr_unpair_decisions",
            "Decisions that counted, by kind (counted in this copy)",
            ["kind"],
            registry=registry,
        )
        for kind in KINDS.values():
            self._decisions.labels(kind=kind)
        self._refused = Counter(
            "vr_unpair_decisions_refused",
            "Clicks that did not count, by kind and why (counted in this copy)",
            ["kind", "why"],
            registry=registry,
        )
        self._ended = Counter(
            "vr_unpair_requests_ended",
            "Requests that ended, by state and why; a later correction counts again (counted in "
            "this copy)",
            ["state", "why"],
            registry=registry,
        )
        self._to_decide = Histogram(
            "vr_unpair_ask_to_decision_seconds",
            "From the asking to the approval that was enough, or to the denial (counted in this "
            "copy)",
            buckets=TO_DECIDE,
            registry=registry,
        )
        self._to_end = Histogram(
            "vr_unpair_decision_to_end_seconds",
            "From the approval that was enough to the end (counted in this copy)",
            buckets=TO_END,
            registry=registry,
        )

    def saved(self, request: Request | None, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.action in KINDS:
                self._decisions.labels(kind=KINDS[entry.action]).inc()
            elif entry.action == "click_refused":
                kind, why = str(entry.detail.get("click")), str(entry.detail.get("why"))
                self._refused.labels(kind=kind, why=why).inc()
        if request is not None:
            self._moved(request, entries)

    def _moved(self, request: Request, entries: Sequence[Entry]) -> None:
        moves = {(e.before, e.after): e.at for e in entries if e.before is not e.after}
        for (before, after), at in moves.items():
            if before in UNDECIDED and after in DECIDED:
                self._to_decide.observe((at - request.created_at) / 1000)
            if after is None or after in OPEN:
                continue
            outcome = request.correction or request.outcome
            self._ended.labels(state=after.value, why=outcome.code if outcome else "").inc()
            if request.approved_at is not None and before in OPEN:
                self._to_end.observe((at - request.approved_at) / 1000)
