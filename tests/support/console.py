"""`vr-unpair` at the command line, as an operator runs it: a real process in the bot's folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bot
from tests.support.forked import process as forked
from tests.support.forked.server import Order

SOURCE = str(Path(bot.__file__).parents[1])
PATIENCE_SECONDS = 60


class Console:
    """`environment` is the bot's own, so that both read the same database."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = {**environment, "PYTHONPATH": SOURCE}
        self._folder = folder

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Whatever its exit code is; a traceback is never fine."""
        done = self.process(*words)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def process(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bot", *words],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )

    def requests(self, *more: str) -> list[dict[str, Any]]:
        """What `requests --json` says."""
        found: list[dict[str, Any]] = self._json("requests", "--json", *more)
        return found

    def show(self, request_id: str) -> dict[str, Any]:
        """What `show ID --json` says."""
        found: dict[str, Any] = self._json("show", request_id, "--json")
        return found

    def verify(self) -> str:
        """What `audit verify` says of a trail that is whole."""
        done = self.run("audit", "verify")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _json(self, *words: str) -> Any:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


class ForkedConsole(Console):
    """The same, after its imports."""

    def process(self, *words: str) -> subprocess.CompletedProcess[str]:
        order = Order("bot", words, self._environment, str(self._folder))
        return forked.run(order, PATIENCE_SECONDS)
