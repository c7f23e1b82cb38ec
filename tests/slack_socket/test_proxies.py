"""Through the proxy that HTTPS_PROXY names, unless NO_PROXY names the host, and with TLS inside."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme
from websockets.sync.server import ServerConnection, serve

from bot.slack import socket_connection
from bot.slack.send.proxies import proxy_for
from bot.slack.socket_connection import CannotConnect, SocketConnection
from tests.slack_socket.conftest import wait_for

SLACK = "wss://wss-primary.slack.com/link/?ticket=1"
VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


@pytest.fixture(autouse=True)
def _no_proxies_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, SLACK, None),
        ({"HTTPS_PROXY": "http://p:8080"}, SLACK, "http://p:8080"),
        ({"https_proxy": "http://u:pw@p:8080"}, SLACK, "http://u:pw@p:8080"),
        ({"HTTPS_PROXY": "p:8080"}, SLACK, "http://p:8080"),
        ({"HTTPS_PROXY": " "}, SLACK, None),
        ({"HTTP_PROXY": "http://p:8080"}, SLACK, None),
        ({"HTTPS_PROXY": "http://p:8080", "NO_PROXY": "slack.com"}, SLACK, None),
        ({"HTTPS_PROXY": "http://p:8080", "NO_PROXY": ".slack.com"}, SLACK, None),
        ({"HTTPS_PROXY": "http://p:8080", "no_proxy": "a, wss-primary.slack.com"}, SLACK, None),
        ({"HTTPS_PROXY": "http://p:8080", "NO_PROXY": "*"}, SLACK, None),
        ({"HTTPS_PROXY": "http://p:8080", "NO_PROXY": "lack.com"}, SLACK, "http://p:8080"),
        ({"HTTPS_PROXY": "http://p:8080", "NO_PROXY": "slack.com.evil"}, SLACK, "http://p:8080"),
        ({"HTTPS_PROXY": "http://p:8080"}, "ws://127.0.0.1:7/", None),
    ],
)
def test_which_proxy(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy


class Proxy:
    """Tunnels every CONNECT to one port of this machine, or refuses with 407 where there is
    none. `asked` are the heads of the requests."""

    def __init__(self, port: int | None) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.asked: list[str] = []
        self._lines: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._pumps: list[threading.Thread] = []
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://user:word@127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for line in (*self._lines, self._listener):
            line.close()
        for pump in self._pumps:
            pump.join()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._lines.append(line)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += line.recv(1)
            self.asked.append(head.decode())
            if self._port is None:
                line.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                line.close()
                continue
            behind = socket.create_connection(("127.0.0.1", self._port))
            self._lines.append(behind)
            line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            for source, sink in ((line, behind), (behind, line)):
                pump = threading.Thread(target=_pump, args=(source, sink))
                pump.start()
                self._pumps.append(pump)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


@contextmanager
def slack_behind_tls(ca: trustme.CA, name: str) -> Iterator[int]:
    """A WebSocket server that greets, and gives back what it is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)

    def talk(connection: ServerConnection) -> None:
        connection.send(json.dumps({"type": "hello", "path": connection.request.path}))
        for message in connection:
            connection.send(message)

    with serve(talk, "127.0.0.1", 0, ssl=context) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join()


def connection(texts: list[str]) -> SocketConnection:
    return SocketConnection(
        SLACK, on_text=lambda _, text: texts.append(text), on_end=lambda: None, now=time.monotonic
    )


def trust(monkeypatch: pytest.MonkeyPatch, ca: trustme.CA) -> None:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    monkeypatch.setattr(socket_connection, "tls", lambda: context)


def test_the_whole_way_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    ca = trustme.CA()
    trust(monkeypatch, ca)
    texts: list[str] = []
    with slack_behind_tls(ca, "wss-primary.slack.com") as port:
        proxy = Proxy(port)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        line = connection(texts)
        line.open()
        wait_for(lambda: texts)
        assert json.loads(texts[0]) == {"type": "hello", "path": "/link/?ticket=1"}
        large = "x" * 300_000
        assert line.send(large)
        wait_for(lambda: len(texts) == 2)
        assert texts[1] == large
        heard = line.heard_at
        line.ping()
        wait_for(lambda: line.heard_at > heard)
        line.close()
        wait_for(lambda: line.ended)
        proxy.close()
    (asked,) = proxy.asked
    assert asked.startswith("CONNECT wss-primary.slack.com:443 HTTP/1.")
    assert "Proxy-Authorization: Basic dXNlcjp3b3Jk\r\n" in asked


@pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_certificate_of_somebody_else_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    ca = trustme.CA()
    trust(monkeypatch, ca)
    with slack_behind_tls(ca, "evil.example.net") as port:
        proxy = Proxy(port)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(CannotConnect, match="certificate"):
            connection([]).open()
        proxy.close()


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_proxy_that_refuses_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = Proxy(None)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(CannotConnect, match="407") as caught:
        connection([]).open()
    proxy.close()
    assert "word" not in str(caught.value)
