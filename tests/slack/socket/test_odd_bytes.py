"""Below the frames: halves, silence, and bytes that are no frames."""

from __future__ import annotations

import json
import select
import threading

import pytest
from structlog.testing import capture_logs
from websockets.sync.server import ServerConnection

from tests.slack.socket.conftest import Talk, connected, wait_for

PING_S = 0.3


def command(number: int) -> str:
    payload = {"command": "/vr-unpair", "number": number}
    return json.dumps({"envelope_id": str(number), "payload": payload})


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
    with capture_logs() as logs, talk.serving() as url, connected(url) as (mode, heard):
        wait_for(lambda: len(talk.asked) == 2)
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
    with talk.serving() as url, connected(url) as (_, heard):
        wait_for(lambda: len(heard) == 2)
        wait_for(lambda: len(talk.said) == 2)
    assert [payload["number"] for payload in heard] == [1, 1]
    assert len(talk.asked) == 1
    assert talk.said == ['{"envelope_id": "1"}'] * 2


def test_pings_from_slack_alone_keep_a_connection() -> None:
    """Also where nobody answers ours: what is heard is what counts."""
    enough = threading.Event()

    def only_pings(connection: ServerConnection, number: int) -> None:
        with connection.protocol_mutex:  # so it answers nothing
            while not enough.wait(PING_S / 3):
                connection.socket.sendall(frame(b"", 0x89))

    talk = Talk(only_pings)
    with talk.serving() as url, connected(url, ping=PING_S) as (mode, _):
        wait_for(lambda: mode.problem() is None)
        waited = threading.Event().wait(4 * PING_S)
        assert mode.problem() is None
        assert not waited
        enough.set()
    assert len(talk.asked) == 1


def test_others_on_the_token_are_hinted_at() -> None:
    def greet_again(connection: ServerConnection, number: int) -> None:
        for count in (2, 3, 1, 2):
            connection.send(json.dumps({"type": "hello", "num_connections": count}))

    with capture_logs() as logs, Talk(greet_again).serving() as url, connected(url):
        wait_for(lambda: sum(line["event"] == "slack_connected" for line in logs) == 5)
    hints = [line["connections"] for line in logs if line["event"] == "slack_socket_not_alone"]
    assert hints == [2, 3, 2]


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
    with capture_logs() as logs, talk.serving() as url, connected(url, ping=PING_S) as (mode, _):
        wait_for(lambda: len(talk.asked) == 2)
        wait_for(lambda: mode.problem() is None)
        enough.set()
    (lost,) = [line for line in logs if line["event"] == "slack_socket_lost"]
    assert lost["why"].startswith("deaf: ")
