"""DRY_RUN: everything but the DELETE, and no way around it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.request.model import State
from bot.store.queues import Queue
from bot.store.saving import Claim
from bot.worker.send_delete import DryRunForbids, send_delete
from tests.support.world import FIRST, World


@pytest.mark.policy(dry_run=True, break_glass=frozenset({FIRST}))
@pytest.mark.parametrize("action", ["approve", "break_glass"])
def test_everything_but_the_delete(world: World, action: str) -> None:
    world.pending()
    world.press(action, FIRST, reason="it burns")
    assert world.state() is State.REHEARSED
    assert world.appliance.deletes == []
    assert (world.appliance.listings, world.appliance.counted) == (1, set())


@pytest.mark.parametrize("first", [True, False])
def test_switched_in_between_is_changed(first: bool) -> None:
    world = World(dry_run=first)
    world.pending()
    world.policy = world.policy.model_copy(update={"dry_run": not first})
    world.worker = world.new_worker()
    world.press("approve", FIRST)
    assert world.state() is State.CHANGED
    assert world.appliance.deletes == []
    world.close()


@pytest.mark.parametrize(("row", "process"), [(True, False), (False, True), (True, True)])
def test_nothing_is_sent_in_a_dry_run_of_the_row_or_of_the_process(
    world: World, row: bool, process: bool
) -> None:
    """The last door before the appliance, by itself: should `absorb` ever let such a request get
    this far."""
    world.pending()
    request = world.get()
    terms = request.terms.model_copy(update={"dry_run": row})
    policy = world.policy.model_copy(update={"dry_run": process})
    effects = replace(world.worker.driver.effects, policy=policy)
    claim = Claim(request.model_copy(update={"terms": terms}), 1, 0, Queue.ACT)
    with pytest.raises(DryRunForbids):
        send_delete(claim, 1.0, effects, world.requests, lambda: False)
