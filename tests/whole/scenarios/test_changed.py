"""The pairing is not what was approved any more: nothing is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.appliance import SimulatedAppliance
from sandbox.slack import mentions
from tests.support.stage import ALAN, RITA, Stage

Change = Callable[[SimulatedAppliance, str], None]


def another_server(appliance: SimulatedAppliance, pairing: str) -> None:
    appliance.change_server_ids(pairing, "remote_vrms")


def gone(appliance: SimulatedAppliance, pairing: str) -> None:
    appliance.remove_pairing(pairing)


@pytest.mark.parametrize("change", [another_server, gone])
def test_what_changes_between_card_and_approval_stops_it(
    shared_stage: Stage, change: Change
) -> None:
    stage = shared_stage
    pairing = stage.pairing()
    asked = stage.asks_to_break(pairing)
    change(stage.appliance, pairing)
    asked.clicks(ALAN, "approve")
    assert mentions(asked.wait_for_final()) == {RITA, ALAN}
    asked.wait_for_record()
    assert stage.appliance.deletes == []
    assert stage.console.show(asked.id)["state"] == "changed"
