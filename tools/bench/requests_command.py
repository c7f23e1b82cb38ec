"""`vr-unpair requests` on one store, as people type it and in this process."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

from typer.testing import CliRunner

from bot import cli
from tools.bench.installed import InstalledBot, python

PATIENCE_SECONDS = 60.0
"""Nobody waits for longer: then it is no figure."""


def seconds_as_a_process(url: str, folder: Path, *more: str) -> float:
    """From its start to its end. Raises RuntimeError when it ends badly, or not in time."""
    bot = InstalledBot({"DATABASE_URL": url}, folder)
    began = time.perf_counter()
    with subprocess.Popen(
        [python(), "-m", bot.module, "requests", *more],
        cwd=folder,
        env=bot.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        # By a timer, since to wait with a timeout is to look every 50 ms.
        too_late = threading.Timer(PATIENCE_SECONDS, process.kill)
        too_late.start()
        code = process.wait()
        seconds = time.perf_counter() - began
        too_late.cancel()
    if code:
        raise RuntimeError(f"`vr-unpair requests` ended with {code} after {seconds:.0f} s")
    return seconds


def seconds_inside(url: str, *more: str) -> float:
    """The same without the start of Python: the query and the table."""
    began = time.perf_counter()
    done = CliRunner().invoke(cli.app, ["requests", *more], env={"DATABASE_URL": url})
    seconds = time.perf_counter() - began
    if done.exit_code:
        raise RuntimeError(f"`requests` ended with {done.exit_code}: {done.output}")
    return seconds
