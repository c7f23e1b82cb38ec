"""The bot under a supervisor: what systemd is told, and a database server that is away at the start
is waited for, not ended for."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bot import __main__ as run
from sandbox.bot_process import BotProcess
from tests.support.clock import PATIENCE_SECONDS, wait_for
from tests.support.postgres import PostgresServer
from tests.support.stage import Stage, servers
from tests.support.way_in import WAYS_IN, WayIn


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listens:
        listens.bind(str(tmp_path / "notify"))
        listens.settimeout(PATIENCE_SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listens


def heard(systemd: socket.socket, word: str) -> list[str]:
    """The first message with this line, WATCHDOG alone passed over."""
    while True:
        lines = systemd.recv(4096).decode().splitlines()
        if word in lines:
            return lines


@pytest.mark.parametrize("way_in", WAYS_IN, ids=lambda way: way.name)
def test_a_database_that_is_away_at_the_start_is_waited_for(
    tmp_path: Path, systemd: socket.socket, own_postgres: PostgresServer, way_in: WayIn
) -> None:
    """Alive, not ready, with the reason; told to stop it ends, else it starts by itself when the
    server is back."""
    with servers() as both, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        stage = Stage(way_in, *both)
        own = {"PORT": str(port), "NOTIFY_SOCKET": str(tmp_path / "notify")}
        database = {"DATABASE_URL": own_postgres.new_database()}
        settings = {**stage.settings(), **way_in.settings(stage.slack), **database, **own}
        bot = BotProcess(settings, tmp_path)
        bot.port = port

        def page(path: str) -> requests.Response:
            return requests.get(f"{bot.url}{path}", timeout=PATIENCE_SECONDS)

        own_postgres.kill()
        waiting = bot.launch()
        try:
            assert any("waits for the database" in line for line in heard(systemd, "READY=1"))
            assert [page(p).status_code for p in ("/healthz", "/metrics")] == [200, 200]
            assert page("/readyz").status_code == 503
            assert "no connection" in page("/readyz").json()["database"]
            sent = requests.post(f"{bot.url}/slack/events", timeout=PATIENCE_SECONDS)
            assert sent.status_code == 404
        finally:
            waiting.terminate()
            _, said = waiting.communicate(timeout=PATIENCE_SECONDS)
        assert waiting.returncode == run.FINE, said
        assert said.count("database_fault") == 1
        assert "Traceback" not in said

        serving = bot.launch()
        try:
            heard(systemd, "READY=1")
            own_postgres.go()
            heard(systemd, "STATUS=serves")
            wait_for(lambda: page("/readyz").status_code == 200)
            way_in.connect(stage.slack, bot)
            stage.asks_to_break(stage.pairing())
        finally:
            serving.terminate()
            _, said = serving.communicate(timeout=PATIENCE_SECONDS)
        assert serving.returncode == run.FINE, said
        heard(systemd, "STOPPING=1")


def test_the_watchdog_is_fed_three_times_in_its_limit(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
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
