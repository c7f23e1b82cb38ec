"""The whole bot, in this process, told to stop while Slack and the appliance hang for good: it ends
by its own deadline, whatever the limits of the calls are.

What must not happen is proved by what the servers saw; the only real time here is the deadline.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from bot import app, stop
from bot.app import Bot
from bot.sandbox import demo
from bot.sandbox.appliance import Answer, SimulatedAppliance
from bot.sandbox.slack import LocalSlack
from bot.settings import load
from bot.store.queues import POST
from bot.store.schema import messages, requests
from bot.worker.lookup_threads import ASKING_THREADS
from tests.support.clock import wait_for

HANGS_SECONDS = 60
"""The limit of each call: nobody may come to wait for it."""

STOP_SECONDS = 1.5
PATIENCE_SECONDS = 20
RITA, ALAN = "U0RITA", "U0ALAN"


@dataclass
class Stage:
    bot: Bot
    slack: LocalSlack
    appliance: SimulatedAppliance
    pairing: str
    channel: str

    def stop(self) -> threading.Thread:
        """Begun in another thread, and past the moment at which the doors are closed."""
        stopping = threading.Thread(target=self.bot.stop)
        stopping.start()
        port = self.bot.servers[0].port
        wait_for(lambda: not _listens(port))
        return stopping

    def asks(self) -> None:
        self.slack.command(RITA, f"{self.pairing} we move", channel=self.channel)

    def card(self) -> None:
        self.asks()
        self.slack.wait_for_message(
            self.channel,
            lambda m: m.button("unpair_approve") is not None,
            timeout_seconds=PATIENCE_SECONDS,
        )

    def approve(self) -> None:
        (card,) = self.slack.messages(self.channel)
        self.slack.click(ALAN, card, "unpair_approve")

    def readings(self) -> list[str]:
        return [c.path for c in self.appliance.calls if c.path.startswith("/pairings")]

    def lists(self) -> int:
        return self.readings().count("/pairings")

    def told(self) -> int:
        """Answers that came after an acknowledgement."""
        return len([e for e in self.slack.ephemerals(RITA) if e.via == "response_url"])

    def release(self) -> None:
        self.slack.heal()
        self.appliance.release_hanging()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(stop, "STOP_SECONDS", STOP_SECONDS)
    monkeypatch.setattr(app, "POST_TIMEOUT_S", HANGS_SECONDS)
    with SimulatedAppliance(calls_per_minute=None) as appliance, LocalSlack() as slack:
        for person in (RITA, ALAN):
            slack.add_person(person.removeprefix("U0").title(), id=person)
        settings = load(
            {
                **demo.settings(appliance, slack, ALAN),
                "VR_POLL_SECONDS": "0.2",
                "VR_TIMEOUT_SECONDS": str(HANGS_SECONDS),
                "DATABASE_URL": f"sqlite:///{tmp_path / 'bot.db'}",
                "HOST": "127.0.0.1",
                "PORT": "0",
            },
            tmp_path,
        )
        bot = Bot(settings, end=pytest.fail)
        bot.start()
        slack.request_url = f"http://127.0.0.1:{bot.servers[0].port}/slack/events"
        pairing = appliance.add_pairing(local="berlin", remote="prague")
        stage = Stage(bot, slack, appliance, pairing, slack.add_channel("dr"))
        yield stage
        stage.release()
        # Once more: those that were left have ended by now, and all is closed.
        with capture_logs() as logged:
            bot.stop()
        assert [e["finished"] for e in logged if e["event"] == "stopped"] == [True]


def test_it_ends_by_its_deadline_and_says_what_it_left(stage: Stage) -> None:
    stage.card()
    stage.appliance.on_delete(Answer(wire="hang", accept_first=True))
    hangs = stage.slack.fail("chat.update", hang=True, times=None)
    stage.approve()
    stage.appliance.wait_for(lambda: stage.appliance.accepted_deletes, PATIENCE_SECONDS)
    stage.slack.wait_for(lambda: hangs.used, PATIENCE_SECONDS)
    with capture_logs() as logged:
        stopping = stage.stop()
        stopping.join(PATIENCE_SECONDS)
        assert not stopping.is_alive(), "it waits for a call that hangs"
    (stopped,) = (e for e in logged if e["event"] == "stopped")
    assert stopped["finished"] is False
    assert stopped["seconds"] >= STOP_SECONDS, "they had all of it"
    (left,) = (e for e in logged if e["event"] == "left_at_stop")
    assert left["left"] == ["worker", "poster"]


def test_an_answer_that_comes_in_the_last_moment_is_stored(stage: Stage) -> None:
    """Nothing is closed under whoever still has something in hand."""
    stage.card()
    stage.appliance.on_delete(Answer(wire="hang", accept_first=True))
    stage.approve()
    stage.appliance.wait_for(lambda: stage.appliance.accepted_deletes, PATIENCE_SECONDS)
    stage.stop().join(PATIENCE_SECONDS)
    stage.appliance.release_hanging()
    assert stage.bot.worker.stop(PATIENCE_SECONDS)
    with stage.bot.db.read() as conn:
        assert conn.execute(select(requests.c.state)).scalar_one() == "following"


def test_nobody_begins_anything_new_while_others_are_waited_for(stage: Stage) -> None:
    stage.card()
    stage.appliance.on_delete(Answer(wire="hang", accept_first=True))
    stage.approve()
    stage.appliance.wait_for(lambda: stage.appliance.accepted_deletes, PATIENCE_SECONDS)
    wait_for(lambda: not _unsaid(stage.bot))
    stopping = stage.stop()
    assert stopping.is_alive(), "the DELETE is waited for"
    before = len(stage.slack.calls_of("chat.update"))
    with stage.bot.db.write() as conn:
        conn.execute(update(messages).values(wanted=-1, shown="", due_at=0))
    stage.bot.db.wakes.wake(POST)
    stopping.join(PATIENCE_SECONDS)
    assert len(stage.slack.calls_of("chat.update")) == before


def test_a_look_up_that_waits_is_not_begun_while_the_doors_are_closed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, goes_on = threading.Event(), threading.Event()

    def put(*_: object, **__: object) -> None:
        entered.set()
        assert goes_on.wait(PATIENCE_SECONDS)

    stage.appliance.fail("GET", "/pairings", Answer(wire="hang"), times=ASKING_THREADS)
    for _ in range(ASKING_THREADS + 1):
        stage.slack.command(RITA, "list", channel=stage.channel)
    stage.appliance.wait_for(lambda: stage.lists() == ASKING_THREADS, PATIENCE_SECONDS)
    # A listener in hand: the doors are not closed before it has answered.
    monkeypatch.setattr(stage.bot.inbox_of_slack, "put", put)
    asking = threading.Thread(target=stage.asks)
    asking.start()
    assert entered.wait(PATIENCE_SECONDS)
    stopping = stage.stop()
    stage.appliance.release_hanging()
    stage.slack.wait_for(lambda: stage.told() == ASKING_THREADS, PATIENCE_SECONDS)
    goes_on.set()
    stopping.join(PATIENCE_SECONDS)
    asking.join()
    assert stage.lists() == ASKING_THREADS


def test_a_delete_that_was_not_sent_yet_is_left_for_the_next(stage: Stage) -> None:
    """The appliance is just being read for it. The stop waits for that and for nothing more."""
    stage.card()
    wait_for(lambda: not _unsaid(stage.bot))
    before = len(stage.readings())
    stage.appliance.fail("GET", "/pairings", Answer(wire="hang"))
    stage.approve()
    stage.appliance.wait_for(lambda: len(stage.readings()) > before, PATIENCE_SECONDS)
    with capture_logs() as logged:
        stopping = stage.stop()
        stage.appliance.release_hanging()
        stopping.join(PATIENCE_SECONDS)
    (stopped,) = (e for e in logged if e["event"] == "stopped")
    assert stopped["finished"] is True
    assert stage.appliance.deletes == []
    with stage.bot.db.read() as conn:
        (row,) = conn.execute(select(requests)).all()
    assert (row.state, row.lease_until) == ("approved", 0)
    assert row.due_at is not None


def _unsaid(bot: Bot) -> bool:
    """Whether Slack has yet to be told anything."""
    with bot.db.read() as conn:
        return bool(conn.execute(select(messages.c.slot).where(messages.c.due_at > 0)).all())


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
