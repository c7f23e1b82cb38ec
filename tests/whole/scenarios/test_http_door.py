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
from tests.support.stage import RITA, Stage, staged
from tests.support.way_in import OverHttp

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def http_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(OverHttp(), tmp_path_factory.mktemp("http"), {}, {}) as stage:
        yield stage


@pytest.fixture
def command(http_stage: Stage) -> Delivery:
    """A real command that is answered with a sentence, and so leaves nothing behind."""
    delivery = http_stage.slack.command(RITA, "help", channel=http_stage.channel())
    assert delivery.ok
    return delivery


def test_alive_ready_and_measured(http_stage: Stage) -> None:
    url = http_stage.bot.url
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
    ("body", "status"),
    [(b"", 400), (b'payload={"type":"block_actions"}', 400), (b"x" * (MEGABYTE + 1), 413)],
    ids=["empty", "half-a-click", "too-large"],
)
def test_signed_but_malformed_is_a_mistake_of_the_sender(
    http_stage: Stage, body: bytes, status: int
) -> None:
    assert http_stage.slack.deliver_raw(body).status == status
    assert http_stage.states() == {}


def test_a_crowd_of_strangers_keeps_nobody_out_and_out_of_the_log(
    http_stage: Stage, command: Delivery
) -> None:
    """Slow ones by the hundred, and then as many requests without a signature."""
    bot = http_stage.bot
    with ExitStack() as stack:
        for _ in range(510):
            slow = socket.create_connection(("127.0.0.1", bot.port), timeout=10)
            stack.enter_context(slow)
            slow.sendall(b"POST /slack/events HTTP/1.1\r\nContent-Length: 9\r\n")
        for _ in range(5):
            assert http_stage.slack.deliver_raw(command.sent).ok
            assert requests.get(f"{bot.url}/healthz", timeout=3).status_code == 200

    def knock(_: int) -> int:
        return requests.post(f"{bot.url}/slack/events", data=b"x", timeout=10).status_code

    with ThreadPoolExecutor(32) as strangers:
        assert set(strangers.map(knock, range(500))) == {401}
    assert http_stage.slack.deliver_raw(command.sent).ok
    assert len(bot.events("slack_requests_turned_away")) <= 1
    assert sum("queue" in line for line in bot.lines) == 0


def test_probes_have_a_port_of_their_own(tmp_path: Path) -> None:
    with staged(OverHttp(), tmp_path, {"OPERATE_PORT": "0"}, {}) as stage:
        (started,) = stage.bot.events("started")
        assert started["port"] != started["operate_port"]
        operate = f"http://127.0.0.1:{started['operate_port']}"
        assert stage.slack.command(RITA, "help", channel=stage.channel()).ok
        for path in ("/healthz", "/readyz", "/metrics"):
            assert requests.get(f"{operate}{path}", timeout=10).status_code == 200
            assert requests.get(f"{stage.bot.url}{path}", timeout=10).status_code == 404
        assert requests.get(f"{stage.bot.url}/slack/events", timeout=10).status_code == 405
        for method in ("GET", "POST"):
            reply = requests.request(method, f"{operate}/slack/events", timeout=10)
            assert reply.status_code == 404
        assert stage.terminate() == 0
