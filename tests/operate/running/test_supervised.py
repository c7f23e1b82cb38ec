"""The bot under a supervisor: what systemd is told, and a database server that is away at the start
is waited for, not ended for."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bot import __main__ as run
from bot.sandbox import demo
from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.slack import LocalSlack
from tests.support.clock import wait_for
from tests.support.postgres import PostgresServer

PATIENCE_SECONDS = 30.0
RITA, ALAN = "U0RITA", "U0ALAN"


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listens:
        listens.bind(str(tmp_path / "notify"))
        listens.settimeout(PATIENCE_SECONDS)
        yield listens


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    started = PostgresServer().start()
    yield started
    started.stop()


def heard(systemd: socket.socket, word: str) -> list[str]:
    """The first message with this line, WATCHDOG alone passed over."""
    while True:
        lines = systemd.recv(4096).decode().splitlines()
        if word in lines:
            return lines


def ended(process: subprocess.Popen[str]) -> str:
    """What it had said when it ended after SIGTERM, which it has to do in order."""
    process.terminate()
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == run.FINE, said
    assert "Traceback" not in said
    return said


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("mode", ["http", "socket"])
def test_a_database_that_is_away_at_the_start_is_waited_for(
    tmp_path: Path, systemd: socket.socket, server: PostgresServer, mode: str
) -> None:
    """Alive, not ready, with the reason; and it starts by itself when the server is back."""
    address = server.new_database()
    port = free_port()
    with SimulatedAppliance() as appliance, LocalSlack() as slack:
        slack.add_person("Rita", id=RITA)
        slack.add_person("Alan", id=ALAN)
        settings = demo.settings(appliance, slack, ALAN)
        if mode == "socket":
            slack.mode = "socket"
            del settings["SLACK_SIGNING_SECRET"]
            settings["SLACK_APP_TOKEN"] = slack.app_token
        settings |= {
            "DATABASE_URL": address,
            "PORT": str(port),
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
        }
        url = f"http://127.0.0.1:{port}"
        bot = BotProcess(settings, tmp_path)

        def status(path: str) -> int:
            return requests.get(f"{url}{path}", timeout=PATIENCE_SECONDS).status_code

        server.kill()
        waiting = bot.launch()
        try:
            assert any("waits for the database" in line for line in heard(systemd, "READY=1"))
            assert [status(p) for p in ("/healthz", "/readyz", "/metrics")] == [200, 503, 200]
            ready = requests.get(f"{url}/readyz", timeout=PATIENCE_SECONDS)
            assert "gives no answer, or no connection" in ready.json()["database"]
            sent = requests.post(f"{url}/slack/events", timeout=PATIENCE_SECONDS)
            assert sent.status_code == 404
        finally:
            said = ended(waiting)
        assert said.count("database_fault") == 1
        assert '"finished": true' in said

        again = bot.launch()
        try:
            heard(systemd, "READY=1")
            server.go()
            heard(systemd, "STATUS=serves")
            wait_for(lambda: status("/readyz") == 200)
            slack.request_url = f"{url}/slack/events"
            channel = slack.add_channel("dr-operations")
            pairing = appliance.add_pairing(local="berlin", remote="prague")
            slack.command(RITA, f"{pairing} we move", channel=channel)
            slack.wait_for_message(channel, lambda m: m.button("unpair_approve") is not None)
        finally:
            ended(again)
        heard(systemd, "STOPPING=1")


def test_the_watchdog_is_fed_three_times_in_its_limit(
    systemd: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    assert run.watchdog_seconds() == 20.0
    assert systemd.recv(100) == b"WATCHDOG=1"


def test_a_name_without_a_file_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"vr-unpair-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listens:
        listens.bind(f"\0{name}")
        listens.settimeout(PATIENCE_SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        run.tell_systemd("READY=1")
        assert listens.recv(100) == b"WATCHDOG=1\nREADY=1"


def test_nobody_is_told_where_nobody_asked_or_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in ("", str(tmp_path / "nobody")):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        for limit in ("", "0", "soon"):
            monkeypatch.setenv("WATCHDOG_USEC", limit)
            assert run.watchdog_seconds() is None
        run.tell_systemd("READY=1")
