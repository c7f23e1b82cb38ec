"""What Slack will never take: the card deleted, the channel closed, edits refused, the token."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.request.model import State
from bot.sandbox.slack import mentions
from bot.slack.draw import home as status
from tests.life.outages.slack_world import CHANNEL, ID, SlackWorld
from tests.support.world import ASKER, FIRST, SECOND

HOUR = 3_600


def followed(world: SlackWorld) -> None:
    world.pending()
    world.approve()
    assert world.state() is State.FOLLOWING


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
    world.click(ID, "approve", FIRST)
    world.slack.delete_message(CHANNEL, world.card_ts)
    world.settle()
    ended(world)
    (final,) = world.finals()
    assert final.broadcast is takes_replies
    assert (final.thread_ts is None) is not takes_replies
    assert mentions(final) == {ASKER, FIRST}
    assert ID in final.all_text, "it says by itself what it is about"
    assert "somebody has deleted it" in world.unsaid()["card"]
    edits = [c for c in world.slack.calls_of("chat.update") if c.args["ts"] == world.card_ts]
    assert len(edits) == 1, "that it is gone need not be asked again"
    world.pass_time(HOUR)
    assert len(world.finals()) == 1


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


def test_one_of_two_approvals_and_then_the_card_is_deleted() -> None:
    world = SlackWorld(approvals_required=2)
    try:
        world.pending()
        world.approve()
        world.slack.delete_message(CHANNEL, world.card_ts)
        world.click(ID, "approve", SECOND)  # from a screen that is behind
        world.settle()
        assert world.state() is State.FOLLOWING
        ended(world)
        (final,) = world.finals()
        assert mentions(final) == {ASKER, FIRST, SECOND}
    finally:
        world.close()


# ---- the channel is closed ---------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["archived", "removed", "removed from a private one"])
def test_the_channel_closes_while_the_task_runs(
    world: SlackWorld, closed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    followed(world)
    world.slack.workspace.channels[CHANNEL].private = "private" in closed
    is_archived = closed == "archived"
    world.slack.set_channel(CHANNEL, archived=is_archived, bot_is_member=is_archived)
    ended(world)
    finals = world.finals()
    assert [m.channel == CHANNEL for m in finals] == [False, False]
    for who in (ASKER, FIRST):
        assert len(world.slack.direct_messages(who)) == 1, "each concerned is told, once"
    unsaid = world.unsaid()
    word = "archived" if is_archived else "/invite"
    assert word in unsaid["final"]
    assert "direct message instead" in unsaid["final"]
    assert ("final", "given_up") not in world.given_up
    log = capsys.readouterr().out
    assert "given_up" in log
    assert "slot=final" in log
    assert f"request={ID}" in log

    world.slack.set_channel(CHANNEL, archived=False, bot_is_member=True)
    world.pass_time(HOUR)
    assert len(world.finals()) == 2, "nobody is told a second time"
    assert world.card is not None
    assert world.card.buttons() == [], "and the card asks no more"
    assert set(world.unsaid()) == {"final"}


def test_a_closed_channel_is_not_asked_at_every_percent(world: SlackWorld) -> None:
    followed(world)
    world.slack.set_channel(CHANNEL, archived=True)
    before = len(world.slack.calls)
    for percent in range(5, 100, 5):
        task = world.appliance.tasks[-1].model_copy(update={"progress": percent})
        world.appliance.tasks[-1] = task
        world.pass_time(5)
    assert len(world.slack.calls) - before == 2, "now and a minute later"


def test_a_channel_that_stays_closed_is_left_alone_after_a_day(world: SlackWorld) -> None:
    followed(world)
    world.slack.set_channel(CHANNEL, archived=True)
    ended(world)
    before = len(world.slack.calls)
    for _ in range(48):
        world.wait(HOUR * 1000)
    assert len(world.slack.calls) - before <= 70, "the card and the progress message"
    assert "is not edited any more" in world.unsaid()["card"]
    done = len(world.slack.calls)
    world.wait(48 * HOUR * 1000)
    assert len(world.slack.calls) == done


def test_the_channel_is_archived_before_the_card(world: SlackWorld) -> None:
    world.slack.set_channel(CHANNEL, archived=True)
    world.ask()
    world.pass_time(5)
    assert world.state() is State.REFUSED
    assert len(world.slack.direct_messages(ASKER)) == 1


def test_a_direct_message_that_nobody_can_get_is_in_the_log_and_in_show(world: SlackWorld) -> None:
    followed(world)
    world.slack.set_channel(CHANNEL, archived=True)
    world.slack.deactivate(ASKER)
    ended(world)
    assert len(world.slack.direct_messages(FIRST)) == 1
    assert f"for {ASKER}" in world.unsaid()[f"final:{ASKER}"]
    assert (f"final:{ASKER}", "channel_not_found") in world.given_up


# ---- edits and posts are refused ---------------------------------------------------------------


@pytest.mark.parametrize("word", ["cant_update_message", "edit_window_closed"])
def test_messages_that_cannot_be_edited_any_more(world: SlackWorld, word: str) -> None:
    followed(world)
    world.pass_time(5)
    world.refuse("chat.update", error=word)
    before = len(world.slack.calls_of("chat.update"))
    for percent in (20, 40, 60, 80):
        task = world.appliance.tasks[-1].model_copy(update={"progress": percent})
        world.appliance.tasks[-1] = task
        world.pass_time(5)
    ended(world)
    (final,) = world.finals()
    assert final.thread_ts == world.card_ts
    assert len(world.slack.calls_of("chat.update")) - before == 2, "one for each message"
    assert "takes no edit of it any more" in world.unsaid()["card"]


def test_posts_are_refused_by_a_word_of_next_year(world: SlackWorld) -> None:
    """A word that nobody knows is tried again: to give up too early would be silence."""
    followed(world)
    world.refuse("chat.postMessage", error="moon_is_full")
    ended(world)
    assert world.finals() == []
    assert "tried again" in world.unsaid()["final"]
    world.slack.heal()
    world.pass_time(60)
    assert len(world.finals()) == 1
    assert world.unsaid() == {}


# ---- the token ---------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["token_revoked", "account_inactive", "invalid_auth"])
def test_the_token_is_refused(
    world: SlackWorld, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The work in hand goes on; one loud line a minute for each of three messages."""
    followed(world)
    world.refuse("*", error=word)
    ended(world)
    world.pass_time(600)
    assert "vr-unpair check" in world.unsaid()["final"]
    loud = capsys.readouterr().out.count("slack_refuses_the_token")
    assert 30 <= loud <= 36
    world.slack.heal()
    world.pass_time(61)
    assert len(world.finals()) == 1
    assert world.unsaid() == {}


def test_a_new_token_is_used_after_the_old_one_was_refused(world: SlackWorld) -> None:
    """Slack is first, and whoever sets the new one comes ten minutes later."""
    followed(world)
    world.slack.rotate(bot_token="xoxb-second")
    ended(world)
    world.pass_time(600)
    assert "final" in world.unsaid()
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
    for part in (ID, f"`{word}`", "do not ask again", "`vr-unpair check`"):
        assert part in held_up
    for said in (status.one(world.get()), status.line(world.get(), None)):
        assert f"`{word}`" in said
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


@pytest.mark.parametrize("word", REFUSALS)
def test_a_card_that_the_token_kept_back_to_the_end_says_so(word: str) -> None:
    world = SlackWorld(approval_ttl_ms=600_000)
    try:
        asked_with_a_card_refused(world, word)
        world.pass_time(610)
        assert world.state() is State.REFUSED
        _, refused = told(world)
        assert f"`{word}`" in refused
        assert "`vr-unpair check`" in refused
    finally:
        world.close()


def test_the_words_of_another_refusal_are_the_last_ones() -> None:
    world = SlackWorld(approval_ttl_ms=600_000)
    try:
        asked_with_a_card_refused(world, "token_revoked")
        world.slack.heal()
        world.refuse("chat.postMessage", error="missing_scope")
        world.pass_time(610)
        first, refused = told(world)
        assert ("`token_revoked`" in first, "`missing_scope`" in refused) == (True, True)
    finally:
        world.close()


# ---- what the command line says ----------------------------------------------------------------


def test_show_says_what_slack_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"sqlite:///{tmp_path}/shown.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", address)
    world = SlackWorld(address)
    try:
        followed(world)
        world.slack.set_channel(CHANNEL, archived=True)
        ended(world)
    finally:
        world.close()
    done = CliRunner().invoke(app, ["show", ID, "--json"])
    shown = json.loads(done.stdout)
    unsaid = {m["slot"]: m for m in shown["unsaid"]}
    assert unsaid["final"]["error"] == "is_archived"
    assert unsaid["final"]["next_try"] is None
    assert "archived" in unsaid["final"]["sentence"]
    assert unsaid["card"]["next_try"] > unsaid["card"]["since"]
    text = CliRunner().invoke(app, ["show", ID], env={"COLUMNS": "200"}).stdout
    assert "not said in Slack" in text
    assert "the channel is archived" in " ".join(text.split())


# ---- nobody says whether Slack took it ---------------------------------------------------------


def cut_in_the_channel(world: SlackWorld) -> None:
    """Slack takes what is posted there, and each answer is lost on the way. So it stays."""
    world.slack.fail(
        "chat.postMessage", lost=True, times=None, match=lambda args: args["channel"] == CHANNEL
    )


def test_a_card_whose_answers_are_all_lost_is_not_posted_for_ever() -> None:
    """It was posted again and again: 65 cards in an hour."""
    with closing(SlackWorld(approval_ttl_ms=12 * HOUR * 1000)) as world:
        cut_in_the_channel(world)
        world.ask()
        world.pass_time(11 * HOUR)
        assert len(world.slack.messages(CHANNEL)) == 3
        outcome = world.get().outcome
        assert outcome is not None
        assert (world.state(), outcome.code) == (State.REFUSED, "card_refused")
        (told,) = world.slack.direct_messages(ASKER)
        assert "never said whether it took the card" in told.text
        assert world.given_up == [("card", "answer_lost")]


def test_a_card_that_slack_does_not_confirm_in_time_is_refused(world: SlackWorld) -> None:
    cut_in_the_channel(world)
    world.ask()
    world.pass_time(11 * HOUR)
    assert len(world.slack.messages(CHANNEL)) == 2
    assert world.state() is State.REFUSED
    assert len(world.slack.direct_messages(ASKER)) == 1


def test_a_final_reply_whose_answers_are_all_lost_goes_to_each_person_once(
    world: SlackWorld,
) -> None:
    followed(world)
    cut_in_the_channel(world)
    ended(world)
    world.pass_time(11 * HOUR)
    in_the_thread = [m for m in world.finals() if m.channel == CHANNEL]
    assert len(in_the_thread) == 3
    for person in (ASKER, FIRST):
        assert len(world.slack.direct_messages(person)) == 1
    assert "three times" in world.unsaid()["final"]
