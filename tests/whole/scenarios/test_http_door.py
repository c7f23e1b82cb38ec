"""What the real process has at which port."""

from __future__ import annotations

import requests

from tests.support.stage import RITA
from tests.whole.scenarios.conftest import NewStage


def test_probes_have_a_port_of_their_own(new_stage: NewStage) -> None:
    stage = new_stage(OPERATE_PORT="0")
    (started,) = stage.bot.events("started")
    assert started["port"] != started["operate_port"]
    operate = f"http://127.0.0.1:{started['operate_port']}"
    assert stage.slack.command(RITA, "help", channel=stage.channel()).ok
    for path in ("/healthz", "/readyz", "/metrics"):
        assert requests.get(f"{operate}{path}", timeout=60).status_code == 200
        assert requests.get(f"{stage.bot.url}{path}", timeout=60).status_code == 404
    assert requests.get(f"{operate}/readyz", timeout=60).json()["ready"] is True
    metrics = requests.get(f"{operate}/metrics", timeout=60)
    assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert requests.get(f"{stage.bot.url}/slack/events", timeout=60).status_code == 405
    for method in ("GET", "POST"):
        reply = requests.request(method, f"{operate}/slack/events", timeout=60)
        assert reply.status_code == 404
    assert stage.terminate() == 0
