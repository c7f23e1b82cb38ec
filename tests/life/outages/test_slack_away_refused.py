"""What Slack will never take: the card deleted, the channel closed, edits refused, the token."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.request.model import State
from bot.slack.draw import request_lists as status
from sandbox.slack import mentions
from tests.life.outages.slack_world import ID, SlackWorld
from tests.support.world import ASKER, CHANNEL, FIRST

HOUR = 3_600


def ended(world: SlackWorld) -> None:
    world.appliance.end_task()
    world.pass_time(30)
    assert world.state() is State.SUCCEEDED


# ---- the card is deleted -----------------------------------------------------------------------


@pytest.mark.parametrize("takes_replies", [True, False], ids=["thread stays", "thread goes too"])
def test_the_card_is_deleted_while_the_task_runs(world: SlackWorld, takes_replies: bool) -> None:
    """The final reply is seen in the channel: a thread without its first message is hard to find,
    where Slack keeps it at all."""
    world.slack.workspace.deleted_takes_replies = takes_replies
    world.pending()
    world.click(ID, "approve", FIRST)  # from a screen that is behind
    world.slack.delete_message(CHANNEL, world.card_ts)
    world.settle()
    ended(world)
    world.pass_time(HOUR)
    (final,) = world.finals()
    assert final.broadcast is takes_replies
    assert (final.thread_ts is None) is not takes_replies
    assert mentions(final) == {ASKER, FIRST}
    assert ID in final.all_text, "it says by itself what it is about"
    assert set(world.unsaid()) >= {"card"}
    edits = [c for c in world.slack.calls_of("chat.update") if c.args["ts"] == world.card_ts]
    assert len(edits) == 1, "that it is gone need not be asked again"


def test_the_card_is_deleted_while_undecided(world: SlackWorld) -> None:
    """Who deletes the card takes the question away: its deadline ends it, and the asker hears."""
    world.pending()
    world.slack.delete_message(CHANNEL, world.card_ts)
    world.pass_time(HOUR + 30)
    assert world.state() is State.EXPIRED
    (final,) = world.finals()
    assert (final.channel, final.thread_ts) == (CHANNEL, None)
    assert ASKER in mentions(final)
    assert world.slack.messages(CHANNEL) == [final], "no reminder of a question that is gone"


# ---- the channel is closed ---------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["archived", "removed", "removed from a private one"])
def test_the_channel_closes_while_the_task_runs(
    world: SlackWorld, closed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.followed()
    world.slack.workspace.channels[CHANNEL].private = "private" in closed
    is_archived = closed == "archived"
    world.slack.set_channel(CHANNEL, archived=is_archived, bot_is_member=is_archived)
    ended(world)
    assert [m.channel == CHANNEL for m in world.finals()] == [False, False]
    for who in (ASKER, FIRST):
        assert len(world.slack.direct_messages(who)) == 1, "each concerned is told, once"
    assert "final" in world.unsaid()
    log = capsys.readouterr().out
    assert [part for part in ("given_up", "slot=final", f"request={ID}") if part not in log] == []

    world.slack.set_channel(CHANNEL, archived=False, bot_is_member=True)
    world.pass_time(HOUR)
    assert len(world.finals()) == 2, "nobody is told a second time"
    assert world.card is not None
    assert world.card.buttons() == [], "and the card asks no more"
    assert set(world.unsaid()) == {"final"}


def test_a_closed_channel_is_asked_seldom_and_left_alone_after_a_day(world: SlackWorld) -> None:
    world.followed()
    world.slack.set_channel(CHANNEL, archived=True)
    before = len(world.slack.calls)
    world.progresses(range(5, 100, 5))
    assert len(world.slack.calls) - before == 2, "now and a minute later"
    ended(world)
    for _ in range(48):
        world.wait(HOUR * 1000)
    assert len(world.slack.calls) - before <= 75, "the card and the progress message"
    done = len(world.slack.calls)
    world.wait(48 * HOUR * 1000)
    assert len(world.slack.calls) == done


def test_what_slack_does_not_say_is_in_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A direct message that nobody can get included."""
    address = f"sqlite:///{tmp_path}/shown.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", address)
    with closing(SlackWorld(address)) as world:
        world.followed()
        world.slack.set_channel(CHANNEL, archived=True)
        world.slack.deactivate(ASKER)
        ended(world)
        assert len(world.slack.direct_messages(FIRST)) == 1
        assert (f"final:{ASKER}", "channel_not_found") in world.given_up
    shown = json.loads(CliRunner().invoke(app, ["show", ID, "--json"]).stdout)
    unsaid = {m["slot"]: m for m in shown["unsaid"]}
    assert (unsaid["final"]["error"], unsaid["final"]["next_try"]) == ("is_archived", None)
    assert f"final:{ASKER}" in unsaid
    assert unsaid["card"]["next_try"] > unsaid["card"]["since"]
    text = CliRunner().invoke(app, ["show", ID], env={"COLUMNS": "200"}).stdout
    assert unsaid["final"]["sentence"] in " ".join(text.split())


# ---- edits and posts are refused ---------------------------------------------------------------


# ---- the token ---------------------------------------------------------------------------------


def test_the_token_is_refused_until_a_new_one_is_there(
    world: SlackWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    """The work in hand goes on; one loud line a minute for each of three messages. Slack is first,
    and whoever sets the new token comes ten minutes later."""
    world.followed()
    world.slack.rotate(bot_token="xoxb-second")
    ended(world)
    world.pass_time(600)
    assert "final" in world.unsaid()
    assert 30 <= capsys.readouterr().out.count("slack_refuses_the_token") <= 36
    world.bot_token = "xoxb-second"
    world.pass_time(61)
    assert len(world.finals()) == 1
    assert world.unsaid() == {}


REFUSALS = {
    "missing_scope": ("chat.postMessage",),
    "token_revoked": ("chat.postMessage", "chat.update", "auth.test"),
}
"""What Slack refuses with this word: the token is good for nothing, or not for posts alone."""


def told(world: SlackWorld) -> list[str]:
    """What the asker has read through the `response_url`, which needs no token."""
    return [m.text for m in world.slack.ephemerals(ASKER)]


def asked_with_a_card_refused(world: SlackWorld, word: str) -> None:
    world.refuse(*REFUSALS[word], error=word)
    address = world.response_url(ASKER)
    world.inbox.put(world.ask_event(), origin="asked", request_id=ID, response_url=address)
    world.pass_time(5)


@pytest.mark.parametrize("word", REFUSALS)
def test_the_token_is_refused_before_the_card(
    world: SlackWorld, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No card, no thread: the asker would wait an hour for nothing, and nobody would know why."""
    asked_with_a_card_refused(world, word)
    (held_up,) = told(world)
    for said in (held_up, status.one(world.get()), status.line(world.get(), None)):
        assert f"`{word}`" in said
    assert ID in held_up
    world.pass_time(600)
    assert told(world) == [held_up], "once"
    assert world.actions().count("card_held_up") == 1
    log = capsys.readouterr().out
    assert "slack_back" not in log, "an answer was taken, and yet the token is still refused"
    assert 8 <= log.count("slack_refuses_the_token") <= 20
    world.slack.heal()
    world.pass_time(121)
    assert world.state() is State.PENDING
    assert world.card is not None
    assert told(world) == [held_up]
    assert word not in status.one(world.get())


@pytest.mark.parametrize("last", REFUSALS)
def test_a_card_that_the_token_kept_back_to_the_end_says_so(last: str) -> None:
    """With the word of the last refusal."""
    with closing(SlackWorld(approval_ttl_ms=600_000)) as world:
        asked_with_a_card_refused(world, "token_revoked")
        world.slack.heal()
        world.refuse(*REFUSALS[last], error=last)
        world.pass_time(610)
        assert world.state() is State.REFUSED
        first, refused = told(world)
        assert ("`token_revoked`" in first, f"`{last}`" in refused) == (True, True)


# ---- nobody says whether Slack took it ---------------------------------------------------------


def cut_in_the_channel(world: SlackWorld) -> None:
    """Slack takes what is posted there, and each answer is lost on the way. So it stays."""
    world.slack.fail(
        "chat.postMessage", lost=True, times=None, match=lambda args: args["channel"] == CHANNEL
    )


@pytest.mark.parametrize(("ttl_hours", "cards"), [(12, 6), (1, 5)])
def test_a_card_whose_answers_are_all_lost_is_not_posted_for_ever(
    ttl_hours: int, cards: int
) -> None:
    """It was posted again and again: 65 cards in an hour. Its deadline may come first."""
    with closing(SlackWorld(approval_ttl_ms=ttl_hours * HOUR * 1000)) as world:
        cut_in_the_channel(world)
        world.ask()
        world.pass_time(11 * HOUR)
        assert len(world.slack.messages(CHANNEL)) == cards
        assert world.state() is State.REFUSED
        assert len(world.slack.direct_messages(ASKER)) == 1
        assert world.given_up == ([("card", "answer_lost")] if cards == 6 else [])


def test_a_final_reply_whose_answers_are_all_lost_goes_to_each_person_once(
    world: SlackWorld,
) -> None:
    world.followed()
    cut_in_the_channel(world)
    ended(world)
    world.pass_time(11 * HOUR)
    assert len([m for m in world.finals() if m.channel == CHANNEL]) == 6
    for person in (ASKER, FIRST):
        assert len(world.slack.direct_messages(person)) == 1
    assert "final" in world.unsaid()
