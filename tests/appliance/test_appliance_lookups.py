"""Finding the pairing that somebody typed, and lists: what each costs, and what is said of a list
that misses some."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

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
GAP = {"code": "PARTIAL", "message": "Some pairings could not be read.", "field": "$.list"}
REMOTE = {"code": "REMOTE", "message": "The remote site is away.", "field": "$.list[0].remote_vrms"}


@pytest.fixture
def appliance(simulated: SimulatedAppliance) -> Iterator[Appliance]:
    client = client_of_simulated(simulated, budget=MemoryBudget(PER_MINUTE))
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
    counted = {item.pairing.id: item.replications for item in _list(port, 2)}
    assert counted == {one: 3, two: 5}
    assert {(item.replications, item.uncounted) for item in _list(port, 1)} == {(None, False)}
    simulated.fail("GET", f"/pairings/{one}/replications/count", Answer(500), times=None)
    assert {(item.replications, item.uncounted) for item in _list(port, 2)} == {(None, True)}


def test_lookups_stop_where_checks_still_go_on(port: Appliance, appliance: Appliance) -> None:
    made = 0
    while not isinstance(found := port.list_pairings(_by(), count_at_most=0), CallFailed):
        made += 1
        assert made <= PER_MINUTE
    assert found.problem.kind is Kind.OVER_BUDGET
    assert found.problem.retry_at is not None
    assert made == ceiling(Priority.LOOKUP, PER_MINUTE) - 1, "and one log-in"
    previewed = port.find_and_read("vcenter-rome", _by())
    assert isinstance(previewed, CallFailed)
    assert previewed.problem.kind is Kind.OVER_BUDGET
    assert appliance.calls(Priority.CHECK, _by()).pairings().items == ()


# ---- pairings that are missing from the list in which one is looked for --------------------------


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


def find(port: Appliance, asked: str) -> str:
    """The id of the pairing, or why there is none."""
    found = port.find_and_read(asked, _by())
    assert isinstance(found, PairingRead | PairingUnresolved), found
    return found.snapshot.pairing_id if isinstance(found, PairingRead) else found.why


@pytest.mark.parametrize("gap", [GAP, {"code": "PARTIAL"}, {"field": "remote"}, "unreadable"])
def test_no_card_for_a_name_that_a_missing_one_may_fit_too(
    port: Appliance, lists: Lists, gap: Any
) -> None:
    for asked in ("rome", "rome-2"):
        lists.alone(gap)
        assert find(port, asked) == "partial"


def test_fewer_than_announced_are_a_gap(port: Appliance, lists: Lists) -> None:
    lists.alone(total=2)
    lists.alone(total=2)  # the page behind, with nothing new
    assert find(port, "rome") == "partial"


def test_an_id_is_found_whether_it_is_listed_or_not(
    port: Appliance, lists: Lists, simulated: SimulatedAppliance
) -> None:
    itself = simulated.add_self_pairing("oslo")
    for asked, found in (
        (f" {lists.listed} ", lists.listed),
        (f" {lists.missing} ", lists.missing),
        (NOWHERE, "none"),
        (itself, "self"),
    ):
        lists.alone(GAP)
        assert find(port, asked) == found


def test_a_remote_site_that_is_away_hides_no_pairing(
    port: Appliance, lists: Lists, simulated: SimulatedAppliance
) -> None:
    """The list says so of each such site all the time: names must be understood then above all."""
    lists.alone(REMOTE, total=None)
    lists.alone(REMOTE, total=None)  # the page behind, with nothing new
    assert find(port, "rome") == lists.listed
    one = simulated.add_pairing(local="oslo", remote="riga")
    simulated.set_remote_down(one)
    assert find(port, "vcenter-riga") == one
    found = port.list_pairings(_by(), count_at_most=0)
    assert not isinstance(found, CallFailed)
    assert found[1] == ()
