"""The server's life: binding, draining, ending, and connections that say nothing."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from bot.slack.server import Server


class SlowApp:
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.go = threading.Event()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            self.entered.set()
            self.go.wait(10)
        start("200 OK", [("Content-Length", "4")])
        return [b"done"]


def _get(server: Server, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


@pytest.fixture
def app() -> SlowApp:
    return SlowApp()


def test_a_taken_port_is_an_error_at_once(app: SlowApp) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            Server(app, "127.0.0.1", taken.getsockname()[1])


def test_close_without_serving_leaves_nothing_open(app: SlowApp) -> None:
    server = Server(app, "127.0.0.1", 0)
    port = server.port
    server.close()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


def test_a_request_under_way_is_answered_before_the_end(app: SlowApp) -> None:
    server = Server(app, "127.0.0.1", 0)
    server.start()
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(_get(server, "/slow")))
    asking.start()
    assert app.entered.wait(5)
    closing = threading.Thread(target=server.close)
    closing.start()
    port = server.port
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except ConnectionError:
            break
    else:
        pytest.fail("new connections are still taken while draining")
    assert closing.is_alive()
    app.go.set()
    closing.join(5)
    asking.join(5)
    assert answers == [b"done"]


def test_a_request_that_never_ends_is_cut_off(
    app: SlowApp, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(app, "127.0.0.1", 0)
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/slow")
    assert app.entered.wait(5)
    started = time.monotonic()
    assert not server.close(drain_s=0.2)
    assert time.monotonic() - started < 3
    assert "http_cut_off" in capsys.readouterr().out
    app.go.set()
    connection.close()
    deadline = time.monotonic() + 5
    while server._dispatcher.threads and time.monotonic() < deadline:
        server._dispatcher.thread_exit_cv.acquire()
        server._dispatcher.thread_exit_cv.wait(0.1)
        server._dispatcher.thread_exit_cv.release()
    server.close()


def test_an_idle_connection_does_not_delay_the_end(app: SlowApp) -> None:
    server = Server(app, "127.0.0.1", 0)
    server.start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as idle:
        idle.sendall(b"POST /slack/events HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
        assert _get(server, "/") == b"done"
        started = time.monotonic()
        server.close()
        assert time.monotonic() - started < 2


def test_silent_connections_keep_nobody_out(app: SlowApp) -> None:
    server = Server(app, "127.0.0.1", 0, threads=2)
    server.start()
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(150)]
    try:
        started = time.monotonic()
        assert _get(server, "/") == b"done"
        assert time.monotonic() - started < 1
    finally:
        for connection in silent:
            connection.close()
        server.close()


def test_the_server_does_not_name_itself(app: SlowApp) -> None:
    server = Server(app, "127.0.0.1", 0)
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    server.close()
    assert "waitress" not in str(answer.headers).lower()
