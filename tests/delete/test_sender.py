"""The last door before the appliance, by itself: whatever the rest of the bot has decided."""

from __future__ import annotations

import pytest

from bot.request.model import State
from bot.worker.send_delete import DryRunForbids, Sender
from tests.support.world import FIRST, FakeAppliance, World


class Touched(FakeAppliance):
    """Remembers that anything at all was asked of it."""

    def prepare_delete(self, pairing_id: str, by: float) -> None:
        raise AssertionError("the appliance was asked")


@pytest.mark.parametrize(("row", "process"), [(True, False), (False, True), (True, True)])
def test_nothing_is_sent_in_a_dry_run_of_the_row_or_of_the_process(
    world: World, row: bool, process: bool
) -> None:
    """Should `absorb` ever let such a request get this far."""
    world.ask()
    world.settle()
    world.click("AAAA-BBBB", "approve", FIRST)
    request = world.get()
    assert request.state is State.PENDING
    request = request.model_copy(
        update={"terms": request.terms.model_copy(update={"dry_run": row})},
    )
    policy = world.policy.model_copy(update={"dry_run": process})
    sender = Sender(policy, Touched(), lambda: 0.0)
    with pytest.raises(DryRunForbids):
        sender.prepare(request, by=1.0)
