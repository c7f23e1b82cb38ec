"""The appliance answers nothing for a while, or no more: waited out, told once, sent once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.request.model import State
from bot.request.problem import Problem, ProblemKind
from bot.slack.draw.message import draw
from tests.support.world import ASKER, FIRST, World, problem

AWAY = problem(ProblemKind.UNSENT)
REQUEST = "AAAA-BBBB"


class Outage(list[Problem]):
    """Every call fails in the same way while `on`."""

    def __init__(self, failure: Problem) -> None:
        super().__init__([failure])
        self.on = True

    def __bool__(self) -> bool:
        return self.on

    def pop(self, _index: object = 0) -> Problem:
        return self[0]


@pytest.fixture
def away() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def goes_away(world: World, failure: Problem = AWAY) -> Outage:
    outage = Outage(failure)
    world.appliance.read_failures = outage
    world.appliance.look_failures = outage
    world.appliance.prepare_failures = outage
    return outage


def approved(world: World) -> None:
    world.pending()
    world.click(REQUEST, "approve", FIRST)


def following(world: World) -> None:
    approved(world)
    world.settle()
    assert world.state() is State.FOLLOWING


@pytest.mark.parametrize("kind", [ProblemKind.UNSENT, ProblemKind.UNANSWERED])
def test_a_check_gives_up_after_five_minutes_and_tells_the_asker_alone(
    away: World, kind: ProblemKind
) -> None:
    goes_away(away, problem(kind))
    away.ask()
    away.poll(59)
    assert away.state() is State.CHECKING
    assert away.answers == [(ASKER, "appliance_away")]
    away.poll(2)
    assert away.end() == (State.REFUSED, "unreachable")
    away.poll(60)
    assert away.answers == [(ASKER, "appliance_away"), (ASKER, "refused")]
    assert away.posted == []  # the channel hears nothing


@pytest.mark.parametrize(
    ("polls", "notices"),
    [(4, []), (60, ["goes_on"])],  # a hiccup is nobody's news
)
def test_an_approval_waits_is_told_once_and_is_sent_once(
    away: World, polls: int, notices: list[str]
) -> None:
    approved(away)
    outage = goes_away(away)
    away.poll(polls)
    assert (away.state(), away.appliance.deletes) == (State.APPROVED, [])
    outage.on = False
    away.poll()
    assert away.notices() == notices
    posts = [slot for _, slot, how in away.posted if how == "post"]
    assert sum(slot.startswith("notice") for slot in posts) == len(notices)
    assert away.state() is State.FOLLOWING
    assert len(away.appliance.deletes) == 1


def test_an_approval_runs_out_after_execution_ttl_and_nothing_was_sent(away: World) -> None:
    approved(away)
    outage = goes_away(away)
    away.poll(119)
    assert away.state() is State.APPROVED
    away.poll(2)
    assert away.end() == (State.EXPIRED, "not_begun")
    outage.on = False
    away.poll(60)
    assert away.appliance.deletes == []
    assert away.notices() == ["waits_to_send"]
    assert [slot for _, slot, _ in away.posted].count("final") == 1


def test_an_appliance_that_comes_and_goes_makes_neither_a_long_thread_nor_a_growing_row(
    away: World,
) -> None:
    """A day of it left thousands of notices. One is edited in place, and says how often."""
    following(away)
    sizes = set()
    for times in range(1, 6):
        outage, began = goes_away(away), away.ms
        away.poll(36)
        (notice,) = away.get().notices
        assert (notice.code, notice.times) == ("waits_to_follow", times)
        assert began <= notice.at < away.ms
        outage.on = False
        away.poll(2)
        (notice,) = away.get().notices
        assert (notice.code, notice.times) == ("goes_on", times)
        sizes.add(len(away.get().model_dump_json()))
    assert len(sizes) == 1
    assert "It has waited 5 times so far." in draw(away.get(), "notice:1").text
    told = [slot for _, slot, how in away.posted if how == "post" and slot.startswith("notice")]
    assert told == ["notice:1"]
    away.appliance.end_task()
    away.poll(2)
    assert away.state() is State.SUCCEEDED
    assert len(away.appliance.deletes) == 1
