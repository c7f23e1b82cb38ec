"""What is over and only served the bot goes, and nobody notices; what is open or unclear stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.operate.json_and_csv import as_json
from bot.request.events import DeleteAnswered
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.store import audit_trail as audit
from bot.store.inbox import add, mark_absorbed
from bot.store.prune import BATCH, prune
from bot.store.queues import Queue
from bot.store.schema import inbox, messages, requests
from tests.store.samples import click
from tests.support.world import ASKER, FIRST, World, problem

DAY_MS = 86_400_000
KEEP_MS = 180 * DAY_MS


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(f"sqlite:///{tmp_path}/bot.db")
    yield made
    made.close()


def broken(world: World) -> str:
    """A request whose pairing is gone."""
    request = world.pending()
    world.click(request, "approve", FIRST)
    world.settle()
    world.appliance.end_task()
    world.wait(10_000)
    assert world.state() is State.SUCCEEDED
    return request


def rows(world: World) -> dict[str, int]:
    with world.db.read() as conn:
        return {
            table.name: conn.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (inbox, messages, requests)
        }


def everything_over(world: World) -> int:
    gone = 0
    while more := prune(world.db, KEEP_MS):
        gone += more
    return gone


def test_what_is_over_goes_and_the_line_and_the_trail_stay(world: World) -> None:
    request = broken(world)
    shown, trail = as_json(world.get(request)), list(audit.export(world.db))
    body, before = len(world.get(request).model_dump_json()), rows(world)
    world.ms += KEEP_MS - 60_000
    assert everything_over(world) == 0  # not before its time
    assert rows(world) == before
    world.ms += 60_001
    assert everything_over(world) > 0
    assert rows(world) == {"inbox": 0, "messages": 0, "requests": 1}
    assert as_json(world.get(request)) == shown
    assert list(audit.export(world.db)) == trail
    assert len(world.get(request).model_dump_json()) < body
    assert everything_over(world) == 0


def test_a_late_click_on_an_old_card_is_answered_and_posts_nothing_again(world: World) -> None:
    request = broken(world)
    world.ms += KEEP_MS + 1
    everything_over(world)
    world.posted.clear()
    world.answers.clear()
    world.click(request, "approve", FIRST)
    world.click(request, "deny", FIRST, message_ts="77.0")  # on a copy of the card
    world.wait(60_000)
    assert world.posted == []
    assert [who for who, _ in world.answers] == [FIRST, FIRST]
    assert world.state() is State.SUCCEEDED
    assert len(world.appliance.deletes) == 1
    # And that is cleared away in its turn.
    world.ms += KEEP_MS + 1
    everything_over(world)
    assert rows(world) == {"inbox": 0, "messages": 0, "requests": 1}


def test_an_open_request_keeps_its_messages_however_old_it_is(world: World) -> None:
    request = world.pending()
    before = rows(world)
    world.ms += KEEP_MS + 1
    everything_over(world)
    assert rows(world) == before
    world.settle()
    assert world.state() is State.EXPIRED
    assert (request, "final", "post") in world.posted


def test_who_asked_hears_of_a_refusal_that_comes_after_keep_for(world: World) -> None:
    """With KEEP_FOR below APPROVAL_TTL. The answer goes to whom the event that asked names, and
    however much such a request keeps, what is over goes."""
    world.ask()
    while world.worker.step(Queue.CHECK):
        pass  # and Slack does not take the card
    with world.db.write() as conn:
        for number in range(BATCH):
            event = add(conn, world.ms, click(), f"kept-{number}", "AAAA-BBBB")
            mark_absorbed(conn, event, world.ms)
        mark_absorbed(conn, add(conn, world.ms, click(), "over", "GONE-0001"), world.ms)
    world.ms += 2 * world.policy.approval_ttl_ms
    assert prune(world.db, world.policy.approval_ttl_ms) == 1
    while world.worker.step(Queue.CHECK):
        pass
    assert world.state() is State.REFUSED
    world.settle()
    assert world.answers == [(ASKER, "refused")]


def test_an_event_that_waits_is_kept_however_old_it_is(world: World) -> None:
    """That of a request whose row is not made yet too."""
    world.ask()
    world.ms += KEEP_MS + 1
    assert everything_over(world) == 0
    world.settle()
    assert world.answers == [(ASKER, "refused")]


def test_what_is_in_attention_can_be_looked_at_for_ever(world: World) -> None:
    request = world.pending()
    lost = DeleteAnswered(problem=problem(ProblemKind.UNANSWERED))
    world.appliance.delete_outcomes.append(lost)
    world.click(request, "approve", FIRST)
    world.settle()
    for _ in range(4):
        world.wait(5_000)
    assert world.state() is State.ATTENTION
    kept = rows(world)["messages"]
    world.ms += KEEP_MS + 1
    everything_over(world)
    assert rows(world)["messages"] == kept
    world.appliance.present = False
    world.click(request, "look", ASKER, fingerprint="")
    world.wait(60_000)
    assert world.state() is State.SUCCEEDED
    assert (request, "correction", "post") in world.posted


def test_a_row_that_somebody_holds_and_an_event_that_waits_stay(world: World) -> None:
    request = broken(world)
    world.ms += KEEP_MS + 1
    world.click(request, "approve", FIRST)
    before = rows(world)
    while prune(world.db, KEEP_MS):
        pass
    assert rows(world)["messages"] == before["messages"]
    assert world.get(request).pruned_at is None
    world.settle()
    everything_over(world)
    assert world.get(request).pruned_at == world.ms


def test_answers_without_a_request_go_too(world: World) -> None:
    for number in range(BATCH + 5):
        # On a card of a request that does not exist.
        event = world.ask_event(pairing="nowhere", requester=f"U{number}")
        world.put(event, f"AAAA-{number:04d}")
    world.settle()
    world.ms += KEEP_MS + 1
    everything_over(world)
    found = rows(world)
    assert (found["inbox"], found["messages"]) == (0, 0)
