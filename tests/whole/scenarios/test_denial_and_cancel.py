"""Said no, or withdrawn: nothing reaches the appliance."""

from __future__ import annotations

import getpass

import pytest

from bot.sandbox.slack import CannotDo, mentions
from tests.support.asked import PATIENCE_SECONDS
from tests.support.bot_on_stage import ALAN, ANNA, RITA, World


def test_a_denial_needs_a_reason_and_shows_it(shared_world: World) -> None:
    world = shared_world
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)
    click = asked.clicks(ALAN, "deny")
    world.slack.wait_for(lambda: world.slack.views.get(ALAN), PATIENCE_SECONDS)
    view = world.slack.view_of(ALAN)
    assert view.callback_id == "unpair_deny_reason"
    assert asked.card.button("unpair_approve") is not None, "an open form decides nothing"

    with pytest.raises(CannotDo):
        world.slack.submit(ALAN, values={"reason": ""})
    blank = world.slack.submit(ALAN, values={"reason": " \n "}, force=True)
    assert blank.ok
    assert list(world.slack.view_of(ALAN).errors) == ["reason"]

    sent = world.slack.submit(ALAN, values={"reason": "the sync is still running"})
    assert sent.ok
    final = asked.wait_for_final()
    record = asked.wait_for_record()

    assert world.slack.views.get(ALAN) is None
    assert "Your denial is on the card" in world.answer(click).text
    for message in (final, record):
        assert "the sync is still running" in message.all_text
        assert f"Denied by <@{ALAN}>" in message.all_text
    assert mentions(final) == {RITA, ALAN}
    assert f"<@{RITA}>" in final.text
    assert f"<@{ALAN}>" in final.text
    assert asked.replies() == [final], "no progress message: nothing was under way"
    assert world.appliance.deletes == []
    assert pairing in world.appliance.pairings
    shown = world.console.show(asked.id)
    assert (shown["state"], shown["denied_by"], shown["denial_reason"]) == (
        "denied",
        ALAN,
        "the sync is still running",
    )
    assert shown["events"][-1]["action"] == "denied"
    world.console.verify()


def test_a_form_that_is_closed_leaves_the_request_as_it_was(shared_world: World) -> None:
    world = shared_world
    asked = world.asks_to_break(world.pairing())
    asked.clicks(ANNA, "deny")
    world.slack.wait_for(lambda: world.slack.views.get(ANNA), PATIENCE_SECONDS)
    world.slack.close(ANNA)

    click = asked.denies(ALAN, "no window today")
    asked.wait_for_final()

    assert "Your denial" in world.answer(click).text
    assert f"Denied by <@{ALAN}>" in asked.wait_for_record().all_text
    assert world.appliance.deletes == []


def test_the_requester_takes_it_back(shared_world: World) -> None:
    world = shared_world
    asked = world.asks_to_break(world.pairing())
    click = asked.clicks(RITA, "cancel")
    final = asked.wait_for_final()
    record = asked.wait_for_record()

    assert "withdrawn" in world.answer(click).text
    assert f"Withdrawn by <@{RITA}>" in record.all_text
    assert "Withdrawn" in final.text
    assert mentions(final) == {RITA}
    assert asked.replies() == [final]
    assert world.appliance.deletes == []
    shown = world.console.show(asked.id)
    assert (shown["state"], shown["cancelled_by"]) == ("cancelled", RITA)


def test_an_operator_takes_it_back_at_the_command_line(shared_world: World) -> None:
    world = shared_world
    asked = world.asks_to_break(world.pairing())
    # Typed from a phone call: in lower case and without the dash.
    done = world.console.run("cancel", asked.id.lower().replace("-", ""))
    assert done.returncode == 0, done.stderr
    assert asked.id in done.stdout

    final = asked.wait_for_final()
    record = asked.wait_for_record()
    operator = getpass.getuser()
    assert f"Withdrawn by `{operator}` (operator)" in record.all_text
    assert mentions(final) == {RITA}
    assert world.appliance.deletes == []
    shown = world.console.show(asked.id)
    assert (shown["state"], shown["events"][-1]["actor"]) == ("cancelled", f"operator:{operator}")

    late = world.console.run("cancel", asked.id)
    assert late.returncode == 1
    assert "cancelled" in late.stderr
    unknown = world.console.run("cancel", "ZZZZ-ZZZZ")
    assert unknown.returncode == 1
    assert "There is no request" in unknown.stderr


def test_cancel_wins_over_an_approval_that_comes_after_it(shared_world: World) -> None:
    world = shared_world
    asked = world.asks_to_break(world.pairing())
    asked.clicks(RITA, "cancel")
    late = asked.clicks(ALAN, "approve")

    assert "changed nothing" in world.answer(late).text
    assert "withdrawn" in world.answer(late).text
    asked.wait_for_final()
    assert f"Withdrawn by <@{RITA}>" in asked.wait_for_record().all_text
    assert world.appliance.deletes == []
