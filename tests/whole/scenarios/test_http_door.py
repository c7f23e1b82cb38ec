"""What only HTTP has: signatures, malformed bodies, and the pages for machines."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from bot.sandbox.slack import Delivery
from tests.support.bot_on_stage import RITA, World, staged
from tests.support.way_in import OverHttp

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
    page = requests.get(f"{http_world.bot.url}/metrics", timeout=10).text
    assert 'vr_unpair_slack_requests_rejected_total{why="too_large"} 2.0' in page


def test_a_crowd_of_strangers_keeps_nobody_out_and_out_of_the_log(
    http_world: World, command: Delivery
) -> None:
    """Slow ones by the hundred, and then as many requests without a signature."""
    bot = http_world.bot
    with ExitStack() as stack:
        for _ in range(510):
            slow = socket.create_connection(("127.0.0.1", bot.port), timeout=10)
            stack.enter_context(slow)
            slow.sendall(b"POST /slack/events HTTP/1.1\r\nContent-Length: 9\r\n")
        for _ in range(5):
            assert http_world.slack.deliver_raw(command.sent).ok
            assert requests.get(f"{bot.url}/healthz", timeout=3).status_code == 200

    def knock(_: int) -> int:
        return requests.post(f"{bot.url}/slack/events", data=b"x", timeout=10).status_code

    with ThreadPoolExecutor(32) as strangers:
        assert set(strangers.map(knock, range(500))) == {401}
    assert http_world.slack.deliver_raw(command.sent).ok
    assert len(bot.events("slack_requests_turned_away")) <= 1
    assert sum("queue" in line for line in bot.lines) == 0


def test_probes_have_a_port_of_their_own(tmp_path: Path) -> None:
    with staged(OverHttp(), tmp_path, {"OPERATE_PORT": "0"}, {}) as world:
        (started,) = world.bot.events("started")
        assert started["port"] != started["operate_port"]
        operate = f"http://127.0.0.1:{started['operate_port']}"
        assert world.slack.command(RITA, "help", channel=world.channel()).ok
        for path in ("/healthz", "/readyz", "/metrics"):
            assert requests.get(f"{operate}{path}", timeout=10).status_code == 200
            assert requests.get(f"{world.bot.url}{path}", timeout=10).status_code == 404
        assert requests.get(f"{world.bot.url}/slack/events", timeout=10).status_code == 405
        for method in ("GET", "POST"):
            reply = requests.request(method, f"{operate}/slack/events", timeout=10)
            assert reply.status_code == 404
        assert world.terminate() == 0
