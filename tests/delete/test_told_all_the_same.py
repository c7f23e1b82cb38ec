"""Who would else hear nothing: a denial overtaken, a request withdrawn without a thread, a wait
after another approval. And what nobody is told, since it is over."""

from __future__ import annotations

from bot.request.events import OperatorCancelled
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import Person
from bot.store.queues import Queue
from tests.support.world import ASKER, FIRST, SECOND, TEAM, World, problem


def test_a_denial_that_an_approval_overtook_is_told_directly_if_need_be(world: World) -> None:
    """Its form was opened long ago, so the way to answer may be gone: whoever denied would believe
    that the pairing is safe."""
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)
    world.click(request_id, "deny", SECOND)
    while any(world.worker.step(queue) for queue in Queue):
        pass
    told = {}
    while due := world.outbox.claim():
        if due.answer:
            told[due.user] = (due.answer.code, due.answer.matters)
        world.outbox.sent(due, ts=due.ts or "9.000", digest="x")
    assert told[SECOND] == ("ended", True)
    assert told[FIRST] == ("approval_counted", False)


def test_taken_back_while_slack_was_away_and_then_the_card_is_refused(world: World) -> None:
    request_id = world.ask()
    while world.worker.step(Queue.CHECK):
        pass
    world.put(OperatorCancelled(operator="olga"), request_id)
    while any(world.worker.step(queue) for queue in Queue):
        pass
    card = world.outbox.claim()
    assert card is not None
    world.outbox.given_up(card, error="not_in_channel")
    world.settle()
    assert world.state() is State.CANCELLED
    assert world.answers == [(ASKER, "cancelled")]
    assert "card_refused" in world.actions()


def test_the_wait_of_a_second_approval_is_told_too(world: World) -> None:
    request_id = world.pending()
    world.appliance.read_failures = [problem(ProblemKind.UNSENT) for _ in range(500)]
    world.click(request_id, "approve", FIRST)
    for _ in range(9):
        world.wait(5_000)
    world.people.persons[FIRST] = Person(id=FIRST, team=TEAM, deleted=True)
    world.wait(5_000)
    assert world.state() is State.PENDING
    world.click(request_id, "approve", SECOND)
    for _ in range(9):
        world.wait(5_000)
    told = [n.code for n in world.get().notices]
    assert told == ["waits_to_send", "rights_lost", "waits_to_send"]


def test_a_wait_that_is_over_is_not_told_late(world: World) -> None:
    """Slack was away meanwhile: "The bot keeps trying" below the end of a request is not so."""
    request_id = world.pending()
    world.appliance.read_failures = [problem(ProblemKind.UNSENT) for _ in range(500)]
    world.click(request_id, "approve", FIRST)
    for _ in range(9):
        while any(world.worker.step(queue) for queue in Queue):
            pass
        world.ms += 5_000
    assert [notice.code for notice in world.get().notices] == ["waits_to_send"]
    world.click(request_id, "cancel", ASKER)
    while any(world.worker.step(queue) for queue in Queue):
        pass
    assert world.state() is State.CANCELLED
    world.settle()
    posted = [slot for _, slot, how in world.posted if how == "post"]
    assert "final" in posted
    assert not [slot for slot in posted if slot.startswith("notice")]
