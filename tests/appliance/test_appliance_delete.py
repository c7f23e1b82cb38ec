"""The one call that changes something: sent exactly once, or provably not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from bot.appliance.appliance import Appliance
from bot.appliance.budget import MemoryBudget, Priority
from bot.appliance.tls import ANSWER_MAX_BYTES
from bot.request.events import DeleteAccepted, DeleteAnswered, DeleteNotAccepted
from bot.request.problem import ProblemKind as Kind
from bot.request.task import TaskView
from bot.steady_clock import steady_seconds
from tests.appliance.clients import PASSWORD
from tests.appliance.small_server import (
    REMOTE,
    TOKEN,
    Handler,
    Reply,
    Server,
    broken_tls,
    cut,
    fails,
)
from tests.support.clock import Clock

PAIRING = "/pairings/p-1"
REMOTE_PATH = "/pairings/p-1/remote-session"
ACCEPTED = {"id": "t:1:x", "status": "QUEUED", "error": None}
Connect = Callable[..., Appliance]


def soon() -> float:
    return steady_seconds() + 1


def prepared(appliance: Appliance) -> Callable[[], TaskView]:
    calls = appliance.calls(Priority.ACT)
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
    ("reply", "kind"),
    [
        (Reply(202, b"<html>"), Kind.NOT_UNDERSTOOD),
        (Reply(202, {"status": "QUEUED"}), Kind.NOT_UNDERSTOOD),
        (Reply(202, b""), Kind.NOT_UNDERSTOOD),
        (Reply(200, ACCEPTED), Kind.NOT_UNDERSTOOD),
        (Reply(204), Kind.NOT_UNDERSTOOD),
        (Reply(302, headers={"Location": PAIRING}), Kind.NOT_UNDERSTOOD),
        (Reply(307, headers={"Location": PAIRING}), Kind.NOT_UNDERSTOOD),
        (Reply(400, {"message": "m"}), Kind.REFUSED),
        (Reply(401), Kind.UNAUTHORIZED),
        (Reply(403, {"message": "m"}), Kind.REFUSED),
        (Reply(404), Kind.NOT_FOUND),
        (Reply(408), Kind.NOT_UNDERSTOOD),
        (Reply(409, {"message": "m"}), Kind.NOT_UNDERSTOOD),
        (Reply(429), Kind.LIMITED),
        (Reply(500, {"message": "m"}), Kind.SERVER_ERROR),
        (Reply(502, b"<html>"), Kind.NOT_UNDERSTOOD),
        (Reply(503), Kind.NOT_UNDERSTOOD),
        (Reply(503, headers={"Retry-After": "1"}), Kind.UNAVAILABLE),
        (Reply(504), Kind.NOT_UNDERSTOOD),
        (Reply(raw=cut), Kind.UNANSWERED),
        (Reply(raw=cut_in_body), Kind.UNANSWERED),
        (Reply(raw=broken_tls), Kind.UNANSWERED),
        (Reply(raw=hang), Kind.UNANSWERED),
        (Reply(raw=endless), Kind.NOT_UNDERSTOOD),
    ],
)
def test_exactly_one_whatever_comes_back(
    connect: Connect, server: Server, reply: Reply, kind: Kind
) -> None:
    budget = MemoryBudget(1000)
    appliance = connect(budget=budget, timeout_seconds=0.5)
    server.on("DELETE", PAIRING, reply)
    prepared(appliance)
    spent, before = budget.state.calls_ms, len(server.seen)
    outcome = appliance.delete("p-1", force=False, send_by=soon(), by=steady_seconds() + 3)
    assert not isinstance(outcome, DeleteAccepted)
    assert outcome.problem.kind is kind
    not_accepted = kind in {Kind.UNAUTHORIZED, Kind.LIMITED, Kind.UNAVAILABLE}
    assert isinstance(outcome, DeleteNotAccepted if not_accepted else DeleteAnswered)
    assert [s.method for s in server.seen[before:]] == ["DELETE"]
    # Neither a log-in nor a budget: both were taken care of before the intent.
    assert budget.state.calls_ms == spent


def test_after_a_401_the_session_is_gone_and_nothing_is_sent_without_one(
    appliance: Appliance, server: Server
) -> None:
    server.on("DELETE", PAIRING, Reply(401), Reply(202, ACCEPTED))
    delete = prepared(appliance)
    with fails(Kind.UNAUTHORIZED):
        delete()
    with fails(Kind.UNSENT, "before the DELETE could be sent"):
        delete()
    assert (server.count("DELETE"), server.logins) == (1, 1)
    prepared(appliance)()
    assert (server.count("DELETE"), server.logins) == (2, 2)


def test_no_delete_without_preparation_nor_of_what_is_no_id(
    connect: Connect, server: Server
) -> None:
    no_remote_session = connect(**REMOTE)
    no_remote_session.calls(Priority.ACT).info()
    for appliance in (connect(), connect(**REMOTE), no_remote_session):
        with fails(Kind.UNSENT):
            appliance.calls(Priority.ACT).delete_pairing("p-1", force=True, send_by=soon())
    appliance = connect()
    prepared(appliance)
    for no_id in ("", ".", "..", "a\nb"):
        with fails(Kind.NOT_FOUND):
            appliance.calls(Priority.ACT).delete_pairing(no_id, force=True, send_by=soon())
    assert server.count("DELETE") == 0


def test_too_late_before_anything(connect: Connect, server: Server) -> None:
    clock = Clock()
    calls = connect(monotonic=clock).calls(Priority.ACT, by=clock.now + 5)
    calls.prepare_delete("p-1")
    server.on("DELETE", PAIRING, Reply(202, ACCEPTED))
    before = server.http_bytes
    with fails(Kind.TOO_LATE):
        calls.delete_pairing("p-1", force=False, send_by=clock.now - 0.001)
    assert server.http_bytes == before
    assert calls.delete_pairing("p-1", force=False, send_by=clock.now + 0.5).id == "t:1:x"
    clock.now += 6
    with fails(Kind.TOO_LATE):
        calls.delete_pairing("p-1", force=False, send_by=clock.now + 1)
    assert server.count("DELETE") == 1


def test_an_appliance_that_is_slow_to_connect(connect: Connect, server: Server) -> None:
    """In a disaster: it may take longer than all that is left between the intent and the send."""
    clock = Clock()
    calls = connect(monotonic=clock).calls(Priority.ACT)
    calls.log_in()

    def slow() -> None:
        clock.now += 1.5

    server.before_handshake = slow
    server.on("DELETE", PAIRING, Reply(202, ACCEPTED))
    calls.prepare_delete("p-1")
    assert calls.delete_pairing("p-1", force=False, send_by=clock.now + 1).id == "t:1:x"
    assert (server.count("DELETE"), server.handshakes) == (1, 2)


def test_a_prepared_connection_that_was_closed(appliance: Appliance, server: Server) -> None:
    """Nothing was sent on it, so a new one is made in the time that is left."""
    server.on("DELETE", PAIRING, Reply(202, ACCEPTED))
    delete = prepared(appliance)
    server.hang_up(2)
    assert delete().id == "t:1:x"
    assert (server.count("DELETE"), server.handshakes) == (1, 3)


def test_frozen_while_the_connection_is_made(connect: Connect, server: Server) -> None:
    clock = Clock()
    calls = connect(monotonic=clock).calls(Priority.ACT)
    calls.log_in()

    def late() -> None:
        clock.now += 2

    server.before_handshake = late
    before = server.http_bytes
    with fails(Kind.TOO_LATE):
        calls.delete_pairing("p-1", force=False, send_by=clock.now + 1)
    server.settle()
    assert (server.http_bytes, server.count("DELETE")) == (before, 0)


def test_a_connection_that_takes_too_long_is_given_up(connect: Connect, server: Server) -> None:
    calls = connect().calls(Priority.ACT)
    calls.log_in()
    over = threading.Event()
    server.before_handshake = lambda: over.wait(60)
    begin = steady_seconds()
    try:
        with fails(Kind.UNSENT):
            calls.delete_pairing("p-1", force=False, send_by=begin + 0.2)
        assert steady_seconds() - begin < 30
    finally:
        over.set()
    server.settle()
    assert server.count("DELETE") == 0


def test_a_delete_leaves_on_a_connection_of_its_own(appliance: Appliance, server: Server) -> None:
    """A kept one may have been closed by the server at that moment: nobody could tell what became
    of the DELETE then."""
    server.on("DELETE", PAIRING, Reply(202, ACCEPTED))
    prepared(appliance)
    delete = prepared(appliance)
    server.settle(1)  # the first one's, which is of no use any more
    delete()
    server.settle(2)
    assert server.handshakes == 3, "one for reads, and one for each that was prepared"
    delete()
    server.settle(3)
    assert (server.count("DELETE"), server.handshakes) == (2, 4)
    prepared(appliance)
    appliance.end_delete("p-1")
    server.settle(4)
    appliance.calls(Priority.FOLLOW).info()
    assert server.handshakes == 5, "reads go on over theirs"


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
    # Answered after send_by: that bound is for the sending only.
    assert calls.delete_pairing("p-1", force=False, send_by=clock.now + 0.5).id == "t:1:x"


def test_preparing_logs_in_and_counts_its_calls(connect: Connect, server: Server) -> None:
    budget = MemoryBudget(20)
    appliance = connect(budget=budget, **REMOTE)
    server.on("POST", REMOTE_PATH, Reply(204))
    appliance.calls(Priority.ACT).prepare_delete("p-1")
    assert [s.path for s in server.seen] == ["/session", REMOTE_PATH]
    assert len(budget.state.calls_ms) == 2
    # What is logged in needs no call. The DELETE's was counted with the reading.
    appliance.calls(Priority.ACT).prepare_delete("p-1")
    assert len(server.seen) == len(budget.state.calls_ms) == 2


@pytest.mark.parametrize(
    "reply", [Reply(500), Reply(404), Reply(502), Reply(503), Reply(raw=cut), Reply(raw=hang)]
)
def test_a_remote_site_that_is_away_does_not_stop_it(
    connect: Connect, server: Server, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    appliance = connect(timeout_seconds=0.5, **REMOTE)
    server.on("POST", REMOTE_PATH, reply)
    server.on("DELETE", PAIRING, Reply(202, ACCEPTED))
    assert prepared(appliance)().id == "t:1:x"
    assert "remote_session_not_made" in caplog.text
    assert PASSWORD not in caplog.text


def test_a_remote_site_that_is_away_is_not_waited_for_twice(
    connect: Connect, server: Server
) -> None:
    """At the reading and again before the DELETE: together that could be a whole lease. Each
    reading tries anew: a site that is back is no reason for a one-sided break any more."""
    calls = connect(**REMOTE).calls(Priority.ACT)
    server.on("POST", REMOTE_PATH, Reply(504))
    for tries in (1, 2):
        with fails(Kind.NOT_UNDERSTOOD):
            calls.ensure_remote_session("p-1")
        calls.prepare_delete("p-1")
        assert server.count("POST", REMOTE_PATH) == tries


@pytest.mark.parametrize(("status", "kind"), [(401, Kind.LOGIN_REFUSED), (429, Kind.LIMITED)])
def test_what_is_about_us_does_stop_it(
    connect: Connect, server: Server, status: int, kind: Kind
) -> None:
    server.on("POST", REMOTE_PATH, Reply(status))
    with fails(kind):
        prepared(connect(**REMOTE))
    assert server.handshakes == 1, "and no connection for it is made"
