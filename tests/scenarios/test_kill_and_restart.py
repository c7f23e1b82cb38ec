"""The process dies, or is told to stop, in the middle of it; the next one goes on and ends it."""

from __future__ import annotations

import time

from bot.sandbox.appliance import Answer
from bot.sandbox.slack import mentions
from tests.scenarios.asked import PATIENCE_SECONDS, Asked
from tests.scenarios.world import ALAN, RITA, World

GOES_ON_WITHIN_SECONDS = 30
"""At the default settings (contract): what the dead one held in hand is let go of by then."""


def goes_on_in_time(world: World, asked: Asked, died: float) -> None:
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


def test_killed_in_the_middle_of_the_delete(world: World) -> None:
    """The worst moment: the appliance has accepted and nobody has heard its answer. Who comes after
    waits for the lease, looks, finds the task, and sends nothing."""
    world.appliance.on_delete(Answer(wire="hang", accept_first=True))
    asked = world.asks_to_break(world.pairing())
    world.appliance.hold_tasks()
    asked.clicks(ALAN, "approve")
    world.appliance.wait_for(lambda: world.appliance.accepted_deletes, PATIENCE_SECONDS)
    asked.wait_for_progress_to_say("Approved")
    world.kill()
    died = time.monotonic()
    world.restart()
    world.appliance.release_tasks()

    goes_on_in_time(world, asked, died)
    told_once(world, asked)
    assert "task_adopted" in [e["action"] for e in world.console.show(asked.id)["events"]]


def test_killed_while_slack_is_slow(world: World) -> None:
    """The appliance is done and an edit of the card is on its way to a Slack that does not answer:
    what the dead one was sending holds up nothing for longer than what it was doing."""
    asked = world.asks_to_break(world.pairing())
    world.wait_for_states({"pending": 1})
    fault = world.slack.fail("chat.update", hang=True)
    asked.clicks(ALAN, "approve")
    world.slack.wait_for(lambda: fault.used, PATIENCE_SECONDS)
    world.kill()
    died = time.monotonic()
    world.slack.heal()
    world.restart()

    goes_on_in_time(world, asked, died)
    told_once(world, asked)


def test_killed_while_the_task_runs(world: World) -> None:
    asked = world.asks_to_break(world.pairing())
    world.appliance.hold_tasks()
    asked.clicks(ALAN, "approve")
    asked.wait_for_progress_to_say("RUNNING")
    world.kill()
    died = time.monotonic()
    world.restart()
    world.appliance.release_tasks()

    goes_on_in_time(world, asked, died)
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


def test_told_to_stop_while_nothing_is_asked(world: World) -> None:
    began = time.monotonic()
    assert world.terminate() == 0
    assert time.monotonic() - began < 10
    world.restart()
    asked = world.asks_to_break(world.pairing())
    asked.clicks(ALAN, "approve")
    told_once(world, asked)
