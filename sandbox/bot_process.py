"""The real bot as a process of its own, against the two sandbox servers: for the demo and tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self

START_SECONDS = 30.0
STOP_SECONDS = 15.0

KEPT_FROM_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")
"""Nothing else: a setting of the shell that starts the demo must not reach its bot."""


class DidNotStart(Exception):
    """With what the bot said."""


def console_script() -> str:
    """The path of `vr-unpair`: beside this Python, else where a shell finds it. Raises
    DidNotStart."""
    beside = shutil.which("vr-unpair", path=Path(sys.executable).parent)
    found = beside or shutil.which("vr-unpair")
    if found is None:
        raise DidNotStart("`vr-unpair` is neither beside this Python nor on the PATH.")
    return found


class BotProcess:
    """`vr-unpair run` in `folder`. `settings` are environment variables, on top of a port of its
    own choice and logs in JSON, from which the port is learned."""

    module = ""
    """What `python -m` runs in place of the console script: a test may put something around it."""

    def __init__(self, settings: Mapping[str, str], folder: Path) -> None:
        kept = {k: os.environ[k] for k in KEPT_FROM_ENVIRONMENT if k in os.environ}
        own = {"HOST": "127.0.0.1", "PORT": "0", "LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"}
        here = {"PYTHONPATH": str(Path(__file__).parents[1])}
        self.environment = {**kept, **here, **own, **settings}
        self.folder = folder
        self.lines: list[str] = []
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._started = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def alive(self) -> bool:
        """Whether it was started and has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Returns when it serves. Raises DidNotStart."""
        self._started.clear()
        self._process = self.launch()
        stderr = self._process.stderr
        self._reader = threading.Thread(target=self._read, args=(stderr,), daemon=True)
        self._reader.start()
        self._started.wait(START_SECONDS)
        if not self.port or self._process.poll() is not None:
            self.kill()
            raise DidNotStart("\n".join(self.lines))
        return self

    def launch(self) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - our own command, no words of others in it
            self.command(),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self) -> list[str]:
        program = [sys.executable, "-m", self.module] if self.module else [console_script()]
        return [*program, "run"]

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL: nothing is finished, nothing is said."""
        return self._end(signal.SIGKILL)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Log events of this name so far."""
        found = (json.loads(line) for line in list(self.lines) if line.startswith("{"))
        return [event for event in found if event.get("event") == name]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        if self.alive:
            self.stop()

    def _end(self, number: signal.Signals) -> int:
        process = self._running()
        process.send_signal(number)
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            if self._reader:
                self._reader.join()
            if process.stderr:
                process.stderr.close()
        return code

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("it was never started")
        return self._process

    def _read(self, stderr: IO[str]) -> None:
        for line in stderr:
            self.lines.append(line.rstrip("\n"))
            if not self._started.is_set() and line.startswith("{"):
                event = json.loads(line)
                if event.get("event") == "started":
                    self.port = int(event["port"])
                    self._started.set()
        self._started.set()  # it ended: whoever waits for the start must not wait on
