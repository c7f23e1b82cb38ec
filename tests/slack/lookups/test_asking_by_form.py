"""A form that was opened is an address and nothing else, until it is sent."""

from __future__ import annotations

from bot.request.events import Asked, Opened
from bot.request.model import State
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.store.prune import prune
from bot.store.queues import Queue
from tests.support.world import ASKER, CHANNEL, PAIRING, TEAM, World

ID = "AAAA-BBBB"
ADDRESS = "https://hooks.slack.test/commands/1"


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
    event = Asked(
        site="default",
        pairing=pairing,
        force=False,
        reason="moving",
        requester=ASKER,
        team=TEAM,
        channel=CHANNEL,
    )
    return world.inbox.put(
        event, origin=f"form:{request_id}", request_id=request_id, answer_via=via
    )


def test_alone_it_makes_no_request_and_is_not_answered(world: World) -> None:
    opened(world)
    world.settle()
    assert world.requests.event_without_row() is None
    assert world.overview.get(ID) is None
    assert (world.answers, world.posted, world.actions()) == ([], [], [])


def addresses(world: World) -> list[str]:
    with world.db.read() as conn:
        found = conn.exec_driver_sql("SELECT response_url FROM inbox").scalars()
        return [url for url in found if url]


def test_its_address_is_used_for_thirty_minutes_and_then_erased(world: World) -> None:
    """With it anybody could post in the channel, and a form may be sent much later."""
    number, minute = opened(world), 60_000
    form = asked(world, number)
    assert form is not None
    world.wait(30 * minute - 1)
    prune(world.db, keep_ms=10**12)
    for event in (number, form):
        assert Inbox(world.db).address(event) == ADDRESS
    assert addresses(world) == [ADDRESS]
    world.wait(1)
    late = asked(world, number, request_id="CCCC-DDDD")
    assert late is not None
    for event in (number, form, late, late + 1):
        assert Inbox(world.db).address(event) is None
    prune(world.db, keep_ms=10**12)
    assert addresses(world) == []
    with world.db.read() as conn:
        tables = ("requests", "inbox", "messages", "audit", "shared")
        rows = [conn.exec_driver_sql(f"SELECT * FROM {name}").all() for name in tables]
    assert "hooks.slack.test" not in str(rows)


def test_what_a_form_was_sent_with_is_found_by_its_origin(world: World) -> None:
    asked(world, opened(world))
    before = Inbox(world.db).stored(f"form:{ID}")
    assert isinstance(before, Asked)
    assert before.reason == "moving"
    assert Inbox(world.db).stored("form:another") is None


def test_sent_it_becomes_the_request_that_it_was_opened_for(world: World) -> None:
    number = opened(world)
    asked(world, number)
    world.settle()
    assert world.state() is State.PENDING
    assert world.actions()[:2] == ["asked", "checked"]
    assert "modal_opened" not in world.actions()


def test_what_the_check_refuses_goes_to_the_address_of_the_command(world: World) -> None:
    number = opened(world)
    asked(world, number, pairing="nowhere")
    while world.worker.step(Queue.CHECK):
        pass
    due = Outbox(world.db).claim()
    assert due is not None
    assert due.answer is not None
    assert (due.answer.code, due.user, due.response_url) == ("refused", ASKER, ADDRESS)


def test_sent_twice_it_is_one_request(world: World) -> None:
    number = opened(world)
    assert asked(world, number) is not None
    assert asked(world, number) is None
    world.settle()
    assert len(world.overview.newest()) == 1


def test_forms_that_nobody_sends_do_not_hide_a_request(world: World) -> None:
    for n in range(50):
        opened(world, f"CCCC-{n:04d}")
    world.ask()
    assert world.worker.step(Queue.CHECK)
    assert world.overview.get(ID) is not None
