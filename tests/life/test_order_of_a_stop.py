"""One deadline for all parts of a stop: what one has used is not there for the next."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from structlog.testing import capture_logs

from bot.stop import STOP_SECONDS, stop

WRITES_SECONDS = 0.2
"""How long the database takes to close, with nothing left of the deadline."""


@dataclass
class Parts:
    """Each part uses up all the time that it is given, by `clock`; `late` does not end in it."""

    late: str = ""
    clock: float = 1_000.0
    asked: list[str] = field(default_factory=list)
    given: dict[str, float] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    appliances: dict[str, Part] = field(default_factory=dict)
    started: bool = True

    def __getattr__(self, name: str) -> Part:
        return Part(self, name)

    @property
    def store(self) -> Parts:
        return self

    @property
    def slack(self) -> Parts:
        return self

    @property
    def servers(self) -> list[Part]:
        return [Part(self, "http")]


@dataclass
class Part:
    parts: Parts
    name: str

    def stop(self, seconds: float = 0.0, *, drain_s: float = 0.0) -> bool:
        assert self.parts.stopping.is_set()
        if seconds + drain_s:
            self.parts.given[self.name] = seconds + drain_s
            self.parts.clock += seconds + drain_s
        else:
            self.parts.asked.append(self.name)
        return self.name != self.parts.late

    def close(self, seconds: float = 0.0) -> bool:
        if self.name == "http":
            return self.stop(seconds)
        threading.Event().wait(WRITES_SECONDS)
        self.parts.asked.append("closed")
        return True


def stopped(parts: Any) -> dict[str, Any]:
    with capture_logs() as logged:
        stop(parts, lambda: parts.clock)
    (found,) = (event for event in logged if event["event"] == "stopped")
    return dict(found)


def test_all_are_asked_before_one_is_waited_for_and_the_database_closes_last() -> None:
    parts = Parts()
    assert stopped(parts)["finished"] is True
    assert parts.asked[:4] == ["worker", "poster", "lookups", "check"]
    assert list(parts.given) == ["socket", "http", "lookups", "worker", "whisper", "upkeep"]
    assert parts.asked[-1] == "closed", "also past the deadline"


def test_together_they_have_what_a_host_allows() -> None:
    parts = Parts()
    stopped(parts)
    others = sum(parts.given[name] for name in ("socket", "http", "lookups"))
    assert parts.given["worker"] == STOP_SECONDS - others
    assert "poster" in parts.asked[4:], "nothing was left for it"
    assert parts.clock - 1_000 < STOP_SECONDS + 0.2


def test_the_database_stays_open_for_what_is_left() -> None:
    parts = Parts(late="worker")
    assert stopped(parts)["finished"] is False
    assert "closed" not in parts.asked
