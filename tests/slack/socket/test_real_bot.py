"""The real process in Socket Mode: ready when Slack is heard, deaf to repetitions, and gone within
ten seconds of a SIGTERM."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.slack.receive import payload
from sandbox.bot_process import BotProcess
from sandbox.slack import Delivery
from tests.support.clock import wait_for
from tests.support.stage import ALAN, RITA, Stage, staged
from tests.support.way_in import CONNECTS_WITHIN_SECONDS, OverSocket

STOPS_WITHIN_S = 30.0
"""Of a busy machine: `tests/life/test_order_of_a_stop.py` has the deadline."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(OverSocket(), tmp_path_factory.mktemp("socket"), {}, {}) as world:
        yield world


def readiness(bot: BotProcess) -> tuple[int, Any]:
    answer = requests.get(f"{bot.url}/readyz", timeout=60)
    return answer.status_code, answer.json()


def inbox(world: Stage) -> set[str]:
    """The origins of all events that were ever stored."""
    connection = sqlite3.connect(world.bot.folder / "vr-unpair.db")
    try:
        found = {row[0] for row in connection.execute("SELECT origin FROM inbox")}
    finally:
        connection.close()
    return found


def test_ready_over_the_socket_and_no_door_over_http(world: Stage) -> None:
    status, found = readiness(world.bot)
    assert (status, found["slack"], found["database"]) == (200, "ok", "ok")
    url = f"{world.bot.url}/slack/events"
    assert requests.post(url, data=b"x", timeout=60).status_code == 404


def test_the_same_envelope_twice_changes_nothing(world: Stage) -> None:
    asked = world.asks_to_break(world.pairing())
    world.wait_for_states({"pending": 1})
    before = inbox(world)
    for number in (1, 2):
        assert world.slack.redeliver(asked.delivery, num=number).ok
    assert inbox(world) == before
    cancelled = asked.clicks(RITA, "cancel")
    asked.wait_for_record()
    world.wait_for_states({"cancelled": 1})
    before, shown = inbox(world), world.console.show(asked.id)
    for number in (1, 2):
        assert world.slack.redeliver(cancelled, num=number).ok
    assert inbox(world) == before
    assert world.console.show(asked.id) == shown
    assert len(world.slack.messages(asked.channel)) == 1
    assert world.appliance.deletes == []


def test_an_unreachable_slack_at_the_start(world: Stage, tmp_path: Path) -> None:
    with world.slack.workspace.lock:
        own = dict(world.bot.environment)
    with BotProcess({**own, "SLACK_APP_TOKEN": "xapp-wrong"}, tmp_path) as bot:

        def refused() -> Any:
            answer = readiness(bot)
            return answer if "invalid_auth" in answer[1]["slack"] else None

        found = wait_for(refused, CONNECTS_WITHIN_SECONDS, told=lambda: readiness(bot))
        assert found[0] == 503
        assert "SLACK_APP_TOKEN" in found[1]["slack"]
        assert found[1]["database"] == "ok"
        assert requests.get(f"{bot.url}/healthz", timeout=60).status_code == 200
        began = time.monotonic()
        assert bot.stop() == 0
        assert time.monotonic() - began < STOPS_WITHIN_S
    world.expected_from_slack.add("invalid_auth")


def test_told_to_stop_while_people_click(tmp_path: Path) -> None:
    """What was acknowledged is stored; what was not is somebody else's."""
    with staged(OverSocket(), tmp_path, {}, {}) as world:
        asked = world.asks_to_break(world.pairing())
        world.wait_for_states({"pending": 1})
        world.slack.courier.ack_seconds = 0.5
        done: list[Delivery] = []
        enough = threading.Event()

        def click() -> None:
            while not enough.is_set():
                done.append(
                    world.slack.click(
                        ALAN,
                        asked.card,
                        "unpair_look",
                        value=asked.values["unpair_cancel"],
                        force=True,
                    )
                )

        people = [threading.Thread(target=click) for _ in range(3)]
        for person in people:
            person.start()
        world.slack.wait_for(lambda: len(done) > 5)
        began = time.monotonic()
        assert world.terminate() == 0
        assert time.monotonic() - began < STOPS_WITHIN_S
        enough.set()
        for person in people:
            person.join()
        acknowledged = {payload.read(payload.Click, d.payload).origin for d in done if d.ok}
        assert len(acknowledged) > 5
        assert acknowledged <= inbox(world)
        assert len(acknowledged) < len(done), "nobody clicked after the end"
        assert world.bot.events("stopped")
