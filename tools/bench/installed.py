"""The bot as people install and start it: without what tests and checks bring along.

greenlet, which only Playwright needs, is imported by SQLAlchemy and structlog wherever it is found:
1.3 MB of a bot that nobody runs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from bot.sandbox.bot_process import BotProcess

ROOT = Path(__file__).parents[2]
PYTHON = Path(".venv/plain/bin/python")
"""Made by the Makefile, from requirements/run.txt alone."""

ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
"""What every start in deploy/ and the Procfile sets (docs/dev/performance.md, start and memory)."""


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
        return [python(), *super().command()[1:]]
