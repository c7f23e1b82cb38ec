"""The appliance says no, at once or in the end of its task: its own words stand in the thread."""

from __future__ import annotations

from bot.sandbox.appliance import Answer
from bot.sandbox.slack import mentions
from tests.support.stage import ALAN, RITA, Stage


def failed(stage: Stage, pairing: str) -> tuple[str, str]:
    """Approved, refused: the request's id, and the final reply."""
    asked = stage.asks_to_break(pairing)
    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()
    asked.wait_for_record()
    assert mentions(final) == {RITA, ALAN}
    assert len(asked.finals()) == 1
    assert len(stage.slack.messages(asked.channel)) == 1
    assert len(stage.appliance.deletes) == 1
    assert pairing in stage.appliance.pairings
    assert stage.states() == {"failed": 1}
    sections = [b["text"]["text"] for b in final.blocks if b["type"] == "section"]
    for where in (final.text, "\n".join(sections)):
        assert f"<@{RITA}>" in where
        assert f"<@{ALAN}>" in where
    return asked.id, final.text


def test_a_refused_delete_is_told_in_the_appliances_own_words(stage: Stage) -> None:
    message = "Pairing is *in use* by `vmware-dr` & another <solution>; see KB 2034767."
    stage.appliance.on_delete(Answer(403, "VR_IN_USE", message, "op-4711"))
    request, text = failed(stage, stage.pairing())
    escaped = message.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for words in ("`403`", "`VR_IN_USE`", "`op-4711`", escaped):
        assert words in text
    assert stage.appliance.accepted_deletes == []
    shown = stage.console.show(request)
    told = {"status": 403, "error_code": "VR_IN_USE", "message": message, "op_id": "op-4711"}
    assert shown["outcome"]["problem"].items() >= told.items()
    assert [e["action"] for e in shown["events"]].count("intent") == 1


def test_a_task_in_error_is_told_with_message_and_details(stage: Stage) -> None:
    message, details = "Unable to unregister the site pair.", "Fault vim.fault.NotFound at hms-42"
    stage.appliance.set_task_outcome("ERROR", {"message": message, "details": details})
    _, text = failed(stage, stage.pairing())
    for words in ("`ERROR`", f"`{stage.appliance.tasks[0].id}`", message, details):
        assert words in text


def test_sessions_that_are_never_accepted_refuse_each_request_at_once(stage: Stage) -> None:
    """Nobody waits for a rest to be over that no call can end."""
    stage.appliance.fail("GET", "", Answer(401), times=None)
    pairing = stage.pairing()
    for number in range(1, 4):
        asked = stage.asks(f"{pairing} it must go")
        stage.answer(asked.delivery)
        assert stage.slack.messages(asked.channel) == []
        stage.wait_for_states({"refused": number})
    assert len(stage.appliance.logins) <= 3, "two that led nowhere, and the one of the start"
