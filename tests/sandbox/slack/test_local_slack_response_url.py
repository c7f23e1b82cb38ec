"""response_url: five uses, thirty minutes, anywhere."""

from __future__ import annotations

import pytest
import requests
from slack_sdk.webhook import WebhookClient

from bot.sandbox.slack import LocalSlack
from tests.sandbox.slack.slack_kit import ANN, OPS, Receiver, section
from tests.support.clock import Clock


def post(url: str, **body: object) -> tuple[int, str]:
    answer = WebhookClient(url, retry_handlers=[]).send_dict(dict(body))
    return answer.status_code, answer.body


def test_an_answer_is_for_the_one_who_asked_even_without_membership(
    slack: LocalSlack, receiver: Receiver
) -> None:
    ann, bob = ANN, slack.add_person("Bob")
    channel = slack.add_channel("ops", bot_is_member=False, private=True)
    delivery = slack.command(ann, "status", channel=channel)
    assert post(delivery.response_url, text="nothing", blocks=[section("b")]) == (200, "ok")
    (shown,) = slack.ephemerals(ann)
    assert (shown.text, shown.via, shown.channel) == ("nothing", "response_url", channel)
    assert shown.answers.trigger_id == delivery.trigger_id
    assert shown.answers.what == "/vr-unpair status"
    assert slack.ephemerals(bob) == []
    assert slack.messages(channel) == []
    (call,) = slack.calls_of("response_url")
    assert (call.status, call.args["text"]) == (200, "nothing")
    assert post(delivery.response_url, text="all", response_type="in_channel")[0] == 400
    assert slack.messages(channel) == []


def test_five_uses(slack: LocalSlack, receiver: Receiver) -> None:
    url = slack.command(ANN, "x", channel=OPS).response_url
    for number in range(4):
        assert post(url, text=str(number))[0] == 200
    # What is refused costs no use.
    assert post(url, text="x", blocks=[section("")])[0] == 400
    assert post(url, text="4")[0] == 200
    status, body = post(url, text="5")
    assert status == 404
    assert "used_url" in body
    assert [shown.text for shown in slack.ephemerals(ANN)] == ["0", "1", "2", "3", "4"]


def test_thirty_minutes(slack: LocalSlack, receiver: Receiver, clock: Clock) -> None:
    url = slack.command(ANN, "x", channel=OPS).response_url
    clock.turn(30 * 60)
    assert post(url, text="last")[0] == 200
    clock.turn(1)
    status, body = post(url, text="late")
    assert status == 404
    assert "expired_url" in body
    assert [shown.text for shown in slack.ephemerals(ANN)] == ["last"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", "invalid_payload"),
        (b"[]", "invalid_payload"),
        (b"{}", "no_text"),
        (b'{"text": "x", "blocks": [{"type": "no"}]}', "invalid_blocks"),
        (b'{"blocks": 1}', "invalid_blocks_format"),
    ],
)
def test_bad_answers(slack: LocalSlack, receiver: Receiver, body: bytes, error: str) -> None:
    url = slack.command(ANN, "x", channel=OPS).response_url
    answer = requests.post(url, data=body, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert slack.ephemerals(ANN) == []
