"""What people cannot press, an acknowledgement in time, several copies of the bot, and answers to a
response_url: five uses, thirty minutes, anywhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from sandbox.slack import CannotDo, LocalSlack
from tests.sandbox.slack.slack_kit import ANN, OPS, Receiver, actions, button, section
from tests.support.clock import Clock


@pytest.fixture
def other(slack: LocalSlack) -> Iterator[Receiver]:
    """Another copy of the bot."""
    other = Receiver(slack.signing_secret)
    yield other
    other.close()


def test_a_button_that_is_not_there_cannot_be_pressed(
    slack: LocalSlack, receiver: Receiver, client: WebClient
) -> None:
    blocks = [actions(button("go", "R1:f"))]
    ts = client.chat_postMessage(channel=OPS, text="x", blocks=blocks)["ts"]
    with pytest.raises(CannotDo, match="unpair_deny"):
        slack.click(ANN, (OPS, ts), "unpair_deny")
    with pytest.raises(CannotDo, match="go"):
        slack.click(ANN, (OPS, ts), "go", value="other")
    client.chat_update(channel=OPS, ts=ts, text="done", blocks=[section()])
    with pytest.raises(CannotDo):
        slack.click(ANN, (OPS, ts), "go")
    with pytest.raises(CannotDo):
        slack.click(ANN, (OPS, "1.000001"), "go")
    assert receiver.received == []
    behind = slack.click(ANN, (OPS, ts), "go", value="R1:old", force=True)
    assert behind.payload["actions"][0]["value"] == "R1:old"
    gone = client.chat_postMessage(channel=OPS, text="x", blocks=blocks)["ts"]
    slack.delete_message(OPS, gone)
    with pytest.raises(CannotDo):
        slack.click(ANN, (OPS, gone), "go")


def test_a_button_that_one_person_sees_is_pressed_by_nobody_else(
    slack: LocalSlack, receiver: Receiver
) -> None:
    bob, blocks = slack.add_person("Bob"), [actions(button("unpair_suggest:1", "P1"))]
    asked = slack.command(ANN, "x", channel=OPS).response_url
    requests.post(asked, json={"text": "which?", "blocks": blocks}, timeout=60)
    (shown,) = slack.ephemerals(ANN)
    with pytest.raises(CannotDo):
        slack.click(bob, shown, "unpair_suggest:1")
    delivery = slack.click(ANN, shown, "unpair_suggest:1")
    assert delivery.payload["container"]["is_ephemeral"]
    assert "message" not in delivery.payload


def test_a_late_acknowledgement_is_an_operation_timeout(
    slack: LocalSlack, receiver: Receiver
) -> None:
    slack.courier.ack_seconds = 0.1
    go_on = threading.Event()

    def answer(request: object) -> tuple[int, str, str]:
        go_on.wait(60)
        return (200, "too late", "text/plain")

    receiver.answer = answer
    delivery = slack.command(ANN, "x", channel=OPS)
    go_on.set()
    assert (delivery.status, delivery.error) == (None, "operation_timeout")
    assert slack.ephemerals(ANN) == []


def test_copies_are_asked_in_turn_and_past_one_that_is_down(
    slack: LocalSlack, receiver: Receiver, other: Receiver
) -> None:
    slack.courier.request_urls = []
    with pytest.raises(RuntimeError, match="request_url"):
        slack.command(ANN, "x", channel=OPS)
    down = "http://127.0.0.1:9/slack/events"
    slack.request_url = down
    nobody = slack.command(ANN, "x", channel=OPS)
    assert (nobody.status, nobody.error) == (None, "dispatch_failed")
    slack.courier.request_urls = [down, receiver.url, other.url]
    assert all(slack.command(ANN, "x", channel=OPS).ok for _ in range(6))
    assert (len(receiver.received), len(other.received)) == (4, 2)


def post(url: str, **body: object) -> tuple[int, str]:
    answer = WebhookClient(url, retry_handlers=[]).send_dict(dict(body))
    return answer.status_code, answer.body


def test_five_uses_in_thirty_minutes(slack: LocalSlack, receiver: Receiver, clock: Clock) -> None:
    url = slack.command(ANN, "x", channel=OPS).response_url
    other = slack.command(ANN, "x", channel=OPS).response_url
    clock.turn(30 * 60)
    for number in range(4):
        assert post(url, text=str(number)) == (200, "ok")
    # What is refused costs no use.
    assert post(url, text="x", blocks=[section("")])[0] == 400
    assert post(url, text="4")[0] == 200
    used = post(url, text="5")
    clock.turn(1)
    for (status, body), error in ((used, "used_url"), (post(other, text="late"), "expired_url")):
        assert status == 404
        assert error in body
    assert [shown.text for shown in slack.ephemerals(ANN)] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", "invalid_payload"),
        (b"[]", "invalid_payload"),
        (b"{}", "no_text"),
        (b'{"text": "x", "blocks": [{"type": "no"}]}', "invalid_blocks"),
        (b'{"blocks": 1}', "invalid_blocks_format"),
        (b'{"text": "all", "response_type": "in_channel"}', "not_played_here"),
    ],
)
def test_bad_answers(slack: LocalSlack, receiver: Receiver, body: bytes, error: str) -> None:
    url = slack.command(ANN, "x", channel=OPS).response_url
    answer = requests.post(url, data=body, timeout=60)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert slack.ephemerals(ANN) == []
