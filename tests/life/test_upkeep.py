"""The thread beside the requests: it writes lines, prunes, and survives a database that is away."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from bot.store import prune as pruning
from bot.store import shared
from bot.store.audit_log_lines import KEY
from bot.worker import upkeep
from bot.worker.upkeep import Upkeep
from tests.support.world import World, wait_for


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(f"sqlite:///{tmp_path}/bot.db")


def test_all_that_is_recorded_before_a_stop_is_told_by_then(world: World) -> None:
    keeping = Upkeep(world.db, keep_ms=1)
    with capture_logs() as found:
        keeping.start()
        world.pending()
        keeping.committed()
        assert keeping.stop(10)
    told = [line["number"] for line in found if line["event"] == "audit"]
    assert told == list(range(1, len(world.actions()) + 1))
    stored = shared.read(world.db, KEY)
    assert stored is not None
    assert int(stored[0]) == told[-1]
    world.close()


def test_what_is_over_goes_by_itself(world: World) -> None:
    world.put(world.ask_event(pairing="nowhere"), "AAAA-0001")
    world.settle()
    world.ms += 1_000
    keeping = Upkeep(world.db, keep_ms=500)
    keeping.start()
    wait_for(lambda: pruning.prune(world.db, 500) == 0)
    assert keeping.stop(10)
    world.close()


def test_an_error_ends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> int:
        calls.append(1)
        raise OperationalError("SELECT", {}, Exception("away"))

    calls: list[int] = []
    monkeypatch.setattr(upkeep, "prune", away)
    keeping = Upkeep(world.db, keep_ms=500)
    with capture_logs() as found:
        keeping.start()
        for wanted in (1, 2):
            wait_for(lambda wanted=wanted: len(calls) >= wanted or keeping.committed())
        assert keeping.stop(10)
    assert {line["event"] for line in found} == {"upkeep_failed"}
    world.close()


def test_a_stop_without_a_start_is_fine(world: World) -> None:
    assert Upkeep(world.db, keep_ms=1).stop(0)
    world.close()
