"""What goes to Slack and what comes from it, counted in this copy."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

REJECTED = ("unsigned", "old", "forged", "malformed", "too_large", "replayed")
"""Labels that are there from the start, at 0."""


class SlackMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "vr_unpair_slack_calls",
            "Calls of Slack's Web API by method and result: ok, limited (429), passing (no answer, "
            "or one that may be another one later), account (the token or its scopes), final "
            "(never taken) (counted in this copy)",
            ["method", "result"],
            registry=registry,
        )
        self._rejected = Counter(
            "vr_unpair_slack_requests_rejected",
            "What came in Slack's name and was turned away, by why; `replayed` was stored before: "
            "a replay, or Slack's own second try (counted in this copy)",
            ["why"],
            registry=registry,
        )
        for why in REJECTED:
            self._rejected.labels(why=why)
        self._given_up = Counter(
            "vr_unpair_messages_given_up",
            "Messages that Slack will never take, by kind and Slack's word (counted in this copy)",
            ["message", "error"],
            registry=registry,
        )

    def called(self, method: str, result: str) -> None:
        self._calls.labels(method=method, result=result).inc()

    def rejected(self, why: str) -> None:
        self._rejected.labels(why=why).inc()

    def given_up(self, slot: str, error: str) -> None:
        self._given_up.labels(message=slot.partition(":")[0], error=error).inc()
