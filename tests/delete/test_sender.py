"""The last door before the appliance, by itself: whatever the rest of the bot has decided."""

from __future__ import annotations

import pytest

from bot.store.queues import Queue
from bot.store.saving import Claim
from bot.worker.send_delete import DeleteSender, DryRunForbids
from tests.support.world import World


@pytest.mark.parametrize(("row", "process"), [(True, False), (False, True), (True, True)])
def test_nothing_is_sent_in_a_dry_run_of_the_row_or_of_the_process(
    world: World, row: bool, process: bool
) -> None:
    """Should `absorb` ever let such a request get this far."""
    world.pending()
    request = world.get()
    terms = request.terms.model_copy(update={"dry_run": row})
    policy = world.policy.model_copy(update={"dry_run": process})
    sender = DeleteSender(policy, {}, world.requests, lambda: False, lambda: 0.0)
    claim = Claim(request.model_copy(update={"terms": terms}), 1, 0, Queue.ACT)
    with pytest.raises(DryRunForbids):
        sender.send(claim, by=1.0)
