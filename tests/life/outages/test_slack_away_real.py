"""The real process: Slack goes away while a task runs, the bot is killed and starts without it."""

from __future__ import annotations

from pathlib import Path

from tests.support.stage import ALAN, staged
from tests.support.way_in import OverHttp


def test_a_bot_that_starts_without_slack_says_everything_once_it_is_back(tmp_path: Path) -> None:
    with staged(OverHttp(), tmp_path, {}, {}) as world:
        asked = world.asks_to_break(world.pairing())
        world.appliance.hold_tasks()
        asked.clicks(ALAN, "approve")
        asked.wait_for_progress_to_say("RUNNING")
        world.slack.down()
        world.appliance.release_tasks()
        world.wait_for_states({"succeeded": 1})
        world.wait_for_log("slack_away")
        shown = world.console.show(asked.id)
        assert shown["state"] == "succeeded"
        unsaid = {message["slot"]: message["sentence"] for message in shown["unsaid"]}
        assert "It is not in Slack yet" in unsaid["final"]

        world.kill()
        world.restart()
        world.wait_for_log("slack_away")
        world.slack.down(False)
        final = asked.wait_for_final()
        asked.wait_for_record()
        world.wait_for_log("slack_back")
        asked.wait_for_quiet()
        for slot in ("final", "card", "progress"):
            world.wait_for_log("sent", slot=slot)
        assert world.console.show(asked.id)["unsaid"] == []
        assert asked.finals() == [final]
        assert len(world.appliance.deletes) == 1
