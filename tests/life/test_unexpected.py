"""An error of ours in a step: whoever waits gets a reference, and the log has the rest under it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.request.messages import UNEXPECTED, Due
from tests.store.samples import away
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


def breaks(error: Exception) -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("clicked", [False, True])
def test_who_waits_is_told_once_with_the_reference_that_stands_in_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch, clicked: bool
) -> None:
    if clicked:
        request_id = world.pending()
        monkeypatch.setattr(world.people, "person", breaks(RuntimeError("planted")))
        world.click(request_id, "approve", FIRST)
    else:
        monkeypatch.setattr(world.appliance, "find_and_read", breaks(RuntimeError("planted")))
        world.ask()
    told: list[Due] = []
    wanted = {ASKER, FIRST} if clicked else {ASKER}

    def all_told() -> bool:
        told.extend(answers(world))
        return len(told) == len(wanted)

    with capture_logs() as logged:

        def failures() -> list[Any]:
            return [event for event in logged if event["event"] == "step_failed"]

        world.worker.start()
        wait_for(all_told)
        world.ms += LEASE_MS + 1
        wait_for(lambda: len(failures()) >= 2)
        world.worker.stop(PATIENCE_SECONDS)
    assert answers(world) == [], "told again at the second failure"
    assert not any(event["event"] == "step_failure_not_told" for event in logged)
    first, second = failures()[:2]
    assert first["request"] == "AAAA-BBBB"
    assert first["exc_info"]
    assert second["reference"] != first["reference"]
    assert {due.user for due in told} == wanted
    params = {"reference": first["reference"], "request": "AAAA-BBBB"}
    for due in told:
        assert due.answer is not None
        assert (due.answer.code, due.answer.params) == (UNEXPECTED, params)
        assert due.answer.matters


def test_an_error_of_the_database_is_told_to_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be away for a moment, and there are many people."""
    monkeypatch.setattr(world.appliance, "find_and_read", breaks(away("sqlite://")))
    with capture_logs() as logged:
        world.ask()
        world.worker.start()
        wait_for(lambda: [event for event in logged if event["event"] == "step_failed"])
        world.worker.stop(PATIENCE_SECONDS)
    assert answers(world) == []
