"""What only HTTP has: signatures, malformed bodies, and the pages for machines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from bot.sandbox.slack import Delivery
from tests.scenarios.way_in import OverHttp
from tests.scenarios.world import RITA, World, staged

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def http_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with staged(OverHttp(), tmp_path_factory.mktemp("http"), {}, {}) as world:
        yield world


@pytest.fixture
def command(http_world: World) -> Delivery:
    """A real command that is answered with a sentence, and so leaves nothing behind."""
    delivery = http_world.slack.command(RITA, "help", channel=http_world.channel())
    assert delivery.ok
    return delivery


def test_alive_ready_and_measured(http_world: World) -> None:
    url = http_world.bot.url
    assert requests.get(f"{url}/healthz", timeout=10).status_code == 200
    ready = requests.get(f"{url}/readyz", timeout=10)
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    metrics = requests.get(f"{url}/metrics", timeout=10)
    assert metrics.status_code == 200
    assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'vr_unpair_requests{state="pending"} 0.0' in metrics.text
    assert requests.get(f"{url}/", timeout=10).status_code == 404
    assert requests.get(f"{url}/slack/events", timeout=10).status_code == 405


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"sign": False}, 401),
        ({"spoil_signature": True}, 401),
        ({"shift_seconds": -600}, 401),
        ({"shift_seconds": 600}, 401),
        ({"sign": False, "headers": {"X-Slack-Request-Timestamp": "soon"}}, 401),
    ],
    ids=["unsigned", "forged", "old", "from-the-future", "no-signature"],
)
def test_who_is_not_slack_is_turned_away(
    http_world: World, command: Delivery, how: dict[str, object], status: int
) -> None:
    body = command.sent.replace(b"text=help", b"text=berlin+it+must+go")
    assert body != command.sent
    delivery = http_world.slack.deliver_raw(body, **how)  # type: ignore[arg-type]
    assert delivery.status == status
    assert "berlin" not in delivery.text
    assert http_world.states() == {}
    assert http_world.asked_of_appliance() == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", JSON),
        (b"{", JSON),
        (b"[]", JSON),
        (b"null", JSON),
        (b'"payload"', JSON),
        (b"{}", JSON),
        (b'{"type": 7}', JSON),
        (b'{"type": "event_callback", "event": []}', JSON),
        (b"[" * 5000 + b"]" * 5000, JSON),
        (b"payload=", ""),
        (b"payload=%7B", ""),
        (b"payload=[]", ""),
        (b'payload={"type":"block_actions"}', ""),
        (b'payload={"type":"block_actions","actions":[]}', ""),
        (b'payload={"type":"block_actions","actions":[{"action_id":"unpair_approve"}]}', ""),
        (b'payload={"type":"view_submission","view":{"callback_id":"unpair_deny_reason"}}', ""),
        (b"command=/vr-unpair&text=berlin+x&user_id=U1&channel_id=C1", ""),
        (b"\xff\xfe\x00", ""),
        (b"hello", "text/plain"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_signed_but_malformed_is_a_mistake_of_the_sender(
    http_world: World, body: bytes, content_type: str
) -> None:
    delivery = http_world.slack.deliver_raw(body, content_type=content_type or FORM)
    assert delivery.status is not None
    assert 400 <= delivery.status < 500, (delivery.status, delivery.text)
    assert http_world.states() == {}


def test_a_body_of_more_than_a_megabyte_is_too_large(http_world: World, command: Delivery) -> None:
    pad = b"&padding=" + b"x" * MEGABYTE
    assert http_world.slack.deliver_raw(command.sent + pad).status == 413
    unsigned = http_world.slack.deliver_raw(b"x" * (MEGABYTE + 1), sign=False)
    assert unsigned.status == 413
    room = MEGABYTE - len(command.sent) - len(b"&padding=")
    fits = http_world.slack.deliver_raw(command.sent + b"&padding=" + b"x" * room)
    assert fits.status == 200
