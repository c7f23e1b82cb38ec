"""The process dies, or is told to stop, in the middle of it; the next one goes on and ends it."""

from __future__ import annotations

import threading
import time

import pytest

from bot.slack.send.poster import SENDING_MS
from bot.store.queues import NET_SECONDS
from bot.worker.drive import LEASE_MS
from sandbox.appliance import Answer
from sandbox.slack import mentions
from tests.support.asked import Asked
from tests.support.clock import PATIENCE_SECONDS, wait_for
from tests.support.stage import ALAN, RITA, Stage

pytestmark = pytest.mark.usefixtures("clocked")

SLOW_ANSWER_SECONDS = 4
"""More than each thread's part would be of the time that all of them have to end."""

STOPS_WITHIN_SECONDS = 30.0
"""Of a busy machine: `tests/life/test_order_of_a_stop.py` has the deadline."""

GOES_ON_WITHIN_SECONDS, TURNED_SECONDS = 30, 24
"""At the default settings (contract): what the dead one held in hand is let go of by then. For most
of that the clock is turned: it goes on a little before the lease is over."""


def goes_on_in_time(stage: Stage, asked: Asked) -> None:
    """Another bot, that waits for the lease of the one that has just ended. A busy machine may take
    longer than the promise, and no lease does."""
    assert max(LEASE_MS, SENDING_MS) / 1000 + NET_SECONDS < GOES_ON_WITHIN_SECONDS
    ended = time.monotonic()
    stage.goes_by(TURNED_SECONDS * 1000)
    stage.restart()
    asked.wait_for_final(2 * GOES_ON_WITHIN_SECONDS)
    assert time.monotonic() - ended < GOES_ON_WITHIN_SECONDS
    told_once(stage, asked)


def told_once(stage: Stage, asked: Asked) -> None:
    """One card, one progress message, one final reply, one DELETE, and a trail that is whole."""
    asked.wait_for_quiet()
    assert len(stage.slack.messages(asked.channel)) == 1
    progress, final = asked.replies()
    assert asked.finals() == [final]
    assert progress.edits >= 1
    assert mentions(final) == {RITA, ALAN}
    assert "The pairing is gone." in final.text
    assert "Done: the pairing is gone" in asked.card.all_text
    assert len(stage.appliance.deletes) == 1
    assert len(stage.appliance.accepted_deletes) == 1
    assert stage.appliance.pairings == []
    shown = stage.console.show(asked.id)
    assert shown["state"] == "succeeded"
    actions = [e["action"] for e in shown["events"]]
    assert actions.count("intent") == 1
    assert actions.count("succeeded") == 1
    stage.console.verify()


def test_killed_in_the_middle_of_the_delete(stage: Stage) -> None:
    """The worst moment: the appliance has accepted and nobody has heard its answer. Who comes after
    waits for what the dead one holds, looks, finds the task, and sends nothing."""
    stage.appliance.on_delete(Answer(wire="hang", accept_first=True))
    asked = stage.asks_to_break(stage.pairing())
    asked.clicks(ALAN, "approve")
    stage.appliance.wait_for(lambda: stage.appliance.accepted_deletes, PATIENCE_SECONDS)
    # Killed before it has stored that, it would say so twice.
    wait_for(lambda: [sent for sent in stage.bot.events("sent") if sent["slot"] == "progress"])
    stage.kill()
    goes_on_in_time(stage, asked)
    assert "task_adopted" in [e["action"] for e in stage.console.show(asked.id)["events"]]


def test_told_to_stop_while_the_delete_is_unanswered(stage: Stage) -> None:
    """The answer is worth waiting for: without it the next process can only look."""
    stage.appliance.on_delete(Answer(wire="hang", accept_first=True))
    asked = stage.asks_to_break(stage.pairing())
    asked.clicks(ALAN, "approve")
    stage.appliance.wait_for(lambda: stage.appliance.accepted_deletes, PATIENCE_SECONDS)
    answers = threading.Timer(SLOW_ANSWER_SECONDS, stage.appliance.release_hanging)
    answers.start()
    assert stage.terminate() == 0
    answers.join()
    (stopped,) = stage.bot.events("stopped")
    assert stopped["finished"] is True
    assert stopped["seconds"] > SLOW_ANSWER_SECONDS - 1
    assert "accepted" in [e["action"] for e in stage.console.show(asked.id)["events"]]

    stage.restart()
    told_once(stage, asked)


def test_told_to_stop_while_slack_and_the_appliance_hang(stage: Stage) -> None:
    """Each call lasts longer than a host waits, at the default settings. What was in hand comes
    back with its lease, and nothing is sent or said twice."""
    stage.appliance.on_delete(Answer(wire="hang", accept_first=True))
    asked = stage.asks_to_break(stage.pairing())
    stage.wait_for_states({"pending": 1})
    hangs = stage.slack.fail("chat.update", hang=True, times=None)
    asked.clicks(ALAN, "approve")
    stage.appliance.wait_for(lambda: stage.appliance.accepted_deletes, PATIENCE_SECONDS)
    stage.slack.wait_for(lambda: hangs.used, PATIENCE_SECONDS)
    began = time.monotonic()
    assert stage.terminate() == 0
    ended = time.monotonic()
    (stopped,) = stage.bot.events("stopped")
    assert ended - began < STOPS_WITHIN_SECONDS, stopped
    assert stopped["finished"] is False
    (left,) = stage.bot.events("left_at_stop")
    assert left["left"] == ["worker", "poster"]

    stage.slack.heal()
    stage.appliance.release_hanging()
    goes_on_in_time(stage, asked)
