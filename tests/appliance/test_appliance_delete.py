"""The one call that changes something: sent exactly once, or provably not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from bot.appliance.budget import MemoryBudget, Priority
from bot.appliance.client import Appliance
from bot.appliance.connection import ANSWER_MAX_BYTES
from bot.appliance.errors import (
    ApplianceError,
    ConnectFailed,
    ConnectionCut,
    Limited,
    LoginRefused,
    NoSession,
    NoSuchPairing,
    NotFound,
    NotSent,
    NotUnderstood,
    Refused,
    TimedOut,
    TooLate,
    Unauthorized,
    Unavailable,
)
from bot.request.model import TaskView
from tests.appliance.small_server import (
    PASSWORD,
    REMOTE,
    TOKEN,
    Handler,
    Reply,
    Server,
    broken_tls,
    cut,
)

PAIRING = "/pairings/p-1"
REMOTE_PATH = "/pairings/p-1/remote-session"
ACCEPTED = {"id": "t:1:x", "status": "QUEUED", "error": None}
Connect = Callable[..., Appliance]


def soon() -> float:
    return time.monotonic() + 1


def prepared(appliance: Appliance, by: float | None = None) -> Callable[[], TaskView]:
    calls = appliance.calls(Priority.ACT, by)
    calls.prepare_delete("p-1")
    return lambda: calls.delete_pairing("p-1", force=False, send_by=soon())


@pytest.mark.parametrize("force", [True, False])
def test_an_accepted_delete(appliance: Appliance, server: Server, force: bool) -> None:
    server.on("DELETE", PAIRING, Reply(202, ACCEPTED))
    calls = appliance.calls(Priority.ACT)
    calls.prepare_delete("p-1")
    task = calls.delete_pairing("p-1", force=force, send_by=soon())
    assert (task.id, task.status) == ("t:1:x", "QUEUED")
    sent = server.seen[-1]
    assert (sent.method, sent.path) == ("DELETE", PAIRING)
    assert sent.query == {"force": [str(force).lower()]}
    assert sent.headers["x-dr-session"] == f"{TOKEN}1"


def cut_in_body(handler: Handler) -> None:
    handler.wfile.write(b'HTTP/1.1 202 Accepted\r\nContent-Length: 90\r\n\r\n{"id"')
    handler.close_connection = True


def endless(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 202 Accepted\r\n\r\n")
    for _ in range(ANSWER_MAX_BYTES // 2**20 + 2):
        handler.wfile.write(b" " * 2**20)


def hang(handler: Handler) -> None:
    # Ends when the client gives up and closes.
    handler.connection.settimeout(5)
    handler.rfile.read(1)
    handler.close_connection = True


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(202, b"<html>"), NotUnderstood),
        (Reply(202, {"status": "QUEUED"}), NotUnderstood),
        (Reply(202, b""), NotUnderstood),
        (Reply(200, ACCEPTED), NotUnderstood),
        (Reply(204), NotUnderstood),
        (Reply(302, headers={"Location": PAIRING}), NotUnderstood),
        (Reply(307, headers={"Location": PAIRING}), NotUnderstood),
        (Reply(400, {"message": "m"}), Refused),
        (Reply(401), Unauthorized),
        (Reply(403, {"message": "m"}), Refused),
        (Reply(404), NoSuchPairing),
        (Reply(408), NotUnderstood),
        (Reply(429), Limited),
        (Reply(500, {"message": "m"}), Refused),
        (Reply(502, b"<html>"), NotUnderstood),
        (Reply(503), NotUnderstood),
        (Reply(503, headers={"Retry-After": "1"}), Unavailable),
        (Reply(504), NotUnderstood),
        (Reply(raw=cut), ConnectionCut),
        (Reply(raw=cut_in_body), ConnectionCut),
        (Reply(raw=broken_tls), ConnectionCut),
        (Reply(raw=hang), TimedOut),
        (Reply(raw=endless), NotUnderstood),
    ],
)
def test_exactly_one_whatever_comes_back(
    connect: Connect, server: Server, reply: Reply, error: type[ApplianceError]
) -> None:
    budget = MemoryBudget(1000)
    appliance = connect(budget=budget, timeout_seconds=0.5)
    server.on("DELETE", PAIRING, reply)
    delete = prepared(appliance)
    spent = budget.state
    before = len(server.seen)
    with pytest.raises(ApplianceError) as caught:
        delete()
    assert type(caught.value) is error
    assert not isinstance(caught.value, NotSent)
    assert [s.method for s in server.seen[before:]] == ["DELETE"]
    # Neither a log-in nor a budget: both were taken care of before the intent.
    assert budget.state == spent


def test_after_a_401_the_session_is_gone_and_nothing_is_sent_without_one(
    appliance: Appliance, server: Server
) -> None:
    server.on("DELETE", PAIRING, Reply(401), Reply(202, ACCEPTED))
    delete = prepared(appliance)
    with pytest.raises(Unauthorized):
        delete()
    with pytest.raises(NoSession, match="before the DELETE could be sent"):
        delete()
    assert (server.count("DELETE"), server.logins) == (1, 1)
    prepared(appliance)()
    assert (server.count("DELETE"), server.logins) == (2, 2)


def test_no_delete_without_preparation(connect: Connect, server: Server) -> None:
    for appliance in (connect(), connect(**REMOTE)):
        with pytest.raises(NoSession):
            appliance.calls(Priority.ACT).delete_pairing("p-1", force=True, send_by=soon())
    local_only = connect(**REMOTE)
    server.on("GET", "/info", Reply(200, {}))
    local_only.calls(Priority.ACT).info()
    with pytest.raises(NoSession):
        local_only.calls(Priority.ACT).delete_pairing("p-1", force=True, send_by=soon())
    assert server.count("DELETE") == 0


@pytest.mark.parametrize("pairing_id", ["", ".", "..", "a\nb"])
def test_no_delete_of_what_is_no_id(appliance: Appliance, server: Server, pairing_id: str) -> None:
    prepared(appliance)
    with pytest.raises(NotFound):
        appliance.calls(Priority.ACT).delete_pairing(pairing_id, force=True, send_by=soon())
    assert server.count("DELETE") == 0


@dataclass
class Clock:
    """Goes forward when told to; `jumps` makes single readings go forward on their own."""

    now: float = 100.0
    jumps: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        if self.jumps:
            self.now += self.jumps.pop(0)
        return self.now


def test_too_late_before_anything(connect: Connect, server: Server) -> None:
    clock = Clock()
    calls = connect(monotonic=clock).calls(Priority.ACT)
    calls.prepare_delete("p-1")
    server.on("DELETE", PAIRING, Reply(202, ACCEPTED))
    before = server.http_bytes
    with pytest.raises(TooLate, match="could not be sent"):
        calls.delete_pairing("p-1", force=False, send_by=clock.now - 0.001)
    assert server.http_bytes == before
    # The very moment is still in time.
    assert calls.delete_pairing("p-1", force=False, send_by=clock.now).id == "t:1:x"


def test_too_late_after_the_effects_own_deadline(connect: Connect, server: Server) -> None:
    clock = Clock()
    calls = connect(monotonic=clock).calls(Priority.ACT, by=clock.now + 5)
    calls.prepare_delete("p-1")
    clock.now += 6
    with pytest.raises(NotSent):
        calls.delete_pairing("p-1", force=False, send_by=clock.now + 1)
    assert server.count("DELETE") == 0


def test_frozen_on_a_kept_connection(connect: Connect, server: Server) -> None:
    clock = Clock()
    calls = connect(monotonic=clock).calls(Priority.ACT)
    calls.prepare_delete("p-1")
    before = (server.http_bytes, server.handshakes)
    # Begun in time, on a warm connection; by the reading just before the bytes it is too late.
    clock.jumps = [0.0, 0.0, 2.0]
    with pytest.raises(TooLate):
        calls.delete_pairing("p-1", force=False, send_by=clock.now + 1)
    server.settle()
    assert (server.http_bytes, server.handshakes) == before


def test_frozen_while_a_new_connection_is_made(connect: Connect, server: Server) -> None:
    clock = Clock()
    calls = connect(monotonic=clock).calls(Priority.ACT)
    server.on("GET", "/session", Reply(200, {}, headers={"Connection": "close"}))
    calls.prepare_delete("p-1")

    def late() -> None:
        clock.now += 2

    server.before_handshake = late
    before = server.http_bytes
    with pytest.raises(TooLate):
        calls.delete_pairing("p-1", force=False, send_by=clock.now + 1)
    server.settle(server.handshakes)
    assert server.http_bytes == before
    assert server.count("DELETE") == 0


def test_a_connection_that_takes_too_long_is_given_up(connect: Connect, server: Server) -> None:
    calls = connect().calls(Priority.ACT)
    server.on("GET", "/session", Reply(200, {}, headers={"Connection": "close"}))
    calls.prepare_delete("p-1")
    over = threading.Event()
    server.before_handshake = lambda: over.wait(5)
    begin = time.monotonic()
    try:
        with pytest.raises(ConnectFailed):
            calls.delete_pairing("p-1", force=False, send_by=begin + 0.2)
        assert time.monotonic() - begin < 1
    finally:
        over.set()
    server.settle(server.handshakes)
    assert server.count("DELETE") == 0


def test_a_kept_connection_that_the_server_closed_costs_no_second_delete(
    appliance: Appliance, server: Server
) -> None:
    server.on("DELETE", PAIRING, Reply(202, ACCEPTED))
    delete = prepared(appliance)
    for tls in list(server._open):
        tls.shutdown(2)
    server.settle(1)
    assert delete().id == "t:1:x"
    assert (server.count("DELETE"), server.handshakes) == (1, 2)


def test_the_answer_in_hand_is_never_thrown_away_for_a_deadline(
    connect: Connect, server: Server
) -> None:
    clock = Clock()
    calls = connect(monotonic=clock).calls(Priority.ACT)
    calls.prepare_delete("p-1")

    def slow(handler: Handler) -> None:
        clock.now += 0.9
        Reply(202, ACCEPTED).write(handler)

    server.on("DELETE", PAIRING, Reply(raw=slow))
    # Sent at the last moment, answered after send_by: that bound is for the sending only.
    assert calls.delete_pairing("p-1", force=False, send_by=clock.now).id == "t:1:x"


def test_preparing_logs_in_and_counts_its_calls(connect: Connect, server: Server) -> None:
    budget = MemoryBudget(20)
    appliance = connect(budget=budget, **REMOTE)
    server.on("POST", REMOTE_PATH, Reply(204))
    appliance.calls(Priority.ACT).prepare_delete("p-1")
    assert [(s.method, s.path) for s in server.seen] == [
        ("POST", "/session"),
        ("GET", "/session"),
        ("POST", REMOTE_PATH),
    ]
    assert len(budget.state.calls_ms) == 3
    # What is warm, logged in and made needs no call. The DELETE's was counted with the reading.
    appliance.calls(Priority.ACT).prepare_delete("p-1")
    assert len(server.seen) == len(budget.state.calls_ms) == 3


def test_an_ended_session_is_met_by_the_preparation(connect: Connect, server: Server) -> None:
    clock = Clock()
    appliance = connect(monotonic=clock)
    prepared(appliance)
    clock.now += 60
    server.on("GET", "/session", Reply(401), Reply(200, {}))
    prepared(appliance)
    assert server.logins == 2


@pytest.mark.parametrize("reply", [Reply(404), Reply(400), Reply(500)])
def test_the_warming_up_asks_for_nothing(
    appliance: Appliance, server: Server, reply: Reply
) -> None:
    server.on("GET", "/session", reply)
    server.on("DELETE", PAIRING, Reply(202, ACCEPTED))
    assert prepared(appliance)().id == "t:1:x"
    assert server.handshakes == 1


@pytest.mark.parametrize(
    "reply", [Reply(500), Reply(404), Reply(502), Reply(503), Reply(raw=cut), Reply(raw=hang)]
)
def test_a_remote_site_that_is_down_does_not_stop_it(
    connect: Connect, server: Server, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    appliance = connect(timeout_seconds=0.5, **REMOTE)
    server.on("POST", REMOTE_PATH, reply)
    server.on("DELETE", PAIRING, Reply(202, ACCEPTED))
    assert prepared(appliance)().id == "t:1:x"
    assert "remote_session_not_made" in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(("reply", "error"), [(Reply(401), LoginRefused), (Reply(429), Limited)])
def test_what_is_about_us_does_stop_it(
    connect: Connect, server: Server, reply: Reply, error: type[ApplianceError]
) -> None:
    server.on("POST", REMOTE_PATH, reply)
    with pytest.raises(error):
        prepared(connect(**REMOTE))
    assert server.count("DELETE") == 0
