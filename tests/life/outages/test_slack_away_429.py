"""Slack says 429: nothing of that method before Retry-After, by no copy; then final words first."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.request.events import Clicked
from bot.request.model import State
from bot.slack.send.slack_problem import Kind, Silenced, problem_of
from bot.store.slack_pauses import Pauses
from tests.life.outages.slack_world import ID, SlackWorld, kind_of
from tests.support.world import ASKER, CHANNEL, FIRST, PAIRING, snapshot

RETRY_AFTER = 30
HOURS_AHEAD_MS = 5 * 3_600_000

METHODS: dict[str, dict[str, Any]] = {
    "chat.postMessage": {"channel": CHANNEL, "text": "words"},
    "users.info": {"user": FIRST},
    "views.open": {"trigger_id": "1.1.1", "view": {}},
}


def ask_another(world: SlackWorld, request_id: str, pairing: str) -> None:
    world.appliance.now = snapshot(id=pairing)
    world.put(world.ask_event(pairing=PAIRING), request_id)


@pytest.mark.parametrize("method", METHODS)
def test_no_copy_calls_a_method_before_retry_after(world: SlackWorld, method: str) -> None:
    """Whatever the bot calls goes through the same client, listed here or not."""
    one, other = world.client(), world.client()
    world.slack.fail(method, retry_after=RETRY_AFTER)
    with pytest.raises(SlackApiError):
        one.api_call(method, json=METHODS[method])
    for later in (0, 1_000, RETRY_AFTER * 1000 - 1_001):
        world.ms += later
        for client in (one, other):
            with pytest.raises(Silenced) as silenced:
                client.api_call(method, json=METHODS[method])
            problem = problem_of(silenced.value)
            assert problem.kind is Kind.LIMITED
            assert 0 < problem.retry_after_s <= RETRY_AFTER
    assert len(world.slack.calls_of(method)) == 1
    one.auth_test()  # one method does not silence another
    world.ms += 1_001
    with suppress(SlackApiError):  # some of these arguments are made up: it was called
        other.api_call(method, json=METHODS[method])
    assert len(world.slack.calls_of(method)) == 2


def test_a_pause_is_never_cut_short_and_one_of_a_clock_that_was_ahead_is_none(
    world: SlackWorld,
) -> None:
    """A machine that starts with a wrong time, and a 429 before that is put right."""
    pauses, method = Pauses(world.db), "chat.postMessage"
    world.ms += HOURS_AHEAD_MS
    pauses.hold(method, RETRY_AFTER)
    world.ms -= HOURS_AHEAD_MS
    assert pauses.left_ms(method) == 0
    world.ask()
    world.settle()
    assert world.state() is State.PENDING
    until = pauses.hold(method, RETRY_AFTER)
    assert until == world.ms + RETRY_AFTER * 1000
    assert pauses.hold(method, 5) == until
    assert pauses.left_ms(method) == RETRY_AFTER * 1000


def test_after_a_pause_final_words_come_first_then_cards_then_progress(world: SlackWorld) -> None:
    """All three were wanted while posts were silent, the progress message before the others; what
    met the 429 was a message of another request."""
    world.pending()
    Pauses(world.db).hold("chat.postMessage", RETRY_AFTER)
    held_at = world.ms
    world.approve()
    ask_another(world, "BBBB-CCCC", "22222222-2222-3333-4444-555555555555")
    world.pass_time(5)
    world.appliance.end_task()
    world.pass_time(RETRY_AFTER - 6)
    assert world.state() is State.SUCCEEDED
    assert len(world.tried("chat.postMessage", held_at)) == 1, "the first card"
    world.pass_time(10)
    posts = [c for c in world.accepted(held_at + 1) if c.method == "chat.postMessage"]
    assert [kind_of(c) for c in posts] == ["final", "card", "progress"]
    assert all(c.at * 1000 >= held_at + RETRY_AFTER * 1000 for c in posts)
    assert world.unsaid() == {}


def test_edits_wait_for_their_own_method_alone(world: SlackWorld) -> None:
    world.pending()
    world.slack.fail("chat.update", retry_after=RETRY_AFTER)
    held_at = world.ms
    world.approve()
    world.pass_time(5)
    world.appliance.end_task()
    world.pass_time(10)
    assert len(world.finals()) == 1, "posts go on"
    world.pass_time(RETRY_AFTER - 16)
    assert len(world.tried("chat.update", held_at)) == 1
    world.pass_time(5)
    edits = world.tried("chat.update", held_at)[1:]
    assert [kind_of(c) for c in edits] == ["card", "progress"]
    assert world.card is not None
    assert world.card.buttons() == []


def test_answers_wait_for_their_own_addresses(world: SlackWorld) -> None:
    world.pending()
    world.slack.fail("response_url", retry_after=RETRY_AFTER)
    held_at = world.ms
    for by in (FIRST, ASKER):
        request, address = world.get(), world.response_url(by)
        event = Clicked(
            action="approve",
            by=by,
            team="T0HOME",
            fingerprint=request.fingerprint or "",
            channel=CHANNEL,
            message_ts=request.card_ts or "",
            ours=True,
        )
        world.inbox.put(event, origin=address, request_id=ID, response_url=address)
        world.settle()
        world.pass_time(1)
    assert len(world.tried("response_url", held_at)) == 1
    assert world.state() is State.FOLLOWING
    world.pass_time(RETRY_AFTER)
    assert [len(world.slack.ephemerals(who)) for who in (FIRST, ASKER)] == [1, 1]


def test_slacks_own_limits_over_twenty_requests() -> None:
    """No fault: the limits that Slack publishes, one post a second and channel."""
    with closing(SlackWorld(rate_limits=True)) as world:
        ids = [f"AAAA-{n:04}" for n in range(20)]
        for n, request_id in enumerate(ids):
            ask_another(world, request_id, f"{n:08}-2222-3333-4444-555555555555")
            world.settle()
        world.pass_time(90)
        assert {world.state(i) for i in ids} == {State.PENDING}
        refused = [c for c in world.slack.calls if c.error == "ratelimited"]
        posted = [c for c in world.accepted() if c.method == "chat.postMessage"]
    assert len(posted) == 20
    assert len(refused) <= 20, "each refusal is waited for"
