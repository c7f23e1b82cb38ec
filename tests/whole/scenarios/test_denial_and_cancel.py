"""Said no, or withdrawn: nothing reaches the appliance."""

from __future__ import annotations

import os
import pwd

import pytest

from sandbox.slack import CannotDo, mentions
from tests.support.clock import PATIENCE_SECONDS
from tests.support.stage import ALAN, RITA, Stage


def test_a_denial_needs_a_reason_and_shows_it(shared_stage: Stage) -> None:
    stage = shared_stage
    asked = stage.asks_to_break(stage.pairing())
    click = asked.clicks(ALAN, "deny")
    stage.slack.wait_for(lambda: stage.slack.views.get(ALAN), PATIENCE_SECONDS)
    assert stage.slack.view_of(ALAN).callback_id == "unpair_deny_reason"
    assert asked.card.button("unpair_approve") is not None, "an open form decides nothing"
    with pytest.raises(CannotDo):
        stage.slack.submit(ALAN, values={"reason": ""})
    assert stage.slack.submit(ALAN, values={"reason": " \n "}, force=True).ok
    assert list(stage.slack.view_of(ALAN).errors) == ["reason"]
    assert stage.slack.submit(ALAN, values={"reason": "the sync is still running"}).ok
    final = asked.wait_for_final()
    assert stage.slack.views.get(ALAN) is None
    stage.answer(click)
    for message in (final, asked.wait_for_record()):
        assert "the sync is still running" in message.all_text
        assert f"<@{ALAN}>" in message.all_text
    assert mentions(final) == {RITA, ALAN}
    assert asked.replies() == [final], "no progress message: nothing was under way"
    assert stage.appliance.deletes == []
    shown = stage.console.show(asked.id)
    assert (shown["state"], shown["denied_by"]) == ("denied", ALAN)
    assert shown["denial_reason"] == "the sync is still running"
    assert shown["events"][-1]["action"] == "denied"


def test_an_operator_takes_it_back_at_the_command_line(shared_stage: Stage) -> None:
    stage = shared_stage
    asked = stage.asks_to_break(stage.pairing())
    # Typed from a phone call: in lower case and without the dash.
    done = stage.console.run("cancel", asked.id.lower().replace("-", ""))
    assert done.returncode == 0, done.stderr
    assert asked.id in done.stdout
    assert mentions(asked.wait_for_final()) == {RITA}
    operator = pwd.getpwuid(os.getuid()).pw_name
    assert f"`{operator}`" in asked.wait_for_record().all_text
    assert stage.appliance.deletes == []
    shown = stage.console.show(asked.id)
    assert (shown["state"], shown["events"][-1]["actor"]) == ("cancelled", f"operator:{operator}")
    assert stage.console.run("cancel", asked.id).returncode == 1
