"""Each fault as a raw client meets it, and whether the call had its effect."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from bot.sandbox.appliance import Answer, SimulatedAppliance
from tests.sandbox.appliance.client import RawClient
from tests.support.clock import Clock


@pytest.fixture
def pairing(appliance: SimulatedAppliance) -> str:
    return appliance.add_pairing()


@pytest.mark.parametrize("accept_first", [False, True])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 504])
def test_statuses_with_and_without_an_effect(
    appliance: SimulatedAppliance,
    client: RawClient,
    clock: Clock,
    pairing: str,
    status: int,
    accept_first: bool,
) -> None:
    appliance.on_delete(Answer(status, headers={"Retry-After": "7"}, accept_first=accept_first))
    answer = client.delete(pairing)
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    if status in (401, 404):
        assert answer.content == b""
    elif status == 502:
        assert answer.headers["Content-Type"] == "text/html"
        assert answer.text.startswith("<html>")
    else:
        assert set(answer.json()) == {"error_code", "message", "op_id"}
    assert appliance.deletes[0].status == status
    assert len(appliance.accepted_deletes) == len(appliance.tasks) == int(accept_first)
    clock.turn(3.0)
    assert appliance.pairings == ([] if accept_first else [pairing])


def test_own_words_and_bodies(
    appliance: SimulatedAppliance, client: RawClient, pairing: str
) -> None:
    op_id = "0f0e0d0c-0b0a-4908-8706-050403020100"
    appliance.on_delete(
        Answer(403, error_code="E1", message="<no> & ü", op_id=op_id),
        Answer(500, error_code="", message=""),
        Answer(502, message="json after all"),
        Answer(500, body="not { json"),
        Answer(202, body=b""),
        Answer(302, headers={"Location": "https://elsewhere.example/"}),
    )
    first = client.delete(pairing).json()
    assert first == {"error_code": "E1", "message": "<no> & ü", "op_id": op_id}
    assert client.delete(pairing).json()["error_code"] == ""
    assert client.delete(pairing).json()["message"] == "json after all"
    assert client.delete(pairing).text == "not { json"
    empty = client.delete(pairing)
    assert (empty.status_code, empty.content) == (202, b"")
    assert client.delete(pairing).headers["Location"] == "https://elsewhere.example/"
    assert appliance.accepted_deletes == []


def test_answers_are_used_up_in_order_and_202_is_the_ordinary_one(
    appliance: SimulatedAppliance, client: RawClient, pairing: str
) -> None:
    appliance.on_delete(Answer(503), Answer(202))
    appliance.on_delete(Answer(400))
    assert [client.delete(pairing).status_code for _ in range(4)] == [503, 202, 400, 500]
    assert len(appliance.accepted_deletes) == 1


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        (Answer(wire="cut_before"), False),
        (Answer(wire="cut_before", accept_first=True), True),
        (Answer(wire="cut_after_accept"), True),
    ],
    ids=str,
)
def test_answers_that_do_not_arrive(
    appliance: SimulatedAppliance,
    client: RawClient,
    pairing: str,
    answer: Answer,
    accepted: bool,
) -> None:
    appliance.on_delete(answer)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.delete(pairing)
    assert len(appliance.deletes) == 1
    assert len(appliance.accepted_deletes) == len(appliance.tasks) == int(accepted)
    assert client.get("/info").status_code == 200


def test_a_hanging_call_has_its_effect_when_released(
    appliance: SimulatedAppliance, client: RawClient, pool: ThreadPoolExecutor, pairing: str
) -> None:
    appliance.on_delete(Answer(wire="hang"))
    call = pool.submit(client.call, "DELETE", f"/pairings/{pairing}")
    appliance.wait_for(lambda: appliance.deletes)
    assert (appliance.tasks, appliance.deletes[0].status) == ([], None)
    assert not call.done()
    appliance.release_hanging()
    answer = call.result(10)
    assert answer.status_code == 202
    assert [c.task_id for c in appliance.deletes] == [answer.json()["id"]]
    assert appliance.deletes[0].status == 202


def test_a_hanging_call_that_was_accepted_first(
    appliance: SimulatedAppliance, client: RawClient, pool: ThreadPoolExecutor, pairing: str
) -> None:
    appliance.on_delete(Answer(503, wire="hang", accept_first=True))
    call = pool.submit(client.call, "DELETE", f"/pairings/{pairing}")
    appliance.wait_for(lambda: appliance.accepted_deletes)
    appliance.release_hanging()
    answer = call.result(10)
    assert (answer.status_code, len(appliance.tasks)) == (503, 1)
    assert len(appliance.deletes) == 1


@pytest.mark.parametrize("end", ["stop", "refuse_connections", "new_certificate"])
def test_a_hanging_call_ends_with_the_appliance(
    appliance: SimulatedAppliance,
    client: RawClient,
    pool: ThreadPoolExecutor,
    pairing: str,
    end: str,
) -> None:
    appliance.on_delete(Answer(wire="hang"))
    call = pool.submit(client.call, "DELETE", f"/pairings/{pairing}")
    appliance.wait_for(lambda: appliance.deletes)
    getattr(appliance, end)()
    assert isinstance(call.exception(10), requests.ConnectionError)
    assert appliance.accepted_deletes == []


def test_other_calls_fail_by_method_and_path(
    appliance: SimulatedAppliance, client: RawClient, pairing: str
) -> None:
    appliance.fail("get", "/tasks", Answer(503), times=2)
    appliance.fail("GET", f"/pairings/{pairing}/rep", Answer(500, error_code="X"), times=None)
    appliance.fail("*", "/session", Answer(wire="cut_before"))
    assert [client.get("/tasks").status_code for _ in range(3)] == [503, 503, 200]
    for _ in range(3):
        assert client.get(f"/pairings/{pairing}/replications").json()["error_code"] == "X"
    assert client.get(f"/pairings/{pairing}").status_code == 200
    with pytest.raises(requests.ConnectionError):
        client.log_in()
    assert client.log_in() == 200
    appliance.clear_faults()
    assert client.get(f"/pairings/{pairing}/replications").status_code == 200
    appliance.fail("DELETE", "/pairings", Answer(403))
    assert client.get("/pairings").status_code == 200
    assert client.delete(pairing).status_code == 403


def test_a_mistake_of_the_sandbox_itself_is_not_hidden(
    connect: Callable[..., RawClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    appliance = SimulatedAppliance().start()
    client = connect(appliance)
    monkeypatch.setattr(appliance, "receive", lambda *_: 1 // 0)
    with pytest.raises(requests.ConnectionError):
        client.get("/info")
    with pytest.raises(RuntimeError, match="itself failed"):
        appliance.stop()
    appliance.stop()
