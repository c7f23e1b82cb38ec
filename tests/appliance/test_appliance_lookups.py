"""Finding the pairing that somebody typed, and lists: what each costs, and what is said of a list
that misses some."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from bot.appliance.appliance import Appliance
from bot.appliance.budget import MemoryBudget, Priority, ceiling
from bot.request.events import CallFailed, PairingRead, PairingUnresolved
from bot.request.lookup_results import ListedPairing
from bot.request.problem import ProblemKind as Kind
from bot.sandbox.appliance import Answer, SimulatedAppliance
from tests.appliance.clients import client_of_simulated

PER_MINUTE = 40
NOWHERE = "dddddddd-0000-0000-0000-000000000009"
BY = 1e9  # the effects of these tests have all the time
GAP = {"code": "PARTIAL", "message": "Some pairings could not be read.", "field": "$.list"}


@pytest.fixture
def appliance(simulated: SimulatedAppliance) -> Iterator[Appliance]:
    client = client_of_simulated(simulated, budget=MemoryBudget(PER_MINUTE))
    yield client
    client.close()


@pytest.fixture
def port(appliance: Appliance) -> Appliance:
    return appliance.for_lookups()


def _list(port: Appliance, most: int) -> tuple[ListedPairing, ...]:
    found = port.list_pairings(BY, count_at_most=most)
    assert not isinstance(found, CallFailed), found
    return found[0]


def test_few_pairings_are_counted_and_many_are_not(
    simulated: SimulatedAppliance, port: Appliance
) -> None:
    one = simulated.add_pairing(local="oslo", remote="rome", replications=3)
    two = simulated.add_pairing(local="oslo", remote="riga", replications=5)
    counted = {item.pairing.id: item.replications for item in _list(port, 2)}
    assert counted == {one: 3, two: 5}
    assert {(item.replications, item.uncounted) for item in _list(port, 1)} == {(None, False)}
    simulated.fail("GET", f"/pairings/{one}/replications/count", Answer(500), times=None)
    assert {(item.replications, item.uncounted) for item in _list(port, 2)} == {(None, True)}


def test_lookups_stop_where_checks_still_go_on(port: Appliance, appliance: Appliance) -> None:
    made = 0
    while not isinstance(found := port.list_pairings(BY, count_at_most=0), CallFailed):
        made += 1
        assert made <= PER_MINUTE
    assert found.problem.kind is Kind.OVER_BUDGET
    assert found.problem.retry_at is not None
    assert made == ceiling(Priority.LOOKUP, PER_MINUTE) - 1, "and one log-in"
    previewed = port.find_and_read("vcenter-rome", BY)
    assert isinstance(previewed, CallFailed)
    assert previewed.problem.kind is Kind.OVER_BUDGET
    assert appliance.calls(Priority.CHECK, BY).pairings().items == ()


# ---- pairings that are missing from the list in which one is looked for --------------------------


def find(port: Appliance, asked: str) -> str:
    """The id of the pairing, or why there is none."""
    found = port.find_and_read(asked, BY)
    assert isinstance(found, PairingRead | PairingUnresolved), found
    return found.snapshot.pairing_id if isinstance(found, PairingRead) else found.why


def test_an_id_is_found_whether_it_is_listed_or_not(
    port: Appliance, simulated: SimulatedAppliance
) -> None:
    listed = simulated.add_pairing(local="oslo", remote="rome")
    missing = simulated.add_pairing(local="oslo", remote="rome-2")
    body = json.dumps({"list": [{"pairing_id": listed}], "_meta": {"total": 1, "errors": [GAP]}})
    itself = simulated.add_self_pairing("oslo")
    for asked, found in (
        ("rome", "partial"),  # a missing one may have that name too
        (f" {listed} ", listed),
        (f" {missing} ", missing),
        (NOWHERE, "none"),
        (itself, "self"),
    ):
        simulated.fail("GET", "/pairings", Answer(200, body=body))
        assert find(port, asked) == found


def test_a_remote_site_that_is_away_hides_no_pairing(
    port: Appliance, simulated: SimulatedAppliance
) -> None:
    """The list says so of each such site all the time: names must be understood then above all."""
    one = simulated.add_pairing(local="oslo", remote="riga")
    simulated.set_remote_down(one)
    assert find(port, "vcenter-riga") == one
    found = port.list_pairings(BY, count_at_most=0)
    assert not isinstance(found, CallFailed)
    assert found[1] == ()
