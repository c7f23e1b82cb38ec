"""The process dies, or is told to stop, in the middle of it; the next one goes on and ends it."""

from __future__ import annotations

import threading
import time

from bot.sandbox.appliance import Answer
from bot.sandbox.slack import mentions
from tests.support.asked import PATIENCE_SECONDS, Asked
from tests.support.bot_on_stage import ALAN, RITA, World
from tests.whole.scenarios.conftest import Stage

SLOW_ANSWER_SECONDS = 4
"""More than each thread's part would be of the time that all of them have to end."""

STOPS_WITHIN_SECONDS = 9.5
"""Hosts kill ten seconds after SIGTERM."""

GOES_ON_WITHIN_SECONDS = 30
"""At the default settings (contract): what the dead one held in hand is let go of by then."""


def goes_on_in_time(asked: Asked, died: float) -> None:
    """Waited for longer than allowed, so that a breach is told as a number."""
    asked.wait_for_final(2 * GOES_ON_WITHIN_SECONDS)
    assert time.monotonic() - died < GOES_ON_WITHIN_SECONDS


def told_once(world: World, asked: Asked) -> None:
    """One card, one progress message, one final reply, one DELETE, and a trail that is whole."""
    asked.wait_for_quiet()
    assert len(world.slack.messages(asked.channel)) == 1
    progress, final = asked.replies()
    assert asked.finals() == [final]
    assert progress.edits >= 1
    assert mentions(final) == {RITA, ALAN}
    assert "The pairing is gone." in final.text
    assert "Done: the pairing is gone" in asked.card.all_text
    assert len(world.appliance.deletes) == 1
    assert len(world.appliance.accepted_deletes) == 1
    assert world.appliance.pairings == []
    shown = world.console.show(asked.id)
    assert shown["state"] == "succeeded"
    actions = [e["action"] for e in shown["events"]]
    assert actions.count("intent") == 1
    assert actions.count("succeeded") == 1
    world.console.verify()


def killed_in_the_middle_of_the_delete(world: World) -> Asked:
    """The worst moment: the appliance has accepted and nobody has heard its answer."""
    world.appliance.on_delete(Answer(wire="hang", accept_first=True))
    asked = world.asks_to_break(world.pairing())
    asked.clicks(ALAN, "approve")
    world.appliance.wait_for(lambda: world.appliance.accepted_deletes, PATIENCE_SECONDS)
    asked.wait_for_progress_to_say("Approved")
    world.kill()
    return asked


def killed_while_slack_is_slow(world: World) -> Asked:
    """An edit of the card is on its way to a Slack that does not answer. The task is running by
    then: a kill between intent and DELETE would end in `attention`, which is another story."""
    world.appliance.hold_tasks()
    asked = world.asks_to_break(world.pairing())
    world.wait_for_states({"pending": 1})
    hangs = world.slack.fail("chat.update", hang=True)
    asked.clicks(ALAN, "approve")
    world.slack.wait_for(lambda: hangs.used, PATIENCE_SECONDS)
    world.wait_for_states({"following": 1})
    world.kill()
    world.slack.heal()
    world.appliance.release_tasks()
    return asked


def test_killed_in_the_middle_of_a_call(stage: Stage) -> None:
    """Who comes after waits for what the dead one holds: the request, or a message. Two bots at
    once, since that takes nearly half a minute. The one whose DELETE is unanswered looks, finds
    the task, and sends nothing."""
    mid_delete, mid_edit = stage(), stage()
    deleted = killed_in_the_middle_of_the_delete(mid_delete)
    died = time.monotonic()
    edited = killed_while_slack_is_slow(mid_edit)
    died_too = time.monotonic()
    mid_delete.restart()
    mid_edit.restart()

    goes_on_in_time(deleted, died)
    goes_on_in_time(edited, died_too)
    told_once(mid_delete, deleted)
    told_once(mid_edit, edited)
    shown = mid_delete.console.show(deleted.id)
    assert "task_adopted" in [e["action"] for e in shown["events"]]


def test_killed_while_the_task_runs(stage: Stage) -> None:
    """Between two looks, with nothing in hand: the next one goes on at once."""
    world = stage(VR_POLL_SECONDS="1")
    asked = world.asks_to_break(world.pairing())
    world.appliance.hold_tasks()
    asked.clicks(ALAN, "approve")
    asked.wait_for_progress_to_say("RUNNING")
    world.wait_for_log("sent", slot="progress", edit=True)
    world.kill()
    died = time.monotonic()
    world.restart()
    world.appliance.release_tasks()

    goes_on_in_time(asked, died)
    told_once(world, asked)


def test_killed_while_it_is_undecided(world: World) -> None:
    """The card on everybody's screen is as good as before, and its buttons still count."""
    asked = world.asks_to_break(world.pairing())
    world.wait_for_states({"pending": 1})
    world.kill()
    lost = world.slack.click(ALAN, asked.card, "unpair_approve")
    assert not lost.ok, "nobody was there: Slack says so to the clicker"
    world.restart()

    asked.clicks(ALAN, "approve")
    told_once(world, asked)


def test_told_to_stop_while_the_task_runs(world: World) -> None:
    asked = world.asks_to_break(world.pairing())
    world.appliance.hold_tasks()
    asked.clicks(ALAN, "approve")
    asked.wait_for_progress_to_say("RUNNING")
    began = time.monotonic()
    assert world.terminate() == 0
    assert time.monotonic() - began < 10
    (stopped,) = world.bot.events("stopped")
    assert stopped["finished"] is True

    world.restart()
    world.appliance.release_tasks()
    told_once(world, asked)


def test_told_to_stop_while_the_delete_is_unanswered(world: World) -> None:
    """The answer is worth waiting for: without it the next process can only look."""
    world.appliance.on_delete(Answer(wire="hang", accept_first=True))
    asked = world.asks_to_break(world.pairing())
    asked.clicks(ALAN, "approve")
    world.appliance.wait_for(lambda: world.appliance.accepted_deletes, PATIENCE_SECONDS)
    answers = threading.Timer(SLOW_ANSWER_SECONDS, world.appliance.release_hanging)
    answers.start()
    assert world.terminate() == 0
    answers.join()
    (stopped,) = world.bot.events("stopped")
    assert stopped["finished"] is True
    assert stopped["seconds"] > SLOW_ANSWER_SECONDS - 1
    assert "accepted" in [e["action"] for e in world.console.show(asked.id)["events"]]

    world.restart()
    told_once(world, asked)


def test_told_to_stop_while_slack_and_the_appliance_hang(world: World) -> None:
    """Each call lasts longer than a host waits, at the default settings. What was in hand comes
    back with its lease, and nothing is sent or said twice."""
    world.appliance.on_delete(Answer(wire="hang", accept_first=True))
    asked = world.asks_to_break(world.pairing())
    world.wait_for_states({"pending": 1})
    hangs = world.slack.fail("chat.update", hang=True, times=None)
    asked.clicks(ALAN, "approve")
    world.appliance.wait_for(lambda: world.appliance.accepted_deletes, PATIENCE_SECONDS)
    world.slack.wait_for(lambda: hangs.used, PATIENCE_SECONDS)
    began = time.monotonic()
    assert world.terminate() == 0
    ended = time.monotonic()
    (stopped,) = world.bot.events("stopped")
    assert ended - began < STOPS_WITHIN_SECONDS, stopped
    assert stopped["finished"] is False
    (left,) = world.bot.events("left_at_stop")
    assert left["left"] == ["worker", "poster"]

    world.slack.heal()
    world.appliance.release_hanging()
    world.restart()
    goes_on_in_time(asked, ended)
    told_once(world, asked)


def test_told_to_stop_while_nothing_is_asked(world: World) -> None:
    began = time.monotonic()
    assert world.terminate() == 0
    assert time.monotonic() - began < 10
    world.restart()
    asked = world.asks_to_break(world.pairing())
    assert world.states() in ({"checking": 1}, {"pending": 1})
    assert world.slack.messages(asked.channel) == [asked.card]
