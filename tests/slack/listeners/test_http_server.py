"""The server's life: binding, draining, ending, and connections that say nothing."""

from __future__ import annotations

import http.client
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bot.slack.receive.http_server import (
    ALL_BODIES,
    CONNECTIONS,
    LARGEST_BODY,
    Reply,
    Request,
    Server,
)
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter
from tests.support.clock import wait_for

BIG = 12 * 1024 * 1024
"""More than what the kernel takes off a server's hands for a reader that does not read."""

ACKNOWLEDGED_WITHIN_S = 3
"""Then Slack shows a click as failed."""

SHORT_S = 0.5
"""In the place of the ten seconds for a body, where a test waits for their end."""


class SlowApp:
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.go = threading.Event()
        self.paths: list[str] = []

    def __call__(self, request: Request) -> Reply:
        self.paths.append(request.path)
        if request.path == "/slow":
            self.entered.set()
            self.go.wait(60)
        return Reply(200, b"x" * BIG if request.path == "/big" else b"done")


def _get(server: Server, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


@pytest.fixture
def app() -> SlowApp:
    return SlowApp()


def test_a_request_under_way_is_answered_before_the_end(app: SlowApp) -> None:
    server = Server(app, "127.0.0.1", 0)
    server.start()
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(_get(server, "/slow")))
    asking.start()
    assert app.entered.wait(60)
    closing = threading.Thread(target=server.close)
    closing.start()
    wait_for(lambda: not _listens(server.port))
    assert closing.is_alive()
    app.go.set()
    closing.join(60)
    asking.join(60)
    assert answers == [b"done"]


def test_an_answer_is_out_before_what_waits_for_it(app: SlowApp) -> None:
    read, ended = threading.Event(), threading.Event()

    @contextmanager
    def answering() -> Iterator[None]:
        yield
        assert read.wait(60)
        ended.set()

    server = Server(app, "127.0.0.1", 0, answering=answering)
    server.start()
    assert _get(server, "/") == b"done"
    assert not ended.is_set()
    read.set()
    assert ended.wait(60)
    assert server.close(drain_s=60)


def test_a_request_that_never_ends_is_cut_off(
    app: SlowApp, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(app, "127.0.0.1", 0)
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/slow")
    assert app.entered.wait(60)
    started = time.monotonic()
    assert not server.close(drain_s=0.2)
    assert time.monotonic() - started < 30
    assert "http_cut_off" in capsys.readouterr().out
    app.go.set()
    connection.close()
    assert server.close(drain_s=60)


def test_an_idle_connection_does_not_delay_the_end(app: SlowApp) -> None:
    server = Server(app, "127.0.0.1", 0)
    server.start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as idle:
        idle.sendall(b"POST /slack/events HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
        assert _get(server, "/") == b"done"
        started = time.monotonic()
        assert server.close(drain_s=60)
        assert time.monotonic() - started < 30


def test_one_that_never_started_gives_its_port_back(app: SlowApp) -> None:
    server = Server(app, "127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"):
        Server(app, "127.0.0.1", server.port)
    assert server.close(drain_s=60)
    assert not _listens(server.port)


# ---- who is slow, silent, too many or too large ----------------------------------------------


@pytest.fixture
def server(app: SlowApp) -> Iterator[Server]:
    server = Server(app, "127.0.0.1", 0)
    server.start()
    yield server
    assert server.close(drain_s=60)


@pytest.fixture
def impatient(app: SlowApp) -> Iterator[Server]:
    server = Server(app, "127.0.0.1", 0, arrives_within_s=SHORT_S, kept_s=SHORT_S)
    server.start()
    yield server
    assert server.close(drain_s=60)


@contextmanager
def connections(server: Server, count: int) -> Iterator[list[socket.socket]]:
    """From this process to itself, so two file descriptors each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            opened.append(socket.create_connection(("127.0.0.1", server.port), timeout=60))
        yield opened
    finally:
        for one in opened:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _open_files() -> int:
    """Of this process, the server's end of each connection among them: what is not read hides from
    its reader that the other end has left."""
    return len(list(Path("/proc/self/fd").iterdir()))


def _hung_up(connection: socket.socket) -> bool:
    """Whether the other end has ended it without an answer."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def _listens(port: int) -> bool:
    with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


SLOW = {
    "heads": (b"POST /slack/events HTTP/1.1\r\nX-Slow: ", b"x"),
    "bodies": (b"POST /slack/events HTTP/1.1\r\nContent-Length: 100000\r\n\r\n", b"x"),
    "chunks": (
        b"POST /slack/events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\nx\r\n",
    ),
    "nothing": (b"", b""),
}


@pytest.mark.parametrize(("start", "more"), SLOW.values(), ids=SLOW.keys())
def test_a_request_has_its_time_as_a_whole(impatient: Server, start: bytes, more: bytes) -> None:
    """However steadily its bytes come. Meanwhile others are answered."""
    with connections(impatient, CONNECTIONS - 10) as slow:
        for one in slow:
            one.sendall(start)

        def all_are_hung_up() -> bool:
            for one in slow:
                with suppress(OSError):
                    one.send(more)
            assert _get(impatient, "/") == b"done"
            return all(map(_hung_up, slow))

        wait_for(all_are_hung_up)


def test_two_hundred_that_are_silent_or_dripping_hold_up_no_click(adapter: Adapter) -> None:
    """From the signed request over the real port to the stored event."""
    click = made.click("unpair_approve", adapter.api.response_url())
    with connections(adapter.server, 100), connections(adapter.server, 100) as dripping:
        for number, one in enumerate(dripping):
            one.sendall([*SLOW.values()][number % 3][0])
        for pressed in range(1, 11):
            for number, one in enumerate(dripping):
                one.sendall([*SLOW.values()][number % 3][1])
            began = time.monotonic()
            assert adapter.send(click | {"trigger_id": f"t{pressed}"}).status == 200
            assert time.monotonic() - began < ACKNOWLEDGED_WITHIN_S
            assert len(adapter.puts) == pressed
        assert not any(map(_hung_up, dripping))


def test_too_many_connections_keep_nobody_out(server: Server) -> None:
    """Whoever waits longest makes room, long before its time is over."""
    with connections(server, 10) as first:
        assert _get(server, "/") == b"done"
        with connections(server, CONNECTIONS) as more:
            for one in more:
                one.sendall(b"POST /slack/events HTTP/1.1\r\n")
            for _ in range(3):
                assert _get(server, "/") == b"done"
            wait_for(lambda: all(map(_hung_up, first)))
            assert sum(map(_hung_up, more)) <= 3, "one for each that was let in"


def test_bodies_that_never_end_do_not_fill_the_memory(server: Server) -> None:
    """One byte short of a megabyte each: no more than a fixed sum of them is kept."""
    most = ALL_BODIES // LARGEST_BODY  # connections
    head = f"POST / HTTP/1.1\r\nContent-Length: {LARGEST_BODY}\r\n\r\n".encode()
    with connections(server, most + 10) as held:
        for one in held:
            with suppress(ConnectionError):
                one.sendall(head + b"x" * (LARGEST_BODY - 1))
        wait_for(lambda: sum(map(_hung_up, held)) >= 9)
        assert _get(server, "/") == b"done"
        assert sum(map(_hung_up, held)) <= 10
        assert server.held <= ALL_BODIES
    wait_for(lambda: server.held == 0)


def test_a_kept_connection_serves_one_request_after_the_other(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for _ in range(3):
        connection.request("POST", "/", b"x" * 1000)
        assert connection.getresponse().read() == b"done"
    connection.close()


def test_an_answer_that_nobody_reads_is_not_kept_for_ever(impatient: Server, app: SlowApp) -> None:
    with connections(impatient, 1) as (one,):
        one.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: "/big" in app.paths)
        with_it = _open_files()
        wait_for(lambda: _open_files() < with_it)
        read = 0
        with suppress(ConnectionError):
            while got := one.recv(1 << 20):
                read += len(got)
        assert 0 < read < BIG


TWO_LENGTHS = {
    "1.1": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "1.0": b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("head", TWO_LENGTHS.values(), ids=TWO_LENGTHS.keys())
def test_a_body_with_two_lengths_ends_its_connection(
    server: Server, app: SlowApp, head: bytes
) -> None:
    """Neither it nor what stands behind it is taken for a request."""
    with connections(server, 1) as (one,):
        one.sendall(head + b"0\r\n\r\nGET /behind HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        with suppress(ConnectionError):
            while got := one.recv(1000):
                answer += got
    assert answer[8:13] in (b" 400 ", b"")
    assert answer.count(b"HTTP/1.") <= 1
    assert _get(server, "/") == b"done"
    assert app.paths == ["/"]
