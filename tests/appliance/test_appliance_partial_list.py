"""Pairings that are missing from the list in which one is looked for."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bot.appliance.budget import MemoryBudget
from bot.appliance.client import Appliance
from bot.request.events import PairingRead, PairingUnresolved
from bot.sandbox.appliance import Answer, SimulatedAppliance
from tests.appliance.simulated_client import client_of

NOWHERE = "dddddddd-0000-0000-0000-000000000009"
GAP = {"code": "PARTIAL", "message": "Some pairings could not be read.", "field": "$.list"}
REMOTE = {"code": "REMOTE", "message": "The remote site is away.", "field": "$.list[0].remote_vrms"}


@pytest.fixture
def port(simulated: SimulatedAppliance) -> Iterator[Appliance]:
    client = client_of(simulated, MemoryBudget(1000))
    yield client
    client.close()


class Lists:
    """The next list has this pairing alone, though there is another one that fits "rome"."""

    def __init__(self, simulated: SimulatedAppliance) -> None:
        self.simulated = simulated
        self.listed = simulated.add_pairing(local="oslo", remote="rome")
        self.missing = simulated.add_pairing(local="oslo", remote="rome-2")

    def alone(self, *errors: dict[str, Any], total: int | None = 1) -> None:
        servers = {"local_vc_server": {"name": "oslo"}, "remote_vc_server": {"name": "rome"}}
        meta = {"errors": errors} if total is None else {"errors": errors, "total": total}
        body = json.dumps({"list": [{"pairing_id": self.listed, **servers}], "_meta": meta})
        self.simulated.fail("GET", "/pairings", Answer(200, body=body))


@pytest.fixture
def lists(simulated: SimulatedAppliance) -> Lists:
    return Lists(simulated)


def find(port: Appliance, asked: str) -> PairingRead | PairingUnresolved:
    found = port.find_and_read(asked, time.monotonic() + 10)
    assert isinstance(found, PairingRead | PairingUnresolved), found
    return found


def unresolved(port: Appliance, asked: str) -> PairingUnresolved:
    found = find(port, asked)
    assert isinstance(found, PairingUnresolved), found
    return found


@pytest.mark.parametrize("gap", [GAP, {"code": "PARTIAL"}, {"field": "remote"}, "unreadable"])
def test_no_card_for_a_name_that_a_missing_one_may_fit_too(
    port: Appliance, lists: Lists, gap: Any
) -> None:
    lists.alone(gap)
    found = unresolved(port, "rome")
    assert found.why == "partial"
    assert found.candidates == (f"oslo → rome ({lists.listed})",)


def test_fewer_than_announced_are_a_gap(port: Appliance, lists: Lists) -> None:
    lists.alone(total=2)
    lists.alone(total=2)  # the page behind, with nothing new
    assert unresolved(port, "rome").why == "partial"


def test_an_unknown_name_may_be_a_missing_one(port: Appliance, lists: Lists) -> None:
    lists.alone(GAP)
    assert unresolved(port, "rome-2").why == "partial"


def test_an_id_is_found_whether_it_is_listed_or_not(port: Appliance, lists: Lists) -> None:
    for pairing_id in (lists.listed, lists.missing):
        lists.alone(GAP)
        found = find(port, f" {pairing_id} ")
        assert isinstance(found, PairingRead)
        assert found.snapshot.pairing_id == pairing_id


def test_an_id_that_is_not_there_at_all(port: Appliance, lists: Lists) -> None:
    lists.alone(GAP)
    assert unresolved(port, NOWHERE).why == "none"


def test_a_site_paired_with_itself_is_refused_though_it_is_not_listed(
    port: Appliance, lists: Lists, simulated: SimulatedAppliance
) -> None:
    itself = simulated.add_self_pairing("oslo")
    lists.alone(GAP)
    assert unresolved(port, itself).why == "self"


def test_a_remote_site_that_is_away_hides_no_pairing(
    port: Appliance, lists: Lists, simulated: SimulatedAppliance
) -> None:
    """The list says so of each such site all the time: names must be understood then above all."""
    lists.alone(REMOTE, total=None)
    found = find(port, "rome")
    assert isinstance(found, PairingRead)
    one = simulated.add_pairing(local="oslo", remote="riga")
    simulated.set_remote_down(one)
    found = find(port, "vcenter-riga")
    assert isinstance(found, PairingRead)
    assert found.snapshot.pairing_id == one
