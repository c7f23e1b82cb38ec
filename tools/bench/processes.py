"""Processes that are measured: started, asked whether they are ready, weighed, ended.

The bot is the one that people install, without what tests and checks bring along: greenlet, which
only Playwright needs, is imported by SQLAlchemy and structlog wherever it is found, 1.3 MB of a bot
that nobody runs.
"""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from sandbox.bot_process import BotProcess

ROOT = Path(__file__).parents[2]
PYTHON = Path(".venv/plain/bin/python")
"""Made by the Makefile, from requirements/run.txt alone."""

ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
"""What every start in deploy/ and the Procfile sets (docs/dev/performance.md, start and memory)."""

STOP_SECONDS = 10.0

IDLE_SECONDS = 0.005
"""A process whose threads all wait for that long has nothing left to do."""


def python() -> str:
    """The interpreter that runs whatever is measured. Ends the run where it has not been made."""
    if not (ROOT / PYTHON).exists():
        sys.exit(f"{PYTHON} is missing: `make .venv/plain/installed` makes it, `make bench` too")
    return str(ROOT / PYTHON)


class InstalledBot(BotProcess):
    """`vr-unpair run` there."""

    def __init__(self, settings: Mapping[str, str], folder: Path) -> None:
        super().__init__({**ENVIRONMENT, **settings}, folder)

    def command(self) -> list[str]:
        return [python(), "-m", self.module or "bot", "run"]


class BareBot(InstalledBot):
    """`bare_bot.py` there."""

    def __init__(self, signing_secret: str) -> None:
        super().__init__({}, ROOT)
        self._secret = signing_secret

    def command(self) -> list[str]:
        return [python(), "-m", "tools.bench.bare_bot", self._secret]


def seconds_to_ready(bot: BotProcess) -> float:
    """From its start to a 200 of `/readyz`. Raises RuntimeError for another answer."""
    began = time.perf_counter()
    bot.start()
    connection = http.client.HTTPConnection("127.0.0.1", bot.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise RuntimeError(f"not ready at once: {answer.status} {body!r}")
    return time.perf_counter() - began


def resident_mb(pid: int) -> float:
    """VmRSS of /proc/PID/status, in MB of 1024 kB. Linux alone has it."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(one for one in status.splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def cpu_seconds(pid: int) -> float:
    """Of all its threads, ended ones too: utime and stime of /proc/PID/stat, in ticks."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    fields = stat.rpartition(")")[2].split()  # behind the name, which may hold anything
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_idle(pid: int) -> None:
    """Until no thread of the process has run for a moment. Raises TimeoutError."""
    until = time.monotonic() + STOP_SECONDS
    ran = _run_ns(pid)
    while time.monotonic() < until:
        time.sleep(IDLE_SECONDS)
        before, ran = ran, _run_ns(pid)
        if ran == before:
            return
    raise TimeoutError(f"process {pid} does not come to rest")


def _run_ns(pid: int) -> int:
    """Nanoseconds that its threads have run for (first field of /proc/PID/task/TID/schedstat)."""
    return sum(map(_thread_ns, Path(f"/proc/{pid}/task").iterdir()))


def _thread_ns(thread: Path) -> int:
    try:
        return int((thread / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has just ended
