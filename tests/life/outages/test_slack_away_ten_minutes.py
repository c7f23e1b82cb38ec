"""Slack is away for ten minutes: the work goes on, everything waits, and all are told once."""

from __future__ import annotations

import threading

import pytest

from bot.request.model import State
from bot.sandbox.slack import mentions
from bot.slack.send.poster import ASK_SLACK_EVERY_MS
from tests.life.outages.slack_world import CHANNEL, FINAL_MARK, ID, SlackWorld, kind_of
from tests.support.world import ASKER, FIRST, PAIRING

TEN_MINUTES = 600

DOWN = {
    "no connection": {},
    "502 and a page": {"status": 502},
    "200 and a page": {"status": 200},
}


def down(world: SlackWorld, name: str) -> None:
    world.slack.down(**DOWN[name])  # type: ignore[arg-type]


def followed(world: SlackWorld) -> None:
    """Approved, sent, and a task runs."""
    world.pending()
    world.approve()
    assert world.state() is State.FOLLOWING


def told_once(world: SlackWorld, since_ms: int) -> None:
    """The final words came first, once, to whom they call; everything else stands as it should."""
    accepted = world.accepted(since_ms)
    assert kind_of(accepted[0]) == "final", [kind_of(c) for c in accepted]
    (final,) = world.finals()
    assert final.thread_ts == world.card_ts
    assert {ASKER, FIRST} <= mentions(final)
    assert world.card is not None
    assert world.card.buttons() == []
    assert len([m for m in world.replies() if FINAL_MARK not in m.text]) == 1, "progress, once"
    assert world.unsaid() == {}


@pytest.mark.parametrize("how", DOWN)
def test_the_task_is_followed_to_its_end_meanwhile(
    world: SlackWorld, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    followed(world)
    down(world, how)
    world.pass_time(60)
    world.appliance.end_task()
    world.pass_time(TEN_MINUTES - 60)
    assert world.state() is State.SUCCEEDED, "nothing of it depends on Slack"
    assert set(world.unsaid()) == {"card", "final", "progress"}
    assert "not in Slack yet" in world.unsaid()["final"]

    back_at = world.ms
    world.slack.down(False)
    world.pass_time(ASK_SLACK_EVERY_MS / 1000)
    told_once(world, back_at)
    world.pass_time(300)
    assert len(world.finals()) == 1
    assert world.appliance.deletes == [(PAIRING, False)]
    log = capsys.readouterr().out
    assert (log.count("slack_away"), log.count("slack_back")) == (1, 1)
    assert log.count("not_sent") <= 3, "Slack is asked whether it is back, not each message"


def test_slack_is_asked_seldom_and_the_rest_of_the_bot_not_at_all(world: SlackWorld) -> None:
    followed(world)
    world.slack.down(status=503)
    began = world.ms
    world.pass_time(60)
    world.appliance.end_task()
    world.pass_time(TEN_MINUTES - 60)
    asked = world.tried("auth.test", began)
    assert 50 <= len(asked) <= 65, "doubling up to ten seconds"
    down = [c for c in world.slack.calls if c.fault == "down"]
    assert len(down) - len(asked) == 1, "one message has met it"


def test_a_deadline_ends_a_request_that_nobody_could_see(world: SlackWorld) -> None:
    """Slack goes away before the card and comes back after APPROVAL_TTL: the asker alone is told,
    once, and the channel is not."""
    world.slack.down()
    world.ask()
    world.settle()
    world.pass_time(3_700)
    assert world.state() is State.REFUSED
    assert "final" not in world.unsaid()
    world.slack.down(False)
    world.pass_time(15)
    (told,) = world.slack.direct_messages(ASKER)
    assert "did not take the card in time" in told.text
    assert world.slack.messages(CHANNEL) == []
    world.pass_time(120)
    assert len(world.slack.direct_messages(ASKER)) == 1
    assert world.unsaid() == {}


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
    world.appliance.end_task()
    world.pass_time(10)
    assert world.state() is State.SUCCEEDED
    assert len(world.finals()) == 1


def test_an_approval_depends_on_no_message(world: SlackWorld) -> None:
    """Slack takes clicks and says who people are, and takes no message: all is done without one."""
    world.pending()
    asked_at = world.ms
    world.refuse("chat.postMessage", "chat.update", error="internal_error")
    world.approve()
    assert world.state() is State.FOLLOWING
    world.appliance.end_task()
    world.pass_time(TEN_MINUTES)
    assert world.state() is State.SUCCEEDED
    assert world.accepted(asked_at + 1) == []
    world.slack.heal()
    world.pass_time(60)
    assert len(world.finals()) == 1
    assert world.unsaid() == {}


def test_who_approved_cannot_be_read_then_nothing_is_sent_until_it_can(world: SlackWorld) -> None:
    """Rights are those of now: approved, and then Slack does not say who people are."""
    world.pending()
    world.click(ID, "approve", FIRST)
    real, rights_read = world.people.person, []

    def person(user: str) -> object:
        rights_read.append(user)
        # The click itself is counted; the reading before the intent finds Slack away.
        world.people.unreadable = len(rights_read) > 1
        return real(user)

    world.people.person = person  # type: ignore[assignment, method-assign]
    world.slack.down()
    world.settle()
    world.pass_time(300)
    assert world.state() is State.APPROVED
    assert world.appliance.deletes == []
    del world.people.person
    world.people.unreadable = False
    world.slack.down(False)
    world.pass_time(10)
    assert world.state() is State.FOLLOWING
    world.appliance.end_task()
    world.pass_time(10)
    assert len(world.finals()) == 1
    notices = [m.text for m in world.replies() if "waits" in m.text.lower() or "on" in m.text]
    assert notices, "the thread is told why it took that long"


def test_away_longer_than_execution_ttl_ends_what_could_not_begin(world: SlackWorld) -> None:
    world.pending()
    world.click(ID, "approve", FIRST)
    real, count = world.people.person, []

    def person(user: str) -> object:
        count.append(user)
        world.people.unreadable = len(count) > 1
        return real(user)

    world.people.person = person  # type: ignore[assignment, method-assign]
    world.slack.down()
    world.settle()
    world.pass_time(TEN_MINUTES + 10)
    assert world.state() is State.EXPIRED
    assert world.appliance.deletes == []
    world.slack.down(False)
    world.pass_time(10)
    (final,) = world.finals()
    assert {ASKER, FIRST} <= mentions(final)


def test_half_an_outage_is_no_storm(world: SlackWorld) -> None:
    """Slack says that it is there and takes no message all the same."""
    followed(world)
    world.slack.fail("chat.postMessage", status=503, times=None)
    world.slack.fail("chat.update", status=503, times=None)
    world.appliance.end_task()
    began = world.ms
    world.pass_time(TEN_MINUTES)
    tried = len(world.tried("chat.postMessage", began)) + len(world.tried("chat.update", began))
    assert tried <= 75, "not oftener than Slack is asked"
    world.slack.heal()
    world.pass_time(60)
    assert len(world.finals()) == 1
    assert world.unsaid() == {}


def test_no_answer_at_all(world: SlackWorld) -> None:
    """The connection stands, nothing comes, and at last it is cut: one message waits for it."""
    followed(world)
    hangs = world.slack.fail("*", hang=True)

    def cut() -> None:
        world.slack.wait_for(lambda: hangs.used, 30)
        world.slack.heal()

    cutting = threading.Thread(target=cut)
    cutting.start()
    world.appliance.end_task()
    world.pass_time(20)
    cutting.join()
    assert hangs.used == 1
    assert world.state() is State.SUCCEEDED
    assert len(world.finals()) == 1
    assert world.unsaid() == {}
