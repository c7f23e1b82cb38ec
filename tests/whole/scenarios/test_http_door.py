"""What only HTTP has: signatures, malformed bodies, and the pages for machines."""

from __future__ import annotations

import pytest
import requests

from tests.support.stage import RITA, Stage
from tests.whole.scenarios.conftest import NewStage

MEGABYTE = 1024 * 1024


def test_alive_ready_and_measured(shared_stage: Stage) -> None:
    url = shared_stage.bot.url
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
    shared_stage: Stage, body: bytes, status: int
) -> None:
    assert shared_stage.slack.deliver_raw(body).status == status
    assert shared_stage.states() == {}


def test_probes_have_a_port_of_their_own(new_stage: NewStage) -> None:
    stage = new_stage(OPERATE_PORT="0")
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
