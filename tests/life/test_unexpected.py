"""An error of ours in a step: whoever waits gets a reference, and the log has the rest under it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from bot.request.messages import UNEXPECTED, Due
from bot.slack.draw.message import draw_answer
from tests.support.clock import wait_for
from tests.support.world import ASKER, FIRST, LEASE_MS, PATIENCE_SECONDS, World


@pytest.fixture
def world(world_on_file: World) -> World:
    return world_on_file


def answers(world: World) -> list[Due]:
    """All that wait to be said to one person; the other messages are left alone."""
    found = []
    while (due := world.outbox.claim()) is not None:
        if due.answer is not None:
            found.append(due)
        world.outbox.sent(due, ts="1.0" if due.answer is None else None, digest="x")
    return found


def breaks(world: World, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(world.appliance, "find_and_read", fail)


def test_who_asked_is_told_once_with_the_reference_that_stands_in_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(world, monkeypatch, RuntimeError("planted"))
    with capture_logs() as logged:

        def failures() -> list[Any]:
            return [event for event in logged if event["event"] == "step_failed"]

        world.ask()
        world.worker.start()
        (due,) = wait_for(lambda: answers(world))
        world.ms += LEASE_MS + 1
        wait_for(lambda: len(failures()) >= 2)
        world.worker.stop(PATIENCE_SECONDS)
    assert answers(world) == [], "told again at the second failure"
    assert due.user == ASKER
    assert due.answer.code == UNEXPECTED
    assert due.answer.matters
    assert not any(event["event"] == "step_failure_not_told" for event in logged)
    first, second = failures()
    assert due.answer.params == {"reference": first["reference"], "request": "AAAA-BBBB"}
    assert first["request"] == "AAAA-BBBB"
    assert first["exc_info"]
    assert second["reference"] != first["reference"]
    words = draw_answer(due.answer, None).text
    assert first["reference"] in words
    assert "never accepted twice" in words


def test_who_clicked_is_told_as_well(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    request = world.pending()

    def fail(_user: str) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(world.people, "person", fail)
    world.click(request, "approve", FIRST)
    told: list[Due] = []

    def both() -> bool:
        told.extend(answers(world))
        return len(told) == 2

    with capture_logs():
        world.worker.start()
        wait_for(both)
        world.worker.stop(PATIENCE_SECONDS)
    assert {due.user for due in told} == {ASKER, FIRST}
    assert {due.answer.code for due in told if due.answer} == {UNEXPECTED}


def test_an_error_of_the_database_is_told_to_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be away for a moment, and there are many people."""
    breaks(world, monkeypatch, OperationalError("x", {}, Exception("locked")))
    with capture_logs() as logged:
        world.ask()
        world.worker.start()
        wait_for(lambda: [event for event in logged if event["event"] == "step_failed"])
        world.worker.stop(PATIENCE_SECONDS)
    assert answers(world) == []
