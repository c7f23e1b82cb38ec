"""Below the frames: halves, silence, and bytes that are no frames."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from bot.slack.socket_connection import SocketConnection, _Line
from tests.slack_socket.conftest import wait_for


def test_a_read_that_times_out_within_a_frame_loses_nothing() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(0.02)
        line = _Line(here)
        later = threading.Timer(0.15, there.sendall, (b"rest",))
        later.start()
        assert line.recv(100) == b"rest"
        later.join()


def test_the_end_of_the_line_is_an_error() -> None:
    here, there = socket.socketpair()
    with here:
        there.close()
        with pytest.raises(ConnectionResetError):
            _Line(here).recv(100)


def test_a_line_that_waits_can_be_woken() -> None:
    here, there = socket.socketpair()
    with here, there:
        line = _Line(here)
        threading.Timer(0.1, line.wake).start()
        with pytest.raises(ConnectionResetError):
            line.recv(100)
        line.wake()


@contextmanager
def server(talk: Callable[[ServerConnection], None]) -> Iterator[str]:
    def answer(connection: ServerConnection) -> None:
        talk(connection)
        try:
            for _ in connection:
                pass
        except ConnectionClosed:
            return

    with serve(answer, "127.0.0.1", 0, ping_interval=None, close_timeout=0.2) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{running.socket.getsockname()[1]}/link/?ticket=1"
        running.shutdown()
        thread.join()


@contextmanager
def opened(
    talk: Callable[[ServerConnection], None], texts: list[str]
) -> Iterator[SocketConnection]:
    with server(talk) as url:
        line = SocketConnection(
            url,
            on_text=lambda _, text: texts.append(text),
            on_end=lambda: None,
            now=time.monotonic,
        )
        line.open()
        yield line
        line.close()


def frame(payload: bytes, first: int = 0x81) -> bytes:
    return bytes([first, len(payload)]) + payload


ODD = {
    "text that is no UTF-8": frame(b"\xff\xfe\xfd"),
    "a close without a reason": bytes([0x88, 0]),
    "a close with one": frame(b"\x03\xe9bye", 0x88),
}


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD.keys())
def test_it_ends_and_says_why(raw: bytes) -> None:
    texts: list[str] = []
    with opened(lambda connection: connection.socket.sendall(raw), texts) as line:
        why = wait_for(lambda: line.ended)
        assert why != "closed"
        assert texts == []
        assert not line.send("{}")


def test_a_frame_in_two_halves_arrives_as_one() -> None:
    texts: list[str] = []
    whole = frame(b'{"type":"hello"}')

    def talk(connection: ServerConnection) -> None:
        assert connection.ping().wait(5)  # what answers the first ping must not come in between
        for part in (whole[:1], whole[1:7], whole[7:] + whole):
            connection.socket.sendall(part)
            time.sleep(0.05)

    with opened(talk, texts) as line:
        wait_for(lambda: len(texts) == 2)
        assert texts == ['{"type":"hello"}'] * 2
        assert line.ended is None


def test_a_ping_from_slack_is_heard_and_answered() -> None:
    answered = threading.Event()

    def talk(connection: ServerConnection) -> None:
        time.sleep(0.1)
        if connection.ping().wait(5):
            answered.set()

    with opened(talk, []) as line:
        at = line.heard_at
        assert answered.wait(5)
        assert line.heard_at > at


def test_half_a_frame_is_not_heard() -> None:
    """Bytes may come; what counts are frames."""

    def talk(connection: ServerConnection) -> None:
        assert connection.ping().wait(5)
        connection.socket.sendall(bytes([0x81, 0x7E, 0xFF, 0xFF]))
        for _ in range(5):
            connection.socket.sendall(b"x" * 100)
            time.sleep(0.02)

    with opened(talk, []) as line:
        wait_for(lambda: line.heard_at)
        time.sleep(0.15)
        at = line.heard_at
        line.ping()
        time.sleep(0.1)
        assert line.heard_at == at
