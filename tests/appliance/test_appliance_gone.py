"""Gone is what the appliance says of the pairing itself, by its id and by its list.

No other 404 is a proof of anything. And a task is forgotten only when the appliance itself says so.
"""

from __future__ import annotations

from typing import Any

import pytest

from bot.appliance.appliance import Appliance
from bot.request.events import CallFailed, PresenceRead, TaskPolled
from bot.request.problem import ProblemKind as Kind
from tests.appliance.small_server import Reply, Server

PAIRING = {"pairing_id": "p-1"}
OTHER = {"pairing_id": "p-2"}
BY = 1e9  # all the time
TASK = "HmsTask:TASK-1:guid"
TASK_PATH = "/tasks/HmsTask%3ATASK-1%3Aguid"

GAP = {"code": "PARTIAL", "message": "Some pairings could not be read.", "field": "$.list"}
REMOTE = {"code": "REMOTE", "message": "The remote site is away.", "field": "$.list[0].remote_vrms"}

GATEWAYS = [b'{"status":404,"error":"Not Found"}', b"{}", b"<html>no route</html>", b"\x00\x01"]


def listed(*pairings: dict[str, str], errors: tuple[object, ...] = ()) -> Reply:
    return Reply(200, {"list": list(pairings), "_meta": {"errors": list(errors)}})


def serve_pairing(server: Server, pairing: dict[str, Any]) -> None:
    server.on("GET", "/pairings/p-1", Reply(200, pairing))
    server.on("GET", "/pairings/p-1/replications/count", Reply(200, {"count": 0}))
    server.on("GET", "/pairings/p-1/replications", Reply(200, {"list": []}))
    server.on("GET", "/tasks", Reply(200, {"list": []}))


def looked(appliance: Appliance) -> object:
    """What three ways to look find: they have to agree."""
    one = appliance.read_presence("p-1", BY)
    around = appliance.read_presence("p-1", BY, listed=True, task_id=None)
    acting = appliance.read_to_act("p-1", BY)
    if isinstance(one, CallFailed):
        assert (type(around), type(acting)) == (CallFailed, CallFailed)
        return one.problem.kind
    assert isinstance(around, PresenceRead)
    assert acting == one == PresenceRead(pairing=around.pairing)
    return one.pairing


@pytest.mark.parametrize(
    ("listing", "found"),
    [
        (listed(), "gone"),
        (listed(OTHER), "gone"),
        (listed(OTHER, errors=(REMOTE,)), "gone"),
        (listed(OTHER, PAIRING), "there"),
        (listed({"pairing_id": "P-1"}), "there"),
        (listed(OTHER, errors=(GAP,)), "unlisted"),
        (listed(OTHER, errors=({"field": "remote"},)), "unlisted"),
        (listed(OTHER, errors=("unreadable",)), "unlisted"),
        (listed(PAIRING, errors=(GAP,)), "there"),
        (Reply(200, {"list": [OTHER], "_meta": {"total": 3}}), "unlisted"),
        (Reply(404), Kind.NOT_UNDERSTOOD),
        (Reply(502), Kind.NOT_UNDERSTOOD),
        (Reply(500, {"message": "no"}), Kind.SERVER_ERROR),
    ],
)
def test_a_404_of_its_own_and_what_the_list_says(
    appliance: Appliance, server: Server, listing: Reply, found: str
) -> None:
    server.on("GET", "/pairings/p-1", Reply(404))
    server.on("GET", "/tasks", Reply(200, {"list": []}))
    server.on("GET", "/pairings", listing)
    assert looked(appliance) == found


@pytest.mark.parametrize("body", GATEWAYS)
@pytest.mark.parametrize(
    ("listing", "found"),
    [
        (listed(PAIRING), "there"),
        (listed(OTHER), "gone"),  # the list itself is whole, and was read after it
        (listed(OTHER, errors=(GAP,)), Kind.NOT_UNDERSTOOD),
        (Reply(404, b"<html>no route</html>"), Kind.NOT_UNDERSTOOD),
    ],
)
def test_a_404_with_a_body_never_counts(
    appliance: Appliance, server: Server, body: bytes, listing: Reply, found: str
) -> None:
    server.on("GET", "/pairings/p-1", Reply(404, body))
    server.on("GET", "/tasks", Reply(200, {"list": []}))
    server.on("GET", "/pairings", listing)
    assert looked(appliance) == found


def test_a_pairing_that_answers_needs_no_list(appliance: Appliance, server: Server) -> None:
    serve_pairing(server, PAIRING)
    assert appliance.read_presence("p-1", BY) == PresenceRead(pairing="there")
    assert server.count("GET", "/pairings") == 0


def test_a_404_of_the_log_in_says_nothing(appliance: Appliance, server: Server) -> None:
    server.on("POST", "/session", Reply(404))
    for said in (appliance.read_presence("p-1", BY), appliance.poll_task(TASK, BY)):
        assert isinstance(said, CallFailed)
        assert said.problem.kind is Kind.NOT_UNDERSTOOD


@pytest.mark.parametrize("about", ["/replications/count", "/replications"])
def test_nor_does_a_404_to_something_about_the_pairing(
    appliance: Appliance, server: Server, about: str
) -> None:
    serve_pairing(server, PAIRING)
    server.on("GET", f"/pairings/p-1{about}", Reply(404))
    said = appliance.read_to_act("p-1", BY)
    assert isinstance(said, CallFailed)
    assert said.problem.kind is Kind.NOT_UNDERSTOOD


# ---- a task, asked for by its id -----------------------------------------------------------------


def test_a_running_task_is_one_call(appliance: Appliance, server: Server) -> None:
    server.on("GET", TASK_PATH, Reply(200, {"id": TASK, "status": "RUNNING", "progress": 4}))
    seen = appliance.poll_task(TASK, BY)
    assert isinstance(seen, TaskPolled)
    assert seen.task is not None
    assert (seen.task.id, seen.task.progress) == (TASK, 4)
    assert [s.path for s in server.seen] == ["/session", TASK_PATH]


def test_its_own_404_says_that_it_is_forgotten_and_no_other_answer_does(
    appliance: Appliance, server: Server
) -> None:
    server.on("GET", TASK_PATH, Reply(404))
    assert appliance.poll_task(TASK, BY) == TaskPolled(task=None)
    for body in GATEWAYS:
        server.on("GET", TASK_PATH, Reply(404, body))
        assert isinstance(appliance.poll_task(TASK, BY), CallFailed)
    # A gateway that mixes up two answers would otherwise end one request with another's task.
    for other in ("HmsTask:TASK-2:guid", "", None):
        server.on("GET", TASK_PATH, Reply(200, {"id": other, "status": "SUCCESS"}))
        assert isinstance(appliance.poll_task(TASK, BY), CallFailed)


def test_looking_again_asks_for_the_known_task_alone(appliance: Appliance, server: Server) -> None:
    server.on("GET", TASK_PATH, Reply(200, {"id": TASK.upper(), "status": "ERROR"}))
    server.on("GET", "/pairings/p-1", Reply(200, PAIRING))
    seen = appliance.read_presence("p-1", BY, listed=False, task_id=TASK)
    assert isinstance(seen, PresenceRead)
    assert [t.status for t in seen.tasks] == ["ERROR"]
    assert server.count("GET", "/tasks") == 0
