"""Silence has a limit: whoever asked hears at once that the appliance cannot be read, and once."""

from __future__ import annotations

import pytest

from bot.request.messages import Answer
from bot.request.model import Request, State
from bot.request.problem import ProblemKind
from bot.slack.draw.words.after_a_click import answer_words
from tests.support.world import ASKER, World, problem

TOLD = (ASKER, "appliance_away")


def test_at_once_and_once(world: World) -> None:
    world.appliance.read_failures = [problem(ProblemKind.UNSENT)] * 9
    world.ask()
    world.settle()
    assert world.answers == [TOLD]
    for _ in range(3):
        world.wait(2_000)
    assert world.answers == [TOLD]
    assert world.state() is State.CHECKING


def test_after_an_outage_the_card_comes_without_a_word(world: World) -> None:
    world.appliance.read_failures = [problem(ProblemKind.UNSENT)]
    world.ask()
    world.settle()
    world.wait(2_000)
    assert (world.answers, world.state()) == ([TOLD], State.PENDING)
    assert world.get().waiting is None


def test_after_ten_seconds_they_know_already(world: World) -> None:
    """By the copy that heard them, whose timer asked what the row says."""
    find = world.appliance.find_and_read

    def hangs(asked: str, by: float) -> object:
        world.ms += 10_000
        return find(asked, by)

    world.appliance.find_and_read = hangs  # type: ignore[method-assign, assignment]
    world.appliance.read_failures = [problem(ProblemKind.UNANSWERED)]
    world.ask()
    world.settle()
    assert world.answers == []
    world.wait(2_000)
    assert world.state() is State.PENDING


def test_what_is_refused_is_said_once(world: World) -> None:
    world.appliance.read_failures = [problem(ProblemKind.LOGIN_REFUSED)]
    world.ask()
    world.settle()
    assert world.answers == [(ASKER, "refused")]


@pytest.mark.parametrize("later", [False, True])
def test_the_words(world: World, later: bool) -> None:
    world.appliance.read_failures = [problem(ProblemKind.UNSENT)] * (1 if later else 9)
    world.ask()
    world.settle()
    if later:
        world.wait(2_000)
    row: Request = world.get()
    words = answer_words(Answer(event=1, code="appliance_away"), row)
    if later:
        assert "waits for a decision" in words
    else:
        assert words.startswith(
            "`AAAA-BBBB` waits: the appliance cannot be read. A unsent problem."
        )
        assert "It is tried again until" in words
        assert "Do not ask again." in words
