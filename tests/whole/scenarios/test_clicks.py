"""Clicks that do not count, each with its answer; and clicks that must count once."""

from __future__ import annotations

import pytest

from bot.sandbox.slack import mentions
from tests.support.bot_on_stage import ALAN, ANNA, RITA, RUFUS, STAN, World
from tests.whole.scenarios.conftest import Stage


def test_who_may_not_press_is_told_what_to_do_instead(shared_world: World) -> None:
    world = shared_world
    asked = world.asks_to_break(world.pairing())

    for action in ("approve", "deny"):
        own = world.answer(asked.clicks(RITA, action))
        assert own.user == RITA
        assert "your own request" in own.text
        assert "press Withdraw" in own.text
        strange = world.answer(asked.clicks(STAN, action))
        assert "not an approver" in strange.text
    foreign = world.answer(asked.clicks(ALAN, "cancel"))
    assert f"<@{RITA}>" in foreign.text
    assert "Deny" in foreign.text
    assert world.slack.views == {}, "no form for a reason that will not count"

    # All of them were heard, and it still waits: somebody who may decides.
    assert asked.card.button("unpair_approve") is not None
    assert asked.replies() == []
    assert world.appliance.deletes == []
    events = world.console.show(asked.id)["events"]
    refused = [(e["actor"], e["detail"]["click"]) for e in events if e["action"] == "click_refused"]
    assert refused == [
        (RITA, "approve"),
        (STAN, "approve"),
        (RITA, "deny"),
        (STAN, "deny"),
        (ALAN, "cancel"),
    ]
    assert all(e["after"] == "pending" for e in events[-5:])
    asked.denies(ANNA, "enough")
    asked.wait_for_final()


def test_the_requester_never_counts_even_when_listed(stage: Stage) -> None:
    world = stage(APPROVERS=f"{RITA},{ALAN}")
    asked = world.asks_to_break(world.pairing())
    own = world.answer(asked.clicks(RITA, "approve"))
    assert "your own request" in own.text
    assert "press Withdraw" in own.text
    assert "0 of 1" in asked.card.all_text
    assert world.appliance.deletes == []
    asked.clicks(ALAN, "approve")
    assert mentions(asked.wait_for_final()) == {RITA, ALAN}
    assert len(world.appliance.deletes) == 1


@pytest.mark.both_ways
def test_a_double_click_and_a_late_click_send_nothing_more(world: World) -> None:
    asked = world.asks_to_break(world.pairing())
    world.appliance.hold_tasks()
    first = asked.clicks(ALAN, "approve")
    second = asked.clicks(ALAN, "approve")
    other = asked.clicks(ANNA, "approve")
    again = world.slack.redeliver(first)
    assert again.ok

    assert "1 of 1" in world.answer(first).text
    assert "already" in world.answer(second).text or "changed nothing" in world.answer(second).text
    assert "changed nothing" in world.answer(other).text
    asked.wait_for_progress_to_say("RUNNING")
    cancel = world.answer(asked.clicks(RITA, "cancel"))
    assert "changed nothing" in cancel.text
    assert f"<@{ALAN}>" in cancel.text
    world.appliance.release_tasks()
    asked.wait_for_quiet()

    for user, action in ((ANNA, "approve"), (ANNA, "deny"), (RITA, "cancel")):
        late = world.answer(asked.clicks(user, action))
        assert "changed nothing" in late.text
        assert "is done: the pairing is gone" in late.text
        assert f"<@{ALAN}>" in late.text
    assert len(world.appliance.deletes) == 1
    assert len(asked.finals()) == 1
    assert len(world.slack.messages(asked.channel)) == 1
    (row,) = world.console.requests()
    assert (row["state"], row["approvals"]) == ("succeeded", [ALAN])


def test_a_second_request_for_the_pairing_is_told_which_one_holds_it(shared_world: World) -> None:
    world = shared_world
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)
    second = world.asks(f"{pairing} me too", by=RUFUS, channel=asked.channel)

    told = world.answer(second.delivery)
    assert told.user == RUFUS
    assert f"`{asked.id}`" in told.text
    assert "*Next:*" in told.text
    assert [m.ts for m in world.slack.messages(asked.channel)] == [asked.card_ts]
    states = {r["requester"]: r["state"] for r in world.console.requests() if r["asked"] == pairing}
    assert states == {RITA: "pending", RUFUS: "refused"}

    # The first one is as good as before, and once it has ended the pairing is free again.
    asked.clicks(RITA, "cancel")
    asked.wait_for_final()
    third = world.asks(f"{pairing} now me", by=RUFUS)
    third.wait_for_card()
    assert third.id != asked.id
    assert world.appliance.deletes == []


def test_a_button_with_another_fingerprint_does_not_count(shared_world: World) -> None:
    """What was pressed is not what is shown: an old screen, or a made-up value."""
    world = shared_world
    asked = world.asks_to_break(world.pairing())
    asked.values["unpair_approve"] = f"{asked.id}:0123456789abcdef"
    told = world.answer(asked.clicks(ALAN, "approve"))
    assert "not up to date" in told.text
    assert "0 of 1" in asked.card.all_text
    assert world.appliance.deletes == []
