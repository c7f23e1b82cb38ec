"""Every way a call can fail, over real TLS, and the problem that it becomes."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NameResolutionError

from bot.appliance.appliance import Appliance
from bot.appliance.budget import Priority
from bot.appliance.http_answers import Call, CallError, unanswered
from bot.request.problem import ProblemKind as Kind
from bot.steady_clock import steady_seconds
from tests.appliance.clients import BASE
from tests.appliance.small_server import Handler, Reply, Server, Start, cut

RESPONSE_ERROR = {"error_code": "E42", "message": "no right", "op_id": "0-1-2"}


def get_info(appliance: Appliance, by: float | None = None) -> CallError:
    with pytest.raises(CallError) as caught:
        appliance.calls(Priority.CHECK, by).info()
    return caught.value


LOST = [
    (NameResolutionError("vr", HTTPConnection("vr"), socket.gaierror()), False),
    (ssl.SSLError("unknown ca"), False),
    (ConnectionRefusedError(111, "Connection refused"), False),
    (TimeoutError(), True),
    (ConnectionResetError(104, "Connection reset by peer"), True),
]


@pytest.mark.parametrize(("exc", "sent"), LOST)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_only_a_delete_says_whether_it_was_sent(method: str, exc: Exception, sent: bool) -> None:
    """A look that fails after the DELETE is told in the final reply: "nothing was sent" there would
    be taken for the DELETE, which the appliance has received."""
    error = unanswered(exc, Call.of(method, "/tasks"), "vr", sent=sent, status=None)
    assert error.kind is (Kind.UNANSWERED if sent else Kind.UNSENT)
    words = str(error)
    assert ("was not sent" in words) == (method == "DELETE" and not sent)
    assert ("not known whether the appliance has acted" in words) == (method == "DELETE" and sent)


def test_nobody_there(connect: Callable[..., Appliance]) -> None:
    with socket.socket() as closed, socket.create_server(("127.0.0.1", 0)) as silent:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can take the port
        ports = [f"127.0.0.1:{each.getsockname()[1]}" for each in (closed, silent)]
        begin = steady_seconds()
        for host in ("no-such-host.invalid", *ports):
            assert get_info(connect(host=host, timeout_seconds=0.3)).kind is Kind.UNSENT
    assert steady_seconds() - begin < 9


def cut_in_chunks(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}")
    handler.close_connection = True


def ssh(handler: Handler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9\r\n")
    handler.close_connection = True


@pytest.mark.parametrize(
    ("raw", "kind"),
    [(cut, Kind.UNANSWERED), (cut_in_chunks, Kind.UNANSWERED), (ssh, Kind.NOT_UNDERSTOOD)],
)
def test_a_connection_that_is_cut_or_speaks_no_http(
    appliance: Appliance, server: Server, raw: Callable[[Handler], None], kind: Kind
) -> None:
    server.on("GET", "/info", Reply(raw=raw))
    assert get_info(appliance).kind is kind
    assert server.count("GET") == 1
    # The connection is not used again, and the next call works on a new one.
    server.on("GET", "/info", Reply(200, {"version": "9"}))
    assert appliance.calls(Priority.CHECK).info().version == "9"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n",
    ],
    ids=["body", "headers", "chunk"],
)
def test_a_trickle_ends_at_the_deadline(appliance: Appliance, server: Server, head: bytes) -> None:
    over = threading.Event()

    def trickle(handler: Handler) -> None:
        handler.wfile.write(head)
        while not over.wait(0.05):
            handler.wfile.write(b" ")

    server.on("GET", "/info", Reply(raw=trickle))
    begin = steady_seconds()
    try:
        # Each byte comes long before the read timeout of 5 s: only the deadline can end this.
        assert get_info(appliance, by=begin + 0.5).kind is Kind.UNANSWERED
    finally:
        over.set()
    assert 0.4 < steady_seconds() - begin < 30


def test_no_time_left_makes_no_call(appliance: Appliance, server: Server) -> None:
    assert get_info(appliance, by=steady_seconds() - 1).kind is Kind.UNSENT
    assert server.http_bytes == 0


HTML = b"<html>\x00<b>Bad\ngateway</b></html>"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, HTML),
        (200, b'{"name": '),
        (200, b"[1]"),
        (200, b"\xff\xfe"),
        (200, b"[" * 100_000),
        (200, b""),
        (201, b"{}"),
        (204, b""),
        (304, b""),
        (404, b""),
        (404, HTML),
        (502, HTML),
        (520, b"{}"),
    ],
)
def test_what_is_not_an_answer_of_this_api(
    appliance: Appliance, server: Server, status: int, body: bytes
) -> None:
    server.on("GET", "/info", Reply(status, body))
    # Garbage of other tests that is found at the bottom of a recursion cannot be put away there.
    gc.disable()
    try:
        error = get_info(appliance)
    finally:
        gc.enable()
    assert (error.kind, error.status) == (Kind.NOT_UNDERSTOOD, status)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_never_gets_the_token(
    appliance: Appliance, server: Server, start_server: Start, leaf: Any, status: int
) -> None:
    other = start_server(leaf)
    other.on("GET", "/info", Reply(200, {"version": "evil"}))
    for place in (f"https://{other.host}{BASE}/info", f"{BASE}/info", "http://[", "::"):
        server.on("GET", "/info", Reply(status, b"", headers={"Location": place}))
        assert get_info(appliance).kind is Kind.NOT_UNDERSTOOD
    assert (other.http_bytes, other.handshakes) == (0, 0)
    assert server.count("GET") == 4


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Kind.REFUSED), (403, Kind.REFUSED), (500, Kind.SERVER_ERROR)]
)
def test_a_refusal_keeps_the_words_of_the_appliance(
    appliance: Appliance, server: Server, status: int, kind: Kind
) -> None:
    for body, told in (
        (RESPONSE_ERROR, ("E42", "no right", "0-1-2")),
        ({"error_code": 42, "message": ["a"], "op_id": None}, ("42", '["a"]', None)),
        (HTML, (None, None, None)),
        (b"[]", (None, None, None)),
        ({"other": 1}, (None, None, None)),
    ):
        server.on("GET", "/info", Reply(status, body))
        error = get_info(appliance)
        assert (error.kind, error.status) == (kind, status)
        assert (error.error_code, error.message, error.op_id) == told


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("0", 0.0),
        (" 8 ", 8.0),
        ("9" * 6000, 3600.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
        ("Wed, 01 Jan 2020 00:01:30 GMT", 90.0),
        ("Wed, 01 Jan 2020 00:01:30 -0000", 90.0),
        ("Tue, 31 Dec 2019 23:00:00 GMT", 0.0),
        ("Fri, 01 Jan 2021 00:00:00 GMT", 3600.0),
        ("Wed, 99 Jan 2020 00:01:30 GMT", None),
    ],
)
def test_when_to_come_back(
    appliance: Appliance, server: Server, header: str | None, seconds: float | None
) -> None:
    headers = {"Date": "Wed, 01 Jan 2020 00:00:00 GMT"}  # years off: only differences count
    if header is not None:
        headers["Retry-After"] = header.encode().decode("latin-1")
    server.on("GET", "/info", Reply(429, headers=headers))
    error = get_info(appliance)
    assert (error.kind, error.retry_after_seconds) == (Kind.LIMITED, seconds)
    server.on("GET", "/info", Reply(503, headers=headers))
    error = get_info(appliance)
    # A 503 that names no time may be a gateway's, after the request was passed on.
    assert error.kind is (Kind.NOT_UNDERSTOOD if seconds is None else Kind.UNAVAILABLE)
    assert error.retry_after_seconds == seconds


def test_what_the_observer_is_told(connect: Callable[..., Appliance], server: Server) -> None:
    told: list[tuple[str, str, str]] = []

    def observe(method: str, template: str, outcome: str, seconds: float) -> None:
        assert 0 <= seconds < 5
        told.append((method, template, outcome))

    appliance = connect(on_call=observe)
    server.on("GET", "/pairings/a%3Ab/replications/count", Reply(404), Reply(raw=cut))
    for _ in range(2):
        with pytest.raises(CallError):
            appliance.calls(Priority.CHECK).replication_count("a:b")
    assert told == [
        ("POST", "/session", "200"),
        ("GET", "/pairings/{pairing_id}/replications/count", "404"),
        ("GET", "/pairings/{pairing_id}/replications/count", "unanswered"),
    ]
