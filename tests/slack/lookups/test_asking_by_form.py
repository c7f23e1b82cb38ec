"""A form that was opened is an address and nothing else, until it is sent."""

from __future__ import annotations

from bot.request.events import Asked, Opened
from bot.request.model import State
from bot.store.prune import prune
from bot.store.queues import Queue
from tests.support.world import ASKER, PAIRING, World

ID = "AAAA-BBBB"
ADDRESS = "https://hooks.slack.test/commands/1"
MINUTE_MS = 60_000


def opened(world: World, request_id: str = ID) -> int:
    number = world.inbox.put(
        Opened(action="ask", by=ASKER),
        origin=f"command:{request_id}",
        request_id=request_id,
        response_url=ADDRESS,
    )
    assert number is not None
    return number


def asked(world: World, via: int, *, pairing: str = PAIRING, request_id: str = ID) -> int | None:
    event, origin = world.ask_event(pairing=pairing), f"form:{request_id}"
    return world.inbox.put(event, origin=origin, request_id=request_id, answer_via=via)


def test_alone_it_makes_no_request_is_not_answered_and_hides_none(world: World) -> None:
    for n in range(50):
        opened(world, f"CCCC-{n:04d}")
    world.settle()
    assert world.overview.newest() == []
    assert (world.answers, world.posted, world.actions()) == ([], [], [])
    world.ask()
    assert world.worker.step(Queue.CHECK)
    assert world.overview.get(ID) is not None


def test_its_address_is_used_for_thirty_minutes_and_then_erased(world: World) -> None:
    """With it anybody could post in the channel, and a form may be sent much later."""
    number = opened(world)
    form = asked(world, number)
    assert form is not None
    world.wait(30 * MINUTE_MS - 1)
    prune(world.db, keep_ms=10**12)
    assert {world.inbox.address(event) for event in (number, form)} == {ADDRESS}
    assert ADDRESS in str(stored(world))
    world.wait(1)
    late = asked(world, number, request_id="CCCC-DDDD")
    assert late is not None
    assert {world.inbox.address(n) for n in (number, form, late, late + 1)} == {None}
    prune(world.db, keep_ms=10**12)
    assert "hooks.slack.test" not in str(stored(world))


def stored(world: World) -> list[object]:
    with world.db.read() as conn:
        tables = ("requests", "inbox", "messages", "audit", "shared")
        return [conn.exec_driver_sql(f"SELECT * FROM {name}").all() for name in tables]


def test_sent_it_becomes_the_one_request_that_it_was_opened_for(world: World) -> None:
    number = opened(world)
    assert asked(world, number) is not None
    assert asked(world, number) is None, "it was sent before"
    world.settle()
    assert world.state() is State.PENDING
    assert world.actions()[:2] == ["asked", "checked"]
    assert len(world.overview.newest()) == 1
    before = world.inbox.stored(f"form:{ID}")
    assert isinstance(before, Asked)
    assert before.reason == "moving"
    assert world.inbox.stored("form:another") is None


def test_what_the_check_refuses_goes_to_the_address_of_the_command(world: World) -> None:
    asked(world, opened(world), pairing="nowhere")
    while world.worker.step(Queue.CHECK):
        pass
    due = world.outbox.claim()
    assert due is not None
    assert due.answer is not None
    assert (due.answer.code, due.user, due.response_url) == ("refused", ASKER, ADDRESS)
