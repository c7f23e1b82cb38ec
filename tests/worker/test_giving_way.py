"""Acknowledgements go first, for a moment; acting never waits for them."""

from __future__ import annotations

import threading
import time

import pytest

from bot.request.model import State
from bot.worker import giving_way
from bot.worker.giving_way import LONGEST_S, GivingWay
from tests.worker.world import FIRST, PATIENCE_SECONDS, World, wait_for


@pytest.fixture
def world(world_on_file: World) -> World:
    return world_on_file


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "LONGEST_S", PATIENCE_SECONDS)


@pytest.mark.usefixtures("patient")
def test_a_step_waits_until_the_last_one_is_answered() -> None:
    giving = GivingWay()
    went_on = threading.Event()

    def steps() -> None:
        giving.give_way()
        went_on.set()

    step = threading.Thread(target=steps)
    with giving.answering():
        with giving.answering():
            step.start()
        assert not went_on.wait(0.05)
    assert went_on.wait(PATIENCE_SECONDS / 2)
    step.join()


def test_an_answer_that_hangs_holds_nobody_up_for_long() -> None:
    giving = GivingWay()
    began = time.monotonic()
    with giving.answering():
        giving.give_way()
    assert time.monotonic() - began >= LONGEST_S


@pytest.mark.usefixtures("patient")
def test_an_answer_that_failed_counts_no_more() -> None:
    giving = GivingWay()
    with pytest.raises(ValueError, match="planted"), giving.answering():
        raise ValueError("planted")
    began = time.monotonic()
    giving.give_way()
    assert time.monotonic() - began < PATIENCE_SECONDS / 2


@pytest.mark.usefixtures("patient")
def test_an_approved_request_is_sent_while_others_are_answered(world: World) -> None:
    world.pending()
    other = "BBBB-CCCC"
    giving = GivingWay()
    world.worker.give_way = giving.give_way
    with giving.answering():
        world.click("AAAA-BBBB", "approve", FIRST)
        world.ask(other)
        world.worker.start()
        wait_for(lambda: world.appliance.deletes)
        assert world.requests.get(other) is None, "a check did not give way"
    wait_for(lambda: world.requests.get(other))
    assert world.state() is not State.PENDING
