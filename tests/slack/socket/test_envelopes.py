"""What comes over the socket: acknowledged after it is done, refused when it is nonsense, and never
the end of the client."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.slack.receive.http_server import THREADS
from sandbox.slack import LocalSlack
from tests.slack.socket.conftest import CHANNEL, PATIENCE_S, RITA, Client, press, wait_for


def test_a_command_is_answered_in_its_acknowledgement(client: Client, slack: LocalSlack) -> None:
    delivery = slack.command(RITA, "berlin we move", channel=CHANNEL)
    assert delivery.ok, delivery
    assert delivery.status == 200
    assert delivery.json == {"text": "heard berlin we move", "response_type": "ephemeral"}
    assert client.commands[0]["user_id"] == RITA
    assert [shown.text for shown in slack.ephemerals(RITA)] == ["heard berlin we move"]


def test_a_click_is_acknowledged_without_a_payload(client: Client, slack: LocalSlack) -> None:
    delivery = press(slack)
    assert delivery.ok, delivery
    assert client.clicks == [delivery.trigger_id]
    assert slack.sockets.acknowledgements == [{"envelope_id": delivery.envelope_id}]


def test_no_acknowledgement_before_the_listener_is_done(client: Client, slack: LocalSlack) -> None:
    slack.courier.ack_seconds = 0.3
    delivery = press(slack, "hold")
    assert delivery.error == "operation_timeout"
    assert slack.sockets.acknowledgements == []
    client.release.set()
    wait_for(lambda: slack.sockets.acknowledgements)
    assert slack.sockets.acknowledgements == [{"envelope_id": delivery.envelope_id}]


def test_an_acknowledgement_is_out_before_what_waits_for_it(
    client: Client, slack: LocalSlack
) -> None:
    acknowledged, ended = threading.Event(), threading.Event()
    client.then = lambda: acknowledged.wait(60) and ended.set()
    assert press(slack).ok
    assert not ended.is_set()
    acknowledged.set()
    assert ended.wait(60)


def test_what_the_listener_finds_malformed_is_not_acknowledged(
    client: Client, slack: LocalSlack
) -> None:
    slack.courier.ack_seconds = 0.3
    assert press(slack, "refuse").error == "operation_timeout"
    assert client.rejected == ["malformed"]
    assert slack.sockets.acknowledgements == []


def envelope(payload: Any, **others: Any) -> str:
    usual = {"type": "interactive", "envelope_id": "e1", "accepts_response_payload": False}
    return json.dumps({**usual, "payload": payload, **others})


CLICK = {"type": "block_actions", "user": {"id": RITA}, "actions": [{"action_id": "press"}]}

BAD = {
    "no JSON": "{nonsense",
    "no object": "[1, 2]",
    "a number": "7",
    "nothing": "",
    "deep": "[" * 100_000,
    "no type": "{}",
    "an id that is no text": json.dumps({"envelope_id": 7, "payload": CLICK}),
    "no payload": json.dumps({"type": "interactive", "envelope_id": "e1"}),
    "payload of text": envelope("text"),
    "payload of a list": envelope([CLICK]),
    "actions of text": envelope({**CLICK, "actions": "press"}),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_nonsense_is_counted_and_changes_nothing(
    client: Client, slack: LocalSlack, text: str
) -> None:
    slack.sockets.send_raw(text)
    wait_for(lambda: client.rejected)
    assert client.rejected == ["malformed"]
    assert press(slack).ok
    assert len(client.clicks) == 1
    assert [ack["envelope_id"] for ack in slack.sockets.acknowledgements] != ["e1"]
    assert slack.sockets.opened == 1


def test_stop_takes_nothing_new_and_finishes_what_is_in_hand(
    client: Client, slack: LocalSlack
) -> None:
    slack.courier.ack_seconds = 0.2
    held = press(slack, "hold")
    stopping = threading.Thread(target=client.mode.stop, args=(5.0,))
    stopping.start()
    wait_for(lambda: not press(slack).ok)  # it has begun
    late = press(slack)
    client.release.set()
    stopping.join()
    wait_for(lambda: slack.sockets.usable == 0)
    assert late.error == "operation_timeout"
    assert held.trigger_id in client.clicks
    assert late.trigger_id not in client.clicks
    assert {"envelope_id": held.envelope_id} in slack.sockets.acknowledgements


def test_stop_does_not_wait_for_a_listener_that_hangs(client: Client, slack: LocalSlack) -> None:
    slack.courier.ack_seconds = 0.2
    press(slack, "hold")
    began = time.monotonic()
    assert not client.mode.stop(drain_s=0.3)
    assert time.monotonic() - began < PATIENCE_S / 2
    wait_for(lambda: slack.sockets.usable == 0)
    assert client.clicks == []


def test_an_error_of_ours_ends_no_thread(client: Client, slack: LocalSlack) -> None:
    slack.courier.ack_seconds = 0.05
    with capture_logs() as logs:
        for _ in range(2 * THREADS):
            assert not press(slack, "fail").ok
    assert [one["event"] for one in logs].count("envelope_failed") == 2 * THREADS
    slack.courier.ack_seconds = 15.0
    assert press(slack).ok
