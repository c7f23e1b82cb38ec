"""Every way a call can fail, over real TLS, and the error that it becomes."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NameResolutionError

from bot.appliance.budget import Priority
from bot.appliance.client import Appliance
from bot.appliance.errors import (
    ApplianceError,
    ConnectFailed,
    ConnectionCut,
    Limited,
    NameLookupFailed,
    NotFound,
    NotUnderstood,
    Refused,
    TimedOut,
    Unauthorized,
    Unavailable,
    explain,
)
from tests.appliance.small_server import BASE, TOKEN, Handler, Reply, Server, Start, broken_tls, cut

RESPONSE_ERROR = {"error_code": "E42", "message": "no right", "op_id": "0-1-2"}


def get_info(appliance: Appliance, by: float | None = None) -> ApplianceError:
    with pytest.raises(ApplianceError) as caught:
        appliance.calls(Priority.CHECK, by).info()
    return caught.value


def test_a_port_that_refuses(connect: Callable[..., Appliance]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can take the port
        error = get_info(connect(host=f"127.0.0.1:{closed.getsockname()[1]}"))
    assert type(error) is ConnectFailed
    assert str(error).endswith("(Connection refused).")


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
    error = explain(exc, sent=sent, host="vr", method=method, path="/tasks", status=None)
    words = str(error)
    assert words.endswith(".")
    assert ("was not sent" in words) == (method == "DELETE" and not sent)
    assert ("not known whether the appliance has acted" in words) == (method == "DELETE" and sent)


def test_an_unknown_name(connect: Callable[..., Appliance]) -> None:
    assert type(get_info(connect(host="no-such-host.invalid"))) is NameLookupFailed


def test_a_port_that_never_speaks_tls(connect: Callable[..., Appliance]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begin = time.monotonic()
        error = get_info(connect(host=f"127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=0.3))
    assert type(error) is ConnectFailed
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize("host", ["", "https://vr", "u@vr", "vr/x", "vr:x", "vr?x", "v r", "vr#"])
def test_a_host_that_is_more_than_a_host(connect: Callable[..., Appliance], host: str) -> None:
    with pytest.raises(ValueError, match="host or host:port"):
        connect(host=host)


def cut_in_body(handler: Handler) -> None:
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"name": "vr')
    handler.close_connection = True


def cut_in_chunks(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}")
    handler.close_connection = True


@pytest.mark.parametrize("raw", [cut, cut_in_body, cut_in_chunks, broken_tls])
def test_a_connection_that_is_cut(
    appliance: Appliance, server: Server, raw: Callable[[Handler], None]
) -> None:
    server.on("GET", "/info", Reply(raw=raw))
    error = get_info(appliance)
    assert type(error) is ConnectionCut
    assert server.count("GET") == 1
    # The connection is not used again, and the next call works on a new one.
    server.on("GET", "/info", Reply(200, {"version": "9"}))
    assert appliance.calls(Priority.CHECK).info().version == "9"


def test_no_answer_in_time(connect: Callable[..., Appliance], server: Server) -> None:
    over = threading.Event()
    server.on("GET", "/info", Reply(raw=lambda _: over.wait(5) and None))
    try:
        assert type(get_info(connect(timeout_seconds=0.2))) is TimedOut
    finally:
        over.set()
    assert server.count("GET") == 1


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
    begin = time.monotonic()
    try:
        # Each byte comes long before the read timeout of 5 s: only the deadline can end this.
        assert type(get_info(appliance, by=begin + 0.5)) is TimedOut
    finally:
        over.set()
    assert 0.4 < time.monotonic() - begin < 2


def test_no_time_left_makes_no_call(appliance: Appliance, server: Server) -> None:
    assert type(get_info(appliance, by=time.monotonic() - 1)) is TimedOut
    assert server.http_bytes == 0


HTML = b"<html>\x00<b>Bad\ngateway</b></html>"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, HTML),
        (200, b'{"name": '),
        (200, b"[1]"),
        (200, b'"vr"'),
        (200, b"\xff\xfe"),
        (200, b"[" * 100_000),
        (200, b""),
        (201, b"{}"),
        (204, b""),
        (302, b""),
        (304, b""),
        (407, HTML),
        (408, b""),
        (501, b""),
        (502, HTML),
        (503, HTML),
        (504, b""),
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
    assert type(error) is NotUnderstood
    assert error.status == status
    if body == HTML:
        assert error.body_excerpt == "<html>\ufffd<b>Bad gateway</b></html>"


def test_something_that_is_not_http(appliance: Appliance, server: Server) -> None:
    def ssh(handler: Handler) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH_9\r\n")
        handler.close_connection = True

    server.on("GET", "/info", Reply(raw=ssh))
    assert type(get_info(appliance)) is NotUnderstood


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_never_gets_the_token(
    appliance: Appliance, server: Server, start_server: Start, leaf: Any, status: int
) -> None:
    other = start_server(leaf)
    other.on("GET", "/info", Reply(200, {"version": "evil"}))
    for place in (f"https://{other.host}{BASE}/info", f"{BASE}/info", "http://[", "::"):
        server.on("GET", "/info", Reply(status, b"", headers={"Location": place}))
        assert type(get_info(appliance)) is NotUnderstood
    assert (other.http_bytes, other.handshakes) == (0, 0)
    assert server.count("GET") == 4


@pytest.mark.parametrize("status", [400, 403, 405, 409, 422, 500])
def test_a_refusal_keeps_the_words_of_the_appliance(
    appliance: Appliance, server: Server, status: int
) -> None:
    server.on("GET", "/info", Reply(status, RESPONSE_ERROR))
    error = get_info(appliance)
    assert type(error) is Refused
    assert (error.status, error.method, error.path) == (status, "GET", "/info")
    assert (error.error_code, error.message, error.op_id) == ("E42", "no right", "0-1-2")


def test_a_refusal_in_odd_words(appliance: Appliance, server: Server) -> None:
    server.on("GET", "/info", Reply(500, {"error_code": 42, "message": ["a"], "op_id": None}))
    error = get_info(appliance)
    assert (error.error_code, error.message, error.op_id) == ("42", '["a"]', None)
    for body in (HTML, b"", b"[]", b'{"other": 1}'):
        server.on("GET", "/info", Reply(500, body))
        error = get_info(appliance)
        assert type(error) is Refused
        assert (error.error_code, error.message, error.op_id) == (None, None, None)
    assert error.body_excerpt == '{"other": 1}'


def test_not_found_without_a_body(appliance: Appliance, server: Server) -> None:
    server.on("GET", "/info", Reply(404))
    error = get_info(appliance)
    assert (type(error), error.body_excerpt) == (NotFound, "")


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
    assert (type(error), error.retry_after_seconds) == (Limited, seconds)
    server.on("GET", "/info", Reply(503, headers=headers))
    error = get_info(appliance)
    # A 503 that names no time may be a gateway's, after the request was passed on.
    assert type(error) is (NotUnderstood if seconds is None else Unavailable)
    assert error.retry_after_seconds == seconds


def test_a_date_without_the_date_of_the_answer(appliance: Appliance, server: Server) -> None:
    headers = {"Retry-After": "Wed, 01 Jan 2020 00:01:30 GMT"}
    server.on("GET", "/info", Reply(503, headers=headers))
    assert get_info(appliance).retry_after_seconds == 0


def test_one_401_logs_in_again_and_repeats(appliance: Appliance, server: Server) -> None:
    server.on("GET", "/info", Reply(401), Reply(200, {"version": "9"}))
    assert appliance.calls(Priority.CHECK).info().version == "9"
    tokens = [s.headers["x-dr-session"] for s in server.seen if s.path == "/info"]
    assert tokens == [f"{TOKEN}1", f"{TOKEN}2"]


def test_401_always_is_given_up(appliance: Appliance, server: Server) -> None:
    server.on("GET", "/info", Reply(401))
    assert type(get_info(appliance)) is Unauthorized
    assert (server.count("GET", "/info"), server.logins) == (2, 2)


def test_what_the_observer_is_told(connect: Callable[..., Appliance], server: Server) -> None:
    told: list[tuple[str, str, str]] = []

    def observe(method: str, template: str, outcome: str, seconds: float) -> None:
        assert 0 <= seconds < 5
        told.append((method, template, outcome))

    appliance = connect(on_call=observe)
    server.on("GET", "/pairings/a%3Ab/replications/count", Reply(404), Reply(raw=cut))
    for _ in range(2):
        with pytest.raises(ApplianceError):
            appliance.calls(Priority.CHECK).replication_count("a:b")
    assert told == [
        ("POST", "/session", "200"),
        ("GET", "/pairings/{pairing_id}/replications/count", "404"),
        ("GET", "/pairings/{pairing_id}/replications/count", "ConnectionCut"),
    ]


def test_an_observer_that_fails_costs_no_answer(
    connect: Callable[..., Appliance], server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    def observe(*_: object) -> None:
        raise RuntimeError("metric")

    server.on("GET", "/info", Reply(200, {"version": "9"}))
    assert connect(on_call=observe).calls(Priority.CHECK).info().version == "9"
    assert "observer_failed" in caplog.text
