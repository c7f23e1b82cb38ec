"""Each fault as a raw client meets it, and whether the call had its effect."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable

import pytest
import requests

from bot.sandbox.appliance import Answer, SimulatedAppliance
from tests.sandbox.appliance.client import Background, FakeClock, RawClient


@pytest.fixture
def pairing(appliance: SimulatedAppliance) -> str:
    return appliance.add_pairing()


def _raw(appliance: SimulatedAppliance, head: str) -> bytes:
    """Everything that comes back for these bytes until the connection ends."""
    context = ssl.create_default_context(cafile=appliance.ca_file)
    host, port = appliance.host.split(":")
    with (
        socket.create_connection((host, int(port)), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        secured.sendall(head.encode("latin-1"))
        got = b""
        while chunk := secured.recv(65536):
            got += chunk
    return got


def _delete_head(client: RawClient, pairing: str) -> str:
    token = client.headers["x-dr-session"]
    return (
        f"DELETE {client.appliance.base_path}/pairings/{pairing}?force=false HTTP/1.1\r\n"
        f"Host: {client.appliance.host}\r\nx-dr-session: {token}\r\n\r\n"
    )


@pytest.mark.parametrize("accept_first", [False, True])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 504])
def test_statuses_with_and_without_an_effect(
    appliance: SimulatedAppliance,
    client: RawClient,
    clock: FakeClock,
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
    clock.pass_seconds(3.0)
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
    assert appliance.deletes[0].op_id == op_id
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


def test_an_answer_for_unpairing_waits_for_unpairing(
    appliance: SimulatedAppliance, client: RawClient, pairing: str
) -> None:
    appliance.on_delete(Answer(403))
    assert client.get(f"/pairings/{pairing}").status_code == 200
    assert client.call("DELETE", "/session").status_code == 204
    client.log_in()
    assert client.delete(pairing).status_code == 403


def test_what_is_accepted_first_still_needs_a_session_and_a_pairing(
    appliance: SimulatedAppliance, client: RawClient, pairing: str
) -> None:
    appliance.on_delete(Answer(503, accept_first=True), Answer(503, accept_first=True))
    assert client.delete("5a0f6f1e-0000-4000-8000-000000000000").status_code == 503
    appliance.expire_sessions()
    assert client.delete(pairing).status_code == 503
    assert (appliance.accepted_deletes, appliance.tasks) == ([], [])


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        (Answer(wire="cut_before"), False),
        (Answer(wire="cut_before", accept_first=True), True),
        (Answer(wire="cut_after_accept"), True),
        (Answer(wire="garbage"), False),
        (Answer(wire="garbage", accept_first=True), True),
        (Answer(wire="truncate"), True),
        (Answer(500, wire="truncate"), False),
        (Answer(401, wire="truncate"), False),
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


def test_cut_and_garbage_as_bytes(
    appliance: SimulatedAppliance, client: RawClient, pairing: str
) -> None:
    appliance.on_delete(
        Answer(wire="cut_before"), Answer(wire="garbage"), Answer(500, wire="truncate")
    )
    head = _delete_head(client, pairing)
    assert _raw(appliance, head) == b""
    assert b"HTTP" not in _raw(appliance, head)[:8]
    assert [call.status for call in appliance.deletes] == [None, None]
    parts = _raw(appliance, head).split(b"\r\n\r\n")
    assert parts[0].startswith(b"HTTP/1.1 500 ")
    [length] = [int(x[16:]) for x in parts[0].split(b"\r\n") if x.startswith(b"Content-Length: ")]
    assert len(parts[1]) == length // 2 > 0


def test_a_hanging_call_has_its_effect_when_released(
    appliance: SimulatedAppliance, client: RawClient, pairing: str
) -> None:
    appliance.on_delete(Answer(wire="hang"))
    call = Background(client, "DELETE", f"/pairings/{pairing}")
    appliance.wait_for(lambda: appliance.deletes)
    assert (appliance.tasks, appliance.deletes[0].status) == ([], None)
    assert call.running
    appliance.release_hanging()
    answer = call.join().answer
    assert answer is not None
    assert answer.status_code == 202
    assert [c.task_id for c in appliance.deletes] == [answer.json()["id"]]
    assert appliance.deletes[0].status == 202


def test_a_client_that_gave_up_can_still_be_accepted_later(
    appliance: SimulatedAppliance, client: RawClient, pairing: str
) -> None:
    appliance.on_delete(Answer(wire="hang"))
    with pytest.raises(requests.ReadTimeout):
        client.call("DELETE", f"/pairings/{pairing}", timeout=0.1)
    assert appliance.accepted_deletes == []
    assert client.get(f"/pairings/{pairing}").status_code == 200
    appliance.release_hanging()
    appliance.wait_for(lambda: appliance.accepted_deletes)
    assert len(appliance.tasks) == 1


def test_a_hanging_call_that_was_accepted_first(
    appliance: SimulatedAppliance, client: RawClient, pairing: str
) -> None:
    appliance.on_delete(Answer(503, wire="hang", accept_first=True))
    call = Background(client, "DELETE", f"/pairings/{pairing}")
    appliance.wait_for(lambda: appliance.accepted_deletes)
    appliance.release_hanging()
    answer = call.join().answer
    assert answer is not None
    assert (answer.status_code, len(appliance.tasks)) == (503, 1)
    assert len(appliance.deletes) == 1


def test_a_release_is_for_the_calls_before_it(
    appliance: SimulatedAppliance, client: RawClient, pairing: str
) -> None:
    appliance.release_hanging()
    appliance.cut_connections()
    appliance.on_delete(Answer(wire="hang"))
    with pytest.raises(requests.ReadTimeout):
        client.call("DELETE", f"/pairings/{pairing}", timeout=0.1)
    assert (len(appliance.deletes), appliance.accepted_deletes) == (1, [])


@pytest.mark.parametrize("end", ["stop", "refuse_connections", "cut_connections"])
def test_a_hanging_call_ends_with_the_appliance(
    appliance: SimulatedAppliance, client: RawClient, pairing: str, end: str
) -> None:
    appliance.on_delete(Answer(wire="hang"))
    call = Background(client, "DELETE", f"/pairings/{pairing}")
    appliance.wait_for(lambda: appliance.deletes)
    getattr(appliance, end)()
    assert isinstance(call.join().error, requests.ConnectionError)
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
    with pytest.raises(ValueError, match="at least 1"):
        appliance.fail("GET", "/tasks", Answer(503), times=0)


def test_a_rule_does_not_reach_outside_its_method(
    appliance: SimulatedAppliance, client: RawClient, pairing: str
) -> None:
    appliance.fail("DELETE", "/pairings", Answer(403))
    assert client.get("/pairings").status_code == 200
    assert client.delete(pairing).status_code == 403


@pytest.mark.parametrize(
    "head",
    ["NONSENSE\r\n\r\n", "GET / HTTP/9.9.9\r\n\r\n", "GET / HTTP/1.1\r\nX\r\n\r\n"],
    ids=["words", "version", "headers"],
)
def test_bytes_that_are_no_request_get_400_and_the_end(
    appliance: SimulatedAppliance, head: str
) -> None:
    assert _raw(appliance, head).startswith(b"HTTP/1.1 400 ")
    assert appliance.calls == []


def test_a_connection_serves_many_calls_and_bodies_are_not_read_as_calls(
    appliance: SimulatedAppliance, client: RawClient
) -> None:
    context = ssl.create_default_context(cafile=appliance.ca_file)
    connection = http.client.HTTPSConnection(appliance.host, context=context, timeout=5)
    try:
        connection.connect()
        own_port = connection.sock.getsockname()[1]
        for body in (None, "GET / HTTP/1.1\r\n\r\n"):
            connection.request("GET", f"{appliance.base_path}/info", body, client.headers)
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
        assert connection.sock.getsockname()[1] == own_port
    finally:
        connection.close()
    assert [call.path for call in appliance.calls] == ["/session", "/info", "/info"]


def test_a_mistake_of_the_sandbox_itself_is_not_hidden(
    connect: Callable[..., RawClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    appliance = SimulatedAppliance().start()
    client = connect(appliance)
    monkeypatch.setattr(appliance._api, "answer", lambda *_: 1 // 0)
    with pytest.raises(requests.ConnectionError):
        client.get("/info")
    with pytest.raises(RuntimeError, match="itself failed"):
        appliance.stop()
    appliance.stop()
