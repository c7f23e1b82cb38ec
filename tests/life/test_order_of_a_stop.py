"""One deadline for all parts of a stop: what one has used is not there for the next."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import stop as stopping
from bot.stop import CLOSE_SECONDS, STOP_SECONDS, stop


@dataclass
class Parts:
    """Each part uses up all the time that it is given, by `clock`; `late` does not end in it."""

    late: str = ""
    clock: float = 1_000.0
    asked: list[str] = field(default_factory=list)
    given: dict[str, float] = field(default_factory=dict)
    closes: bool = True
    stopping: threading.Event = field(default_factory=threading.Event)
    started: bool = True

    def __getattr__(self, name: str) -> Part:
        return Part(self, name)

    @property
    def servers(self) -> list[Part]:
        return [Part(self, "http")]

    @property
    def appliances(self) -> dict[str, Part]:
        return {}


@dataclass
class Part:
    parts: Parts
    name: str

    def stop(self, seconds: float = 0.0, *, drain_s: float = 0.0) -> bool:
        assert self.parts.stopping.is_set()
        if not seconds + drain_s:
            self.parts.asked.append(self.name)
            return self.name != self.parts.late
        self.parts.given[self.name] = seconds + drain_s
        self.parts.clock += seconds + drain_s
        return self.name != self.parts.late

    def close(self, seconds: float = 0.0) -> bool:
        return self.stop(seconds) if self.name == "http" else self.parts.asked.append("closed")  # type: ignore[func-returns-value]


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
    assert parts.asked[-1] == "closed"


def test_together_they_have_what_a_host_allows() -> None:
    parts = Parts()
    stopped(parts)
    assert parts.given["worker"] == STOP_SECONDS - sum(
        parts.given[name] for name in ("socket", "http", "lookups")
    )
    assert "poster" in parts.asked[4:], "nothing was left for it"
    assert parts.clock - 1_000 < STOP_SECONDS + 0.2


def test_the_database_stays_open_for_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(stopping, "_closed", lambda _bot, seconds: given.append(seconds) or True)
    assert stopped(Parts(late="worker"))["finished"] is False
    assert given == []
    assert stopped(Parts())["finished"] is True
    assert given == [CLOSE_SECONDS], "also past the deadline"
