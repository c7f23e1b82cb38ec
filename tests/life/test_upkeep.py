"""The thread beside the requests: it writes lines, prunes, and survives a database that is away."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.store.audit_witness import LINES, Telling, write_lines
from bot.store.queues import AUDIT
from bot.store.schema import inbox
from bot.worker import queue_threads
from bot.worker.queue_threads import Upkeep
from tests.store.samples import away
from tests.support.clock import wait_for
from tests.support.world import PATIENCE_SECONDS, World


@pytest.fixture
def world(world_on_file: World) -> World:
    return world_on_file


def test_all_that_is_recorded_before_a_stop_is_told_by_then(world: World) -> None:
    keeping = Upkeep(world.db, 1, [Telling(world.db, LINES, write_lines)])
    with capture_logs() as found:
        keeping.start()
        world.pending()
        assert keeping.stop(PATIENCE_SECONDS)
    told = [line["number"] for line in found if line["event"] == "audit"]
    assert told == list(range(1, len(world.actions()) + 1))


def test_what_is_over_goes_by_itself(world: World) -> None:
    def kept() -> list[object]:
        with world.db.read() as conn:
            return list(conn.execute(select(inbox.c.number)))

    world.put(world.ask_event(pairing="nowhere"), "AAAA-0001")
    world.settle()
    world.ms += 1_000
    assert kept()
    keeping = Upkeep(world.db, 500, [])
    keeping.start()
    wait_for(lambda: not kept())
    assert keeping.stop(PATIENCE_SECONDS)


def test_an_error_ends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> int:
        calls.append(1)
        raise away()

    calls: list[int] = []
    monkeypatch.setattr(queue_threads, "prune", gone)
    keeping = Upkeep(world.db, 500, [])
    with capture_logs() as found:
        keeping.start()
        for wanted in (1, 2):
            wait_for(lambda wanted=wanted: len(calls) >= wanted)
            world.db.wakes.wake(AUDIT)
        assert keeping.stop(PATIENCE_SECONDS)
    assert {line["event"] for line in found} == {"upkeep_failed"}
