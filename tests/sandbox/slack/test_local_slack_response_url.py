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
    answer = requests.post(url, data=body, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert slack.ephemerals(ANN) == []
