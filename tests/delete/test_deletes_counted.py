"""How many DELETEs a request has sent, and how many of them the appliance took."""

from __future__ import annotations

import pytest

from bot.operate.json_and_csv import as_json
from bot.request.events import DeleteAnswered, DeleteNotAccepted, Event
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.slack.draw.message import draw
from tests.support.world import FIRST, World, problem

LIMITED = DeleteNotAccepted(problem=problem(ProblemKind.LIMITED, status=429))
UNSENT = DeleteNotAccepted(problem=problem(ProblemKind.UNSENT))
TOO_LATE = DeleteNotAccepted(problem=problem(ProblemKind.TOO_LATE))
REFUSED = DeleteAnswered(problem=problem(ProblemKind.REFUSED, status=403))


@pytest.mark.parametrize(
    ("outcomes", "sent", "accepted"),
    [
        ([], 1, 1),
        ([LIMITED], 2, 1),
        ([UNSENT, TOO_LATE], 1, 1),
        ([UNSENT, LIMITED, LIMITED], 3, 1),
        ([REFUSED], 1, 0),
        ([LIMITED, REFUSED], 2, 0),
    ],
)
def test_each_is_counted(world: World, outcomes: list[Event], sent: int, accepted: int) -> None:
    request_id = world.pending()
    world.appliance.delete_outcomes = outcomes.copy()
    world.click(request_id, "approve", FIRST)
    world.settle()
    for _ in range(5):
        world.wait(70_000)
    if world.state() is State.FOLLOWING:
        world.appliance.end_task()
        world.wait(10_000)
    found = as_json(world.get())
    assert (found["deletes_sent"], found["deletes_accepted"]) == (sent, accepted)
    assert ("deletes were sent" in draw(world.get(), "final").text) is (sent > 1)
