"""A connection that is not live is replaced, and is not called ready meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs
from websockets.sync.server import ServerConnection

from bot.slack.receive import socket_mode
from bot.slack.receive.socket_mode import DEAF_AFTER, LEAVING_S
from bot.slack.receive.socket_mode import PING_S as REAL_PING_S
from sandbox.slack import LocalSlack
from tests.slack.socket.conftest import Client, Talk, connected, press, wait_for

PING_S = 0.5
THREE_PINGS_S = 3 * PING_S

BUSY = 10
"""So many times slower a busy machine may be. Still less than the times of real life."""


@pytest.fixture
def quick(make_client: Callable[..., Client]) -> Client:
    """Ready, with pings short enough to wait for."""
    client = make_client(ping_s=PING_S)
    client.wait_until_ready()
    return client


def opens(slack: LocalSlack) -> int:
    return len(slack.calls_of("apps.connections.open"))


def test_ready_only_after_the_hello(slack: LocalSlack, make_client: Callable[..., Client]) -> None:
    slack.sockets.freeze(new_ones=True)
    client = make_client(ping_s=0.2)
    wait_for(lambda: slack.sockets.opened)
    assert client.mode.problem() == "no connection to Slack: one is being opened"
    # And it is not waited for for ever.
    wait_for(lambda: slack.sockets.opened >= 2)
    assert "no connection to Slack" in str(client.mode.problem())
    slack.sockets.freeze_new = False
    client.wait_until_ready()


def test_a_frozen_server_is_noticed_within_three_pings(quick: Client, slack: LocalSlack) -> None:
    slack.sockets.freeze(new_ones=True)
    began = time.monotonic()
    wait_for(lambda: quick.mode.problem() is not None)
    assert time.monotonic() - began < BUSY * THREE_PINGS_S
    wait_for(lambda: slack.sockets.opened >= 2)
    # Never ready until one is really heard: how long nothing was goes on over the next ones.
    while quick.mode.silent_s() < 2 * THREE_PINGS_S:
        assert quick.mode.problem() is not None
        time.sleep(0.02)
    assert quick.mode.silent_s() < time.monotonic() - began + BUSY * THREE_PINGS_S
    slack.sockets.freeze_new = False
    quick.wait_until_ready()
    assert quick.mode.silent_s() < BUSY * THREE_PINGS_S


def test_clicks_into_a_frozen_server_come_again_and_are_not_lost(
    quick: Client, slack: LocalSlack
) -> None:
    slack.courier.ack_seconds = 0.1
    slack.sockets.freeze()
    lost = [press(slack) for _ in range(3)]
    assert {delivery.error for delivery in lost} == {"operation_timeout"}
    wait_for(lambda: len(quick.clicks) == 3)
    assert set(quick.clicks) == {delivery.trigger_id for delivery in lost}
    wait_for(lambda: len(slack.sockets.acknowledgements) == 3)
    assert slack.sockets.opened == 2


def test_a_bare_end_is_replaced_at_once(
    slack: LocalSlack, make_client: Callable[..., Client]
) -> None:
    client = make_client(ping_s=0.2, first_gap_s=30.0)
    client.wait_until_ready()
    ready_at = time.monotonic()
    wait_for(lambda: time.monotonic() - ready_at > client.mode.deaf_s)  # a good connection
    slack.sockets.drop()
    began = time.monotonic()
    wait_for(lambda: slack.sockets.opened == 2)
    client.wait_until_ready()
    assert time.monotonic() - began < 15.0
    assert press(slack).ok


def test_a_slack_that_greets_and_hangs_up_is_not_asked_without_a_pause(
    slack: LocalSlack, make_client: Callable[..., Client]
) -> None:
    began = time.monotonic()
    make_client(first_gap_s=0.2)
    while opens(slack) < 5:
        slack.sockets.drop()
        time.sleep(0.01)
    # 0.1 to 0.2 s, then twice that, and so on.
    assert time.monotonic() - began >= 0.1 + 0.2 + 0.4 + 0.8


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
def test_a_gentle_disconnect_loses_nothing(client: Client, slack: LocalSlack, reason: str) -> None:
    slack.courier.ack_seconds = 0.1
    held = press(slack, "hold")
    slack.sockets.disconnect(reason, closes_after=30.0)
    wait_for(lambda: slack.sockets.usable == 1)
    assert client.mode.problem() is None
    slack.courier.ack_seconds = 15.0
    assert press(slack).ok
    # The old one is still good for what came through it.
    client.release.set()
    wait_for(lambda: len(slack.sockets.acknowledgements) == 2)
    assert slack.sockets.acknowledgements[-1] == {"envelope_id": held.envelope_id}
    assert slack.sockets.opened == 2
    # And it is let go of in the end, whether Slack does or not.
    wait_for(lambda: len(slack.sockets.open_now) == 1)


def test_a_gentle_disconnect_while_no_other_can_be_opened(
    client: Client, slack: LocalSlack
) -> None:
    fault = slack.fail("apps.connections.open", error="internal_error", times=None)
    slack.sockets.disconnect("warning", closes_after=0.5)
    wait_for(lambda: fault.used >= 2)
    assert client.mode.problem() is None, "the old one still works"
    wait_for(lambda: client.mode.problem() is not None)
    slack.heal()
    client.wait_until_ready()


@pytest.mark.parametrize("reason", ["link_disabled", "too_many_websockets", "something_new"])
def test_a_disconnect_for_good_is_named_and_tried_again(
    client: Client, slack: LocalSlack, reason: str
) -> None:
    fault = slack.fail("apps.connections.open", error="internal_error", times=1)
    slack.sockets.disconnect(reason, closes_after=5.0)
    problem = wait_for(client.mode.problem)
    assert reason in problem
    wait_for(lambda: fault.used)
    client.wait_until_ready()
    assert slack.sockets.opened == 2


def test_the_times_of_real_life_keep_the_contract() -> None:
    """Three pings, and the thirty seconds after which `/readyz` must say no."""
    assert 2 < DEAF_AFTER <= 3
    assert (DEAF_AFTER + 1) * REAL_PING_S < 30
    assert LEAVING_S > 10


def test_an_error_of_ours_costs_one_connection(
    client: Client, slack: LocalSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(socket_mode.json, "loads", lambda text: 1 / 0)
        slack.sockets.send_raw("{}")
        wait_for(lambda: "ZeroDivisionError" in str(client.mode.problem()))
    client.wait_until_ready()
    assert press(slack).ok


# ---- below the frames ---------------------------------------------------------------------------


def test_pings_from_slack_alone_keep_a_connection() -> None:
    """Also where nobody answers ours: what is heard is what counts."""
    enough = threading.Event()

    def only_pings(connection: ServerConnection, number: int) -> None:
        with connection.protocol_mutex:  # so it answers nothing
            while not enough.wait(PING_S / 3):
                connection.socket.sendall(bytes([0x89, 0]))

    talk = Talk(only_pings)
    with talk.serving() as url, connected(url, ping=PING_S) as (mode, _):
        wait_for(lambda: mode.problem() is None)
        waited = threading.Event().wait(4 * PING_S)
        assert mode.problem() is None
        assert not waited
        enough.set()
    assert len(talk.asked) == 1


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
