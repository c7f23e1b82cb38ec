"""Looking at pairings: what is listed, what it costs, and that it gives way to everything else."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from bot.appliance.budget import MemoryBudget, Priority, ceiling
from bot.appliance.client import Appliance
from bot.request.events import CallFailed, PairingRead
from bot.request.lookup_results import ListedPairing
from bot.request.problem import ProblemKind
from bot.sandbox.appliance import Answer, SimulatedAppliance
from tests.appliance.simulated_client import client_of

PER_MINUTE = 40


@pytest.fixture
def appliance(simulated: SimulatedAppliance) -> Iterator[Appliance]:
    client = client_of(simulated, MemoryBudget(PER_MINUTE))
    yield client
    client.close()


@pytest.fixture
def port(appliance: Appliance) -> Appliance:
    return appliance.for_lookups()


def _by() -> float:
    return time.monotonic() + 10


def _list(port: Appliance, most: int) -> tuple[ListedPairing, ...]:
    found = port.list_pairings(_by(), count_at_most=most)
    assert not isinstance(found, CallFailed), found
    return found[0]


def test_few_pairings_are_counted_and_many_are_not(
    simulated: SimulatedAppliance, port: Appliance
) -> None:
    one = simulated.add_pairing(local="oslo", remote="rome", replications=3)
    two = simulated.add_pairing(local="oslo", remote="riga", replications=5)
    others = {p: None for p in simulated.pairings if p not in (one, two)}
    most = len(simulated.pairings)
    counted = {item.pairing.id: item.replications for item in _list(port, most)}
    assert (counted[one], counted[two]) == (3, 5)
    assert counted.keys() == {one, two, *others}
    assert {item.replications for item in _list(port, most - 1)} == {None}


def test_the_health_of_each_server_comes_along(
    simulated: SimulatedAppliance, port: Appliance
) -> None:
    one = simulated.add_pairing(local="oslo", remote="rome")
    simulated.set_server_status(one, "remote_vrms", "ERROR")
    (found,) = [item.pairing for item in _list(port, 0) if item.pairing.id == one]
    assert (found.remote_vrms.status, found.local_vrms.status) == ("ERROR", "OK")


def test_a_count_that_fails_leaves_a_list(simulated: SimulatedAppliance, port: Appliance) -> None:
    one = simulated.add_pairing(local="oslo", remote="rome")
    path = f"/pairings/{one}/replications/count"
    simulated.fail("GET", path, Answer(500), times=None)
    (found,) = [item for item in _list(port, 100) if item.pairing.id == one]
    assert (found.replications, found.uncounted) == (None, True)
    assert not any(item.uncounted for item in _list(port, 0)), "nobody wanted them counted"


def test_looking_stops_where_checking_still_goes_on(
    simulated: SimulatedAppliance, port: Appliance, appliance: Appliance
) -> None:
    made = 0
    while not isinstance(found := port.list_pairings(_by(), count_at_most=0), CallFailed):
        made += 1
        assert made <= PER_MINUTE
    assert found.problem.kind is ProblemKind.OVER_BUDGET
    assert found.problem.retry_at is not None
    assert made == ceiling(Priority.LOOKUP, PER_MINUTE) - 1, "and one log-in"
    assert appliance.calls(Priority.CHECK, _by()).pairings().items is not None


def test_a_preview_reads_what_a_card_shows(simulated: SimulatedAppliance, port: Appliance) -> None:
    one = simulated.add_pairing(local="oslo", remote="rome", replications=3)
    found = port.find_and_read("vcenter-rome", _by())
    assert isinstance(found, PairingRead)
    assert (found.snapshot.pairing_id, found.snapshot.count) == (one, 3)
    while isinstance(port.list_pairings(_by(), count_at_most=0), tuple):
        pass
    refused = port.find_and_read("vcenter-rome", _by())
    assert isinstance(refused, CallFailed)
    assert refused.problem.kind is ProblemKind.OVER_BUDGET


def test_an_appliance_that_is_away(simulated: SimulatedAppliance, port: Appliance) -> None:
    simulated.refuse_connections()
    found = port.list_pairings(_by(), count_at_most=0)
    assert isinstance(found, CallFailed)
    assert found.problem.kind is ProblemKind.UNSENT


def test_a_remote_site_that_is_away_hides_no_pairing(
    simulated: SimulatedAppliance, port: Appliance
) -> None:
    """The list says less of its pairing then, and is whole all the same."""
    simulated.set_remote_down(simulated.add_pairing(local="oslo", remote="rome"))
    found = port.list_pairings(_by(), count_at_most=0)
    assert not isinstance(found, CallFailed)
    pairings, may_miss = found
    assert pairings
    assert may_miss == ()
