"""Clicks that do not count, each with its answer; and clicks that must count once."""

from __future__ import annotations

from sandbox.slack import mentions
from tests.support.stage import ALAN, ANNA, RITA, STAN, Stage
from tests.support.way_in import both_ways
from tests.whole.scenarios.conftest import NewStage


def test_the_requester_never_counts_even_when_listed(new_stage: NewStage) -> None:
    stage = new_stage(APPROVERS=f"{RITA},{ALAN}")
    asked = stage.asks_to_break(stage.pairing())
    presses = [(RITA, "approve"), (STAN, "approve"), (RITA, "deny"), (STAN, "deny")]
    presses.append((ALAN, "cancel"))
    for user, action in presses:
        assert stage.answer(asked.clicks(user, action)).user == user
    assert stage.slack.views == {}, "no form for a reason that will not count"
    refused = stage.trail("click_refused", count=5)
    assert [(r["actor"], r["detail"]["click"]) for r in refused] == presses
    assert {r["after"] for r in refused} == {"pending"}
    assert "0 of 1" in asked.card.all_text
    assert asked.replies() == []
    assert stage.appliance.deletes == []
    asked.clicks(ALAN, "approve")
    assert mentions(asked.wait_for_final()) == {RITA, ALAN}
    assert len(stage.appliance.deletes) == 1


@both_ways
def test_a_double_click_and_a_late_click_send_nothing_more(stage: Stage) -> None:
    asked = stage.asks_to_break(stage.pairing())
    stage.appliance.hold_tasks()
    first = asked.clicks(ALAN, "approve")
    others = [asked.clicks(ALAN, "approve"), asked.clicks(ANNA, "approve")]
    assert stage.slack.redeliver(first).ok
    assert "was counted" in stage.answer(first).text
    asked.wait_for_progress_to_say("RUNNING")
    others.append(asked.clicks(RITA, "cancel"))
    for click in others:
        assert "was counted" not in stage.answer(click).text
    assert f"<@{ALAN}>" in stage.answer(others[-1]).text
    stage.appliance.release_tasks()
    asked.wait_for_quiet()
    for user, action in ((ANNA, "approve"), (ANNA, "deny"), (RITA, "cancel")):
        stage.says(asked, user, action, f"<@{ALAN}>")
    assert len(stage.appliance.deletes) == 1
    assert len(asked.finals()) == 1
    assert len(stage.slack.messages(asked.channel)) == 1
    (row,) = stage.console.requests()
    assert (row["state"], row["approvals"]) == ("succeeded", [ALAN])
