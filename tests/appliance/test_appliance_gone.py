"""Gone is what the appliance says of the pairing itself. Any other 404 is no proof of anything."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bot.appliance.budget import Priority
from bot.appliance.client import Appliance
from bot.appliance.errors import NoSuchPairing, NotFound
from bot.appliance.port import Port
from bot.core.events import CallFailed, Looked, PairingLooked
from bot.core.problem import ProblemKind
from tests.appliance.small_server import Reply, Server

PAIRING = {"pairing_id": "p-1"}


def soon() -> float:
    return time.monotonic() + 5


def port(appliance: Appliance) -> Port:
    return Port(appliance, lambda: 0)


def serve_pairing(server: Server, pairing: dict[str, Any]) -> None:
    server.on("GET", "/pairings/p-1", Reply(200, pairing))
    server.on("GET", "/pairings/p-1/replications/count", Reply(200, {"count": 0}))
    for listed in ("replications", "issues"):
        server.on("GET", f"/pairings/p-1/{listed}", Reply(200, {"list": []}))
    server.on("GET", "/tasks", Reply(200, {"list": []}))


def test_its_own_404_is_one(appliance: Appliance, server: Server) -> None:
    server.on("GET", "/pairings/p-1", Reply(404))
    server.on("GET", "/tasks", Reply(200, {"list": []}))
    assert port(appliance).look_at_pairing("p-1", soon()) == PairingLooked(present=False)
    looked = port(appliance).look_around("p-1", soon())
    assert isinstance(looked, Looked)
    assert not looked.pairing_present
    said = port(appliance).read_to_act("p-1", soon())
    assert isinstance(said, CallFailed)
    assert said.problem.kind is ProblemKind.NOT_FOUND


def test_a_404_of_the_log_in_says_nothing_about_the_pairing(
    appliance: Appliance, server: Server
) -> None:
    server.on("POST", "/session", Reply(404))
    with pytest.raises(NotFound) as caught:
        appliance.calls(Priority.FOLLOW).pairing("p-1")
    assert not isinstance(caught.value, NoSuchPairing)
    said = port(appliance).look_at_pairing("p-1", soon())
    assert isinstance(said, CallFailed)
    assert said.problem.kind is ProblemKind.NOT_UNDERSTOOD


@pytest.mark.parametrize("about", ["/replications/count", "/replications"])
def test_nor_does_a_404_to_something_about_it(
    appliance: Appliance, server: Server, about: str
) -> None:
    serve_pairing(server, PAIRING)
    server.on("GET", f"/pairings/p-1{about}", Reply(404))
    said = port(appliance).read_to_act("p-1", soon())
    assert isinstance(said, CallFailed)
    assert said.problem.kind is ProblemKind.NOT_UNDERSTOOD
