"""What the DELETE was answered, or that no answer came: never a second accepted one."""

from __future__ import annotations

from sandbox.appliance import Answer
from sandbox.slack import mentions
from tests.support.clock import PATIENCE_SECONDS
from tests.support.stage import ALAN, RITA, Stage
from tests.whole.scenarios.conftest import NewStage


def test_an_answer_lost_after_acceptance_is_found_out_by_looking(stage: Stage) -> None:
    stage.appliance.on_delete(Answer(wire="cut_after_accept"))
    pairing = stage.pairing()
    asked = stage.asks_to_break(pairing)
    stage.appliance.hold_tasks()
    asked.clicks(ALAN, "approve")
    asked.wait_for_progress_to_say(stage.appliance.wait_for(lambda: stage.appliance.tasks)[0].id)
    stage.appliance.release_tasks()
    asked.wait_for_quiet()
    (final,) = asked.finals()
    assert mentions(final) == {RITA, ALAN}
    assert "`SUCCESS`" in final.text
    assert len(asked.replies()) == 2
    assert len(stage.appliance.deletes) == 1
    assert len(stage.appliance.accepted_deletes) == 1
    assert pairing not in stage.appliance.pairings
    shown = stage.console.show(asked.id)
    assert shown["state"] == "succeeded"
    actions = [e["action"] for e in shown["events"]]
    assert "task_adopted" in actions
    assert actions.count("intent") == 1


def test_a_delete_that_never_arrived_ends_with_a_person(new_stage: NewStage) -> None:
    """Two of them: one is settled in words, and what a look finds corrects the other."""
    stage = new_stage(VR_TIMEOUT_SECONDS="1")
    pairings = stage.pairing(), stage.pairing()
    settled, looked_at = (stage.asks_to_break(pairing) for pairing in pairings)
    stage.appliance.on_delete(Answer(wire="cut_before"), Answer(wire="cut_before"))
    for asked in (settled, looked_at):
        asked.clicks(ALAN, "approve")
    finals = [asked.wait_for_final() for asked in (settled, looked_at)]
    looked_at.wait_for_record()
    assert stage.states() == {"attention": 2}

    assert stage.slack.click(ALAN, finals[0], "unpair_settle").ok
    view = stage.slack.wait_for(lambda: stage.slack.views.get(ALAN), PATIENCE_SECONDS)
    assert view.callback_id == "unpair_settle_words"
    stage.slack.submit(ALAN, values={"words": " "})
    assert list(stage.slack.views[ALAN].errors) == ["words"]
    assert stage.slack.submit(ALAN, values={"words": "broken by hand, CHG0031337"}).ok
    settled.wait_for_progress_to_say("broken by hand, CHG0031337")
    row = stage.console.show(settled.id)
    assert (row["state"], row["settled_by"]) == ("attention", ALAN)
    assert row["settled_at"] is not None
    edited = stage.slack.message(settled.channel, finals[0].ts)
    assert edited is not None
    assert edited.buttons() == []

    stage.appliance.remove_pairing(pairings[1])  # a person did it in the vSphere Client
    look = stage.slack.click(RITA, finals[1], "unpair_look")
    assert look.ok
    stage.answer(look)
    correction = stage.slack.wait_for_message(
        looked_at.channel,
        lambda m: m.ts > finals[1].ts,
        thread_ts=looked_at.card_ts,
        timeout_seconds=PATIENCE_SECONDS,
    )
    assert mentions(correction) == {RITA, ALAN}
    assert len(stage.appliance.deletes) == 2
    assert stage.states() == {"attention": 1, "succeeded": 1}


def test_a_refusal_is_told_in_the_appliances_own_words(stage: Stage) -> None:
    message = "Pairing is *in use* by `vmware-dr` & another <solution>; see KB 2034767."
    stage.appliance.on_delete(Answer(403, "VR_IN_USE", message, "op-4711"))
    asked = stage.asks_to_break(stage.pairing())
    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()
    asked.wait_for_record()
    assert mentions(final) == {RITA, ALAN}
    escaped = message.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    sections = [b["text"]["text"] for b in final.blocks if b["type"] == "section"]
    for told in (final.text, "\n".join(sections)):
        for words in ("`403`", "`VR_IN_USE`", "`op-4711`", escaped, f"<@{RITA}>", f"<@{ALAN}>"):
            assert words in told
    assert [delete.status for delete in stage.appliance.deletes] == [403]
    shown = stage.console.show(asked.id)
    words_of_it = {"status": 403, "error_code": "VR_IN_USE", "message": message, "op_id": "op-4711"}
    assert shown["state"] == "failed"
    assert shown["outcome"]["problem"].items() >= words_of_it.items()
