"""The pairing is not what was approved any more: nothing is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.slack import mentions
from tests.support.bot_on_stage import ALAN, RITA, World

Change = Callable[[SimulatedAppliance, str], None]

CHANGES: dict[str, tuple[Change, str]] = {
    "another-replication": (
        lambda appliance, pairing: appliance.set_replications(pairing, 4),
        "replications new since: ",
    ),
    "other-replications": (
        lambda appliance, pairing: appliance.set_replications(pairing, ["vm-a", "vm-b", "vm-c"]),
        "replications new since: vm-a, vm-b, vm-c",
    ),
    "another-server": (
        lambda appliance, pairing: appliance.change_server_ids(pairing, "remote_vrms"),
        "remote replication server: another one of the same name, ",
    ),
    "gone": (
        lambda appliance, pairing: appliance.remove_pairing(pairing),
        "gone",
    ),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_what_changes_between_card_and_approval_stops_it(world: World, name: str) -> None:
    change, said = CHANGES[name]
    pairing = world.pairing(replications=3)
    asked = world.asks_to_break(pairing)
    change(world.appliance, pairing)
    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()
    record = asked.wait_for_record()

    assert said in final.all_text
    assert "nothing was sent" in final.all_text.lower()
    assert mentions(final) == {RITA, ALAN}
    assert any(words in record.all_text for words in ("nothing was sent", "before anything"))
    assert world.appliance.deletes == []
    (row,) = world.console.requests("--limit", "1")
    assert (row["id"], row["state"]) == (asked.id, "changed")


def test_force_loses_its_reason_when_the_other_site_is_back(world: World) -> None:
    pairing = world.pairing()
    world.appliance.set_remote_down(pairing)
    asked = world.asks_to_break(pairing, "--force the other site is lost")
    world.appliance.set_remote_down(pairing, False)
    asked.clicks(ALAN, "approve")

    assert "can be reached now" in asked.wait_for_final().all_text
    assert world.appliance.deletes == []
    assert world.states() == {"changed": 1}


def test_daily_life_changes_nothing(world: World) -> None:
    """A new issue and a server in trouble are no reason to void an approval."""
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)
    world.appliance.add_issue(pairing, "A snapshot is late.")
    world.appliance.set_server_status(pairing, "local_vrms", "WARNING")
    asked.clicks(ALAN, "approve")

    assert "The pairing is gone." in asked.wait_for_final().text
    assert len(world.appliance.deletes) == 1
