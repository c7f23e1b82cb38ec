"""The DELETE went out and its answer did not come, or was a 401: never a second accepted one."""

from __future__ import annotations

import pytest

from bot.sandbox.appliance import Answer
from bot.sandbox.slack import mentions
from tests.support.asked import Asked
from tests.support.bot_on_stage import ALAN, RITA, World
from tests.whole.scenarios.conftest import Stage


@pytest.mark.both_ways
def test_an_answer_lost_after_acceptance_is_found_out_by_looking(world: World) -> None:
    world.appliance.on_delete(Answer(wire="cut_after_accept"))
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)
    world.appliance.hold_tasks()
    asked.clicks(ALAN, "approve")
    asked.wait_for_progress_to_say(world.appliance.wait_for(lambda: world.appliance.tasks)[0].id)
    world.appliance.release_tasks()
    asked.wait_for_quiet()

    (final,) = asked.finals()
    assert mentions(final) == {RITA, ALAN}
    assert "`SUCCESS`" in final.text
    assert len(asked.replies()) == 2
    assert len(world.appliance.deletes) == 1
    assert len(world.appliance.accepted_deletes) == 1
    assert pairing not in world.appliance.pairings
    shown = world.console.show(asked.id)
    assert shown["state"] == "succeeded"
    actions = [e["action"] for e in shown["events"]]
    assert "task_adopted" in actions
    assert actions.count("intent") == 1
    world.console.verify()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(502, accept_first=True),
        Answer(wire="truncate"),
        Answer(200, body="<html>hello</html>"),
    ],
    ids=["502-after-acceptance", "half-an-answer", "a-page-from-a-proxy"],
)
def test_an_answer_that_is_not_understood_is_never_asked_for_again(
    stage: Stage, answer: Answer
) -> None:
    """Where the call took effect its task is followed; where it did not, a person is called."""
    world = stage(VR_TIMEOUT_SECONDS="1")
    world.appliance.on_delete(answer)
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)
    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()

    assert len(world.appliance.deletes) == 1
    assert mentions(final) == {RITA, ALAN}
    if world.appliance.accepted_deletes:
        assert world.states() == {"succeeded": 1}
        assert pairing not in world.appliance.pairings
    else:
        assert world.states() == {"attention": 1}
        assert pairing in world.appliance.pairings
        assert "cannot be told" in final.text
        assert final.button("unpair_look") is not None


def never_arrived(world: World, pairing: str) -> Asked:
    """Approved, and its DELETE cut on the way: it has its final reply."""
    world.appliance.on_delete(Answer(wire="cut_before"))
    asked = world.asks_to_break(pairing)
    asked.clicks(ALAN, "approve")
    asked.wait_for_final()
    return asked


def test_a_delete_that_never_arrived_ends_with_a_person_and_a_look(stage: Stage) -> None:
    world = stage(VR_TIMEOUT_SECONDS="1")
    pairing = world.pairing()
    asked = never_arrived(world, pairing)
    final = asked.wait_for_final()
    assert "cannot be told" in final.text
    assert "was not sent again" in final.text
    assert "Outcome unknown" in asked.wait_for_record().all_text

    world.appliance.remove_pairing(pairing)  # a person did it in the vSphere Client
    look = world.slack.click(RITA, final, "unpair_look")
    assert look.ok
    assert "is gone" in world.answer(look).text
    correction = world.slack.wait_for_message(
        asked.channel,
        lambda m: "Looked again: the pairing is gone" in m.text,
        thread_ts=asked.card_ts,
        timeout_seconds=20,
    )
    assert mentions(correction) == {RITA, ALAN}
    assert len(world.appliance.deletes) == 1
    assert world.states() == {"succeeded": 1}


def test_the_next_card_leads_to_the_request_that_ended_unclear(stage: Stage) -> None:
    world = stage(VR_TIMEOUT_SECONDS="1")
    pairing = world.pairing()
    unclear = never_arrived(world, pairing)

    asked = world.asks_to_break(pairing)
    assert "Check it before approving: <https://" in asked.card.all_text
    assert f"|Open {unclear.id}>" in asked.card.all_text
    told = world.slack.command(RITA, f"status {unclear.id}", channel=asked.channel)
    link = f"/archives/{unclear.channel}/p{unclear.card_ts.replace('.', '')}|Open {unclear.id}>"
    assert link in world.answer(told).text
    asked.clicks(RITA, "cancel")
    asked.wait_for_record()


def test_a_delete_answered_401_is_sent_again_after_one_log_in(world: World) -> None:
    world.appliance.on_delete(Answer(401))
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)
    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()

    assert "The pairing is gone." in final.text
    assert [d.status for d in world.appliance.deletes] == [401, 202]
    assert len(world.appliance.accepted_deletes) == 1
    assert [login.status for login in world.appliance.logins] == [200, 200]
    assert pairing not in world.appliance.pairings
    assert world.states() == {"succeeded": 1}


def test_a_second_401_ends_it(world: World) -> None:
    world.appliance.on_delete(Answer(401), Answer(401))
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)
    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()

    assert "401 twice, before and after a new log-in" in final.text
    assert [d.status for d in world.appliance.deletes] == [401, 401]
    assert pairing in world.appliance.pairings
    assert world.states() == {"failed": 1}


def test_what_somebody_has_settled_is_named_no_longer(stage: Stage) -> None:
    world = stage(VR_TIMEOUT_SECONDS="1")
    asked = never_arrived(world, world.pairing())
    final = asked.wait_for_final()
    before = world.slack.command(RITA, "status", channel=asked.channel)
    assert world.answer(before).all_text.index("Outcome unknown") < 20

    assert world.slack.click(RITA, final, "unpair_settle").ok
    view = world.slack.wait_for(lambda: world.slack.views.get(RITA), 20)
    assert view.definition["callback_id"] == "unpair_settle_words"
    refused = world.slack.submit(RITA, values={"words": " "})
    assert list(world.slack.views[RITA].errors) == ["words"], refused
    assert world.slack.submit(RITA, values={"words": "broken by hand, CHG0031337"}).ok
    asked.wait_for_progress_to_say("broken by hand, CHG0031337")
    row = world.console.show(asked.id)
    assert (row["state"], row["settled_by"]) == ("attention", RITA)
    assert row["settled_at"] is not None
    assert "settled" in [event["action"] for event in row["events"]]

    after = world.slack.command(RITA, "status", channel=asked.channel)
    assert not world.answer(after).all_text.startswith("Outcome unknown")
    edited = world.slack.message(asked.channel, final.ts)
    assert edited is not None
    assert edited.button("unpair_settle") is None
