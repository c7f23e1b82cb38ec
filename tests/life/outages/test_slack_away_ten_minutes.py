"""Slack is away for ten minutes: the work goes on, everything waits, and all are told once."""

from __future__ import annotations

from typing import Any

import pytest

from bot.request.model import State
from bot.slack.send.poster import ASK_SLACK_EVERY_MS
from sandbox.slack import mentions
from tests.life.outages.slack_world import SlackWorld, kind_of
from tests.support.asked import FINAL_MARK
from tests.support.world import ASKER, CHANNEL, FIRST, PAIRING

TEN_MINUTES = 600


@pytest.mark.parametrize(
    "how", [{}, {"status": 502}, {"status": 200}], ids=["no connection", "502", "200 and a page"]
)
def test_the_task_is_followed_to_its_end_meanwhile(
    world: SlackWorld, how: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    world.followed()
    if how:
        world.slack.fail("*", times=None, **how)
    else:
        world.slack.down()
    began = world.ms + 1
    world.pass_time(60)
    world.appliance.end_task()
    world.pass_time(TEN_MINUTES - 60)
    assert world.state() is State.SUCCEEDED, "nothing of it depends on Slack"
    assert set(world.unsaid()) == {"card", "final", "progress"}
    if how:
        asked = world.tried("auth.test", began)
        assert 50 <= len(asked) <= 65, "whether Slack is back, at most every ten seconds"
        others = [c for c in world.slack.calls if c.at * 1000 >= began and c not in asked]
        assert len(others) == 1, "one message has met it"

    back_at = world.ms
    world.slack.heal()
    if not how:
        world.slack.down(False)
    world.pass_time(ASK_SLACK_EVERY_MS / 1000)
    assert kind_of(world.accepted(back_at)[0]) == "final"
    world.pass_time(300)
    (final,) = world.finals()
    assert final.thread_ts == world.card_ts
    assert {ASKER, FIRST} <= mentions(final)
    assert world.card is not None
    assert world.card.buttons() == []
    assert len([m for m in world.replies() if FINAL_MARK not in m.text]) == 1, "progress, once"
    assert world.unsaid() == {}
    assert world.appliance.deletes == [(PAIRING, False)]
    log = capsys.readouterr().out
    assert (log.count("slack_away"), log.count("slack_back")) == (1, 1)


def test_a_pending_request_expires_while_slack_is_away(world: SlackWorld) -> None:
    world.pending()
    world.pass_time(3_300)
    reminders = len(world.replies())
    world.slack.down()
    world.pass_time(TEN_MINUTES)
    assert world.state() is State.EXPIRED
    back_at = world.ms
    world.slack.down(False)
    world.pass_time(10)
    assert kind_of(world.accepted(back_at)[0]) == "final"
    (final,) = world.finals()
    assert ASKER in mentions(final)
    assert len(world.replies()) == reminders + 1, "a reminder that came too late is not sent"
    assert world.card is not None
    assert world.card.buttons() == []


def test_a_card_is_posted_late_and_counts(world: SlackWorld) -> None:
    """Away when it was asked: the card waits, its deadline does not."""
    world.slack.down()
    world.ask()
    world.pass_time(TEN_MINUTES)
    assert world.state() is State.CHECKING
    world.slack.down(False)
    world.pass_time(10)
    assert world.state() is State.PENDING
    assert len(world.slack.messages(CHANNEL)) == 1
    world.approve()
    assert world.state() is State.FOLLOWING


@pytest.mark.parametrize("fault", [{"status": 503}, {"error": "internal_error"}])
def test_half_an_outage_is_no_storm(world: SlackWorld, fault: dict[str, Any]) -> None:
    """Slack says who people are and that it is there, and takes no message all the same."""
    world.pending()
    for method in ("chat.postMessage", "chat.update"):
        world.slack.fail(method, times=None, **fault)
    began = world.ms
    world.approve()
    world.appliance.end_task()
    world.pass_time(TEN_MINUTES)
    assert world.state() is State.SUCCEEDED
    tried = len(world.tried("chat.postMessage", began)) + len(world.tried("chat.update", began))
    assert tried <= 75, "not oftener than Slack is asked"
    assert world.accepted(began + 1) == []
    world.slack.heal()
    world.pass_time(60)
    assert len(world.finals()) == 1
    assert world.unsaid() == {}
