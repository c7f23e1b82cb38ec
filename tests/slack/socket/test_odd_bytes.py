"""Below the frames: halves, silence, and bytes that are no frames."""

from __future__ import annotations

import json
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import trustme
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed
from websockets.server import ServerProtocol
from websockets.sync.server import ServerConnection, serve

from bot.slack.receive import socket_mode as receive
from tests.slack.socket.conftest import PATIENCE_S, connected, wait_for

PING_S = 0.3
HELLO = json.dumps({"type": "hello", "num_connections": 1})


def command(number: int) -> str:
    payload = {"command": "/vr-unpair", "number": number}
    return json.dumps({"envelope_id": str(number), "payload": payload})


class Talk:
    """A WebSocket server that greets each connection and then does what a test wants of it."""

    def __init__(
        self, then: Callable[[ServerConnection, int], None], *, greets: bool = True
    ) -> None:
        self._then = then
        self._greets = greets
        self.opened = 0
        self.said: list[str | bytes] = []

    def __call__(self, connection: ServerConnection) -> None:
        self.opened += 1
        try:
            if self._greets:
                connection.send(HELLO)
            self._then(connection, self.opened)
            for text in connection:
                self.said.append(text)
        except (ConnectionClosed, OSError):
            return


@contextmanager
def serving(talk: Talk) -> Iterator[str]:
    with serve(talk, "127.0.0.1", 0, ping_interval=None, close_timeout=0.2) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{running.socket.getsockname()[1]}/link/?ticket=1"
        running.shutdown()
        thread.join()


def frame(payload: bytes, first: int = 0x81) -> bytes:
    return bytes([first, len(payload)]) + payload


ODD = {
    "text that is no UTF-8": frame(b"\xff\xfe\xfd"),
    "a reserved kind of frame": frame(b"", 0x83),
    "a close without a reason": bytes([0x88, 0]),
    "a close with one": frame(b"\x03\xe9bye", 0x88),
}


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD.keys())
def test_it_ends_says_why_and_opens_another(raw: bytes) -> None:
    def spoil(connection: ServerConnection, number: int) -> None:
        if number == 1:
            connection.socket.sendall(raw)

    talk = Talk(spoil)
    with capture_logs() as logs, serving(talk) as url, connected(url) as (mode, heard):
        wait_for(lambda: talk.opened == 2)
        wait_for(lambda: mode.problem() is None)
    (lost,) = [line for line in logs if line["event"] == "slack_socket_lost"]
    assert lost["why"]
    assert heard == []


def test_a_frame_in_halves_arrives_as_one() -> None:
    whole = frame(command(1).encode())

    def halves(connection: ServerConnection, number: int) -> None:
        # What answers a ping must not come in between.
        with connection.protocol_mutex:
            for part in (whole[:1], whole[1:7], whole[7:] + whole):
                connection.socket.sendall(part)
                select.select([], [], [], 0.05)

    talk = Talk(halves)
    with serving(talk) as url, connected(url) as (_, heard):
        wait_for(lambda: len(heard) == 2)
        wait_for(lambda: len(talk.said) == 2)
    assert [payload["number"] for payload in heard] == [1, 1]
    assert talk.opened == 1
    assert talk.said == ['{"envelope_id": "1"}'] * 2


def test_a_ping_from_slack_is_answered() -> None:
    answered = threading.Event()

    def ping(connection: ServerConnection, number: int) -> None:
        if connection.ping().wait(PATIENCE_S):
            answered.set()

    with serving(Talk(ping)) as url, connected(url):
        assert answered.wait(PATIENCE_S)


def test_pings_from_slack_alone_keep_a_connection() -> None:
    """Also where nobody answers ours: what is heard is what counts."""
    enough = threading.Event()

    def only_pings(connection: ServerConnection, number: int) -> None:
        with connection.protocol_mutex:  # so it answers nothing
            while not enough.wait(PING_S / 3):
                connection.socket.sendall(frame(b"", 0x89))

    talk = Talk(only_pings)
    with serving(talk) as url, connected(url, ping=PING_S) as (mode, _):
        wait_for(lambda: mode.problem() is None)
        waited = threading.Event().wait(4 * PING_S)
        assert mode.problem() is None
        assert not waited
        enough.set()
    assert talk.opened == 1


def test_who_never_says_hello_is_not_waited_for() -> None:
    """Although pings are answered."""
    talk = Talk(lambda connection, number: None, greets=False)
    with capture_logs() as logs, serving(talk) as url, connected(url, ping=PING_S) as (mode, _):
        wait_for(lambda: talk.opened == 2)
        assert mode.problem() == "no connection to Slack: Slack did not say hello"
    assert logs[0]["why"] == "Slack did not say hello"


def test_others_on_the_token_are_hinted_at_once_and_again_when_they_come_back() -> None:
    def greet_again(connection: ServerConnection, number: int) -> None:
        for count in (2, 3, 1, 2):
            connection.send(json.dumps({"type": "hello", "num_connections": count}))

    with capture_logs() as logs, serving(Talk(greet_again)) as url, connected(url):
        wait_for(lambda: sum(line["event"] == "slack_connected" for line in logs) == 5)
    hints = [line["connections"] for line in logs if line["event"] == "slack_socket_not_alone"]
    assert hints == [2, 2]


def test_an_address_that_is_none_is_named_without_its_ticket(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with connected("wss:///link/?ticket=secret-1") as (mode, _):
        wait_for(lambda: "InvalidURI: its address" in str(mode.problem()))
        assert "secret-1" not in str(mode.problem())
    assert "secret-1" not in "".join(capfd.readouterr())


def test_half_a_frame_is_not_heard() -> None:
    """Bytes may come; what counts are frames."""
    enough = threading.Event()

    def trickle(connection: ServerConnection, number: int) -> None:
        if number > 1:
            return
        with connection.protocol_mutex:
            connection.socket.sendall(bytes([0x81, 0x7E, 0xFF, 0xFF]))
            while not enough.wait(0.02):
                connection.socket.sendall(b"x")

    talk = Talk(trickle)
    with capture_logs() as logs, serving(talk) as url, connected(url, ping=PING_S) as (mode, _):
        wait_for(lambda: talk.opened == 2)
        wait_for(lambda: mode.problem() is None)
        enough.set()
    (lost,) = [line for line in logs if line["event"] == "slack_socket_lost"]
    assert lost["why"].startswith("deaf: ")


def test_a_slack_that_stops_within_a_tls_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads waits for the rest of the record, and sees no end of the connection either."""
    ca = trustme.CA()
    trusting = ssl.create_default_context()
    ca.configure_trust(trusting)
    monkeypatch.setattr(receive, "tls", lambda: trusting)
    with FreezingTls(ca) as server, connected(server.url, ping=PING_S) as (mode, _):
        assert server.frozen.wait(PATIENCE_S)
        wait_for(lambda: mode.problem() is not None)
        wait_for(lambda: server.opened == 2)
        wait_for(lambda: mode.problem() is None)
        assert select.select([server.first], [], [], PATIENCE_S)[0], "the first one was ended"


class FreezingTls:
    """Speaks TLS by hand. Greets; the first that was greeted then gets half of a record, no more.
    It is not just the first connection: a port may be known to somebody from an earlier test."""

    def __init__(self, ca: trustme.CA) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost").configure_cert(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"wss://localhost:{self._listener.getsockname()[1]}/link/?ticket=1"
        self.opened = 0
        self.lines: list[socket.socket] = []
        self.first: socket.socket | None = None
        self.frozen = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> FreezingTls:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._listener, *self.lines):
            one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in (self._listener, *self.lines):
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.lines.append(line)
            self._threads.append(threading.Thread(target=self._talk, args=(line,)))
            self._threads[-1].start()

    def _talk(self, line: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_side=True)

        def more() -> bool:
            line.sendall(outgoing.read())
            data = line.recv(65536)
            incoming.write(data)
            return bool(data)

        protocol = ServerProtocol()
        greeted = False
        while True:
            try:
                if not greeted:
                    tls.do_handshake()
                protocol.receive_data(tls.read(65536))
            except ssl.SSLWantReadError:
                if not more():
                    return
                continue
            except (OSError, ssl.SSLError):
                return
            for event in protocol.events_received():
                if not greeted:
                    protocol.send_response(protocol.accept(event))  # type: ignore[arg-type]
                    protocol.send_text(HELLO.encode())
                    greeted = True
                    self.opened += 1
                    self.first = self.first or line
            for data in protocol.data_to_send():
                if data:
                    tls.write(data)
            if greeted and line is self.first:
                line.sendall(outgoing.read())
                tls.write(frame(command(1).encode()))
                record = outgoing.read()
                line.sendall(record[: len(record) // 2])
                self.frozen.set()
                return
