"""The appliance says no, at once or in the end of its task: its own words stand in the thread."""

from __future__ import annotations

import pytest

from bot.sandbox.appliance import Answer
from bot.sandbox.slack import mentions
from tests.support.asked import Asked
from tests.support.bot_on_stage import ALAN, RITA, World


def failed(world: World, asked: Asked, pairing: str, *, deletes: int = 1) -> str:
    """Approved, refused; the final reply's text after what is the same for every failure."""
    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()
    record = asked.wait_for_record()
    assert mentions(final) == {RITA, ALAN}
    assert "Failed: see the thread" in record.all_text
    assert len(asked.finals()) == 1
    assert len(world.slack.messages(asked.channel)) == 1
    assert len(world.appliance.deletes) == deletes
    assert pairing in world.appliance.pairings
    assert world.states() == {"failed": 1}
    sections = [b["text"]["text"] for b in final.blocks if b["type"] == "section"]
    for where in (final.text, "\n".join(sections)):
        assert f"<@{RITA}>" in where
        assert f"<@{ALAN}>" in where
    return final.text


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_refused_delete_is_told_in_the_appliances_own_words(world: World, status: int) -> None:
    code, op_id = f"VR_{status}_IN_USE", f"op-4711-{status}"
    message = "Pairing is *in use* by `vmware-dr` & another <solution>; see KB 2034767."
    world.appliance.on_delete(Answer(status, code, message, op_id))
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)

    text = failed(world, asked, pairing)

    assert f"HTTP `{status}`" in text
    assert f"error_code `{code}`" in text
    assert f"op_id `{op_id}`" in text
    escaped = message.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert escaped in text
    assert escaped in asked.finals()[0].all_text.replace(text, "")
    assert text.count("*Next:*") == 1
    if status == 403:
        assert "HmsRemote.com.vmware.vcHms.Hms.Manage" in text
    assert world.appliance.accepted_deletes == []
    shown = world.console.show(asked.id)
    assert (
        shown["outcome"]["problem"].items()
        >= {
            "status": status,
            "error_code": code,
            "message": message,
            "op_id": op_id,
        }.items()
    )
    assert [e["action"] for e in shown["events"]].count("intent") == 1


def test_a_task_in_error_is_told_with_message_and_details(world: World) -> None:
    message, details = "Unable to unregister the site pair.", "Fault vim.fault.NotFound at hms-42"
    world.appliance.set_task_outcome("ERROR", {"message": message, "details": details})
    pairing = world.pairing()

    text = failed(world, world.asks_to_break(pairing), pairing)

    task = world.appliance.tasks[0]
    for words in ("`ERROR`", f"`{task.id}`", message, details):
        assert words in text


def test_a_task_in_error_without_any_words_is_told_as_that(world: World) -> None:
    world.appliance.set_task_outcome("ERROR", None)
    pairing = world.pairing()
    text = failed(world, world.asks_to_break(pairing), pairing)
    assert "`ERROR`" in text
    assert "without an error message" in text


def test_a_task_that_somebody_cancelled(world: World) -> None:
    world.appliance.set_task_outcome("CANCELLED")
    pairing = world.pairing()
    text = failed(world, world.asks_to_break(pairing), pairing)
    assert "`CANCELLED`" in text
    assert f"`{world.appliance.tasks[0].id}`" in text


def test_the_remote_site_down_and_no_force(world: World) -> None:
    """The card warns; the break is tried as it was approved, never turned into a one-sided one."""
    pairing = world.pairing(local="riga", remote="rome")
    world.appliance.set_remote_down(pairing)
    asked = world.asks_to_break(pairing)
    assert "could not be reached" in asked.card.all_text
    assert "One-sided" not in asked.card.all_text

    text = failed(world, asked, pairing)

    assert "Unable to connect to the remote vSphere Replication Management Server." in text
    assert "timed out" in text
    assert [d.query for d in world.appliance.deletes] == [{"force": "false"}]


def test_a_failed_request_leaves_the_pairing_free_for_the_next(world: World) -> None:
    world.appliance.on_delete(Answer(400, "BUSY", "Try later.", "op-1"))
    pairing = world.pairing()
    failed(world, world.asks_to_break(pairing), pairing)

    again = world.asks_to_break(pairing)
    again.clicks(ALAN, "approve")
    assert "The pairing is gone." in again.wait_for_final().text
    assert len(world.appliance.deletes) == 2
    assert len(world.appliance.accepted_deletes) == 1


def test_sessions_that_are_never_accepted_refuse_each_request_at_once(world: World) -> None:
    """Nobody waits for a rest to be over that no call can end."""
    world.appliance.fail("GET", "", Answer(401), times=None)
    pairing = world.pairing()
    for _ in range(3):
        asked = world.asks(f"{pairing} it must go")
        told = world.answer(asked.delivery).text
        assert world.slack.messages(asked.channel) == []
    assert world.states() == {"refused": 3}
    assert "rests now: accounts get locked" in told
    assert len(world.appliance.logins) <= 3, "two that led nowhere, and the one of the start"
