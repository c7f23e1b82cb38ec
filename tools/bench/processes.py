"""Processes that are measured: started, asked whether they are ready, weighed, ended."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tools.bench.installed import ENVIRONMENT, ROOT, python

STOP_SECONDS = 10.0

IDLE_SECONDS = 0.005
"""A process whose threads all wait for that long has nothing left to do."""

LOOK_AGAIN_SECONDS = 0.005


class BareBot:
    """`bare_bot.py` as a process. `runner` may be `default`."""

    def __init__(self, signing_secret: str, *runner: str) -> None:
        self._arguments = [signing_secret, *runner]
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def pid(self) -> int:
        return self._running().pid

    def start(self) -> Self:
        """Returns when it listens. Raises RuntimeError when it ended instead."""
        self._process = subprocess.Popen(
            [python(), "-m", "tools.bench.bare_bot", *self._arguments],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        said: list[str] = []
        for line in self._process.stderr:
            said.append(line)
            if line.startswith("{"):
                self.port = json.loads(line)["port"]
                return self
        self.stop()
        raise RuntimeError("the bare bot did not start: " + "".join(said))

    def stop(self) -> None:
        process = self._running()
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            if process.stderr is not None:
                process.stderr.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("it was never started")
        return self._process


def seconds_to_ready(start: Callable[[], Any], port: Callable[[], int]) -> float:
    """From the call of `start` to a 200 of `/readyz`. Raises RuntimeError for another answer."""
    began = time.perf_counter()
    start()
    connection = http.client.HTTPConnection("127.0.0.1", port(), timeout=5)
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


def wait_until(done: Callable[[], bool], seconds: float) -> None:
    """For what nobody rings a bell for. Raises TimeoutError."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(LOOK_AGAIN_SECONDS)


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
