"""One connection for the calls of one moment; none that has been idle; nothing repeated."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from urllib.error import URLError

import pytest

from bot.slack.send import client
from bot.slack.send.client import KeptConnections, tls

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each request as told, over as many connections as come; `requests` are what came in
    on each. `cut` ends a connection after it has read instead."""

    def __init__(self) -> None:
        self.requests: list[list[bytes]] = []
        self.answer, self.cut = OK, False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/api/x"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _accept(self) -> None:
        serving: list[threading.Thread] = []
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                break
            self.requests.append([])
            came = self.requests[-1]
            serving.append(threading.Thread(target=self._serve, args=(connection, came)))
            serving[-1].start()
        for thread in serving:
            thread.join()

    def _serve(self, connection: socket.socket, came: list[bytes]) -> None:
        with connection:
            reading = connection.makefile("rb")
            while reading.readline():
                fields = dict(line.split(b": ") for line in iter(reading.readline, b"\r\n"))
                came.append(reading.read(int(fields.get(b"Content-Length", 0))))
                if self.cut:
                    return
                connection.sendall(self.answer)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def kept() -> Iterator[KeptConnections]:
    connections = KeptConnections(tls(), 2)
    yield connections
    connections.close()


def test_the_second_call_goes_over_the_same_connection(
    server: Server, kept: KeptConnections
) -> None:
    for _ in range(3):
        assert kept.post(server.url, b"body", {"A": "b"}).data == b"ok"
    assert [len(came) for came in server.requests] == [3]


def test_an_idle_one_is_not_used_again(
    server: Server, kept: KeptConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.post(server.url, b"", {})
    monkeypatch.setattr(client, "IDLE_SECONDS", 0.0)
    kept.post(server.url, b"", {})
    assert [len(came) for came in server.requests] == [1, 1]


def test_an_answer_that_is_lost_is_not_asked_for_again(
    server: Server, kept: KeptConnections
) -> None:
    kept.post(server.url, b"", {})
    server.cut = True
    with pytest.raises(OSError, match="closed connection"):
        kept.post(server.url, b"post", {})
    assert [len(came) for came in server.requests] == [2]


def test_a_redirect_takes_the_token_nowhere(server: Server, kept: KeptConnections) -> None:
    server.answer = (
        b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    )
    assert kept.post(server.url, b"", {"Authorization": "Bearer xoxb-1"}).status == 307


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1:9/", "https://h.invalid/"])
def test_no_connection_is_said_as_ever(kept: KeptConnections, url: str) -> None:
    with pytest.raises(URLError):
        kept.post(url, b"", {})


def test_no_answer_in_time(kept: KeptConnections) -> None:
    kept.timeout_s = 0.05
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(TimeoutError):
        kept.post(f"http://127.0.0.1:{deaf.getsockname()[1]}/", b"", {})
