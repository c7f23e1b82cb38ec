"""The demo's world: both sandbox servers and the real bot as a process, ended together."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.bot_process import BotProcess, DidNotStart
from bot.sandbox.demo import settings
from bot.sandbox.page import cast
from bot.sandbox.slack import LocalSlack

TASK_SECONDS = 12.0
"""Long enough to watch a task, and to kill the bot while it runs."""

POLL_SECONDS = "2"

APPLIANCE_CALLS, BOT_CALLS = 600, 500
"""In a minute. A visitor plays in minutes what happens elsewhere in weeks. With the vendor's 50 and
the bot's 40 the third story would wait for most of a minute, and look broken. The page says so."""


class Stage:
    """`appliance`, `slack` and the bot; SQLite in a folder that goes at the end.

    `more` are settings on top of the demo's own.
    """

    process: type[BotProcess] = BotProcess
    """How the bot is started: tests have a quicker way."""

    def __init__(
        self, *, task_seconds: float = TASK_SECONDS, more: Mapping[str, str] | None = None
    ) -> None:
        self.appliance = SimulatedAppliance(
            task_seconds=task_seconds, calls_per_minute=APPLIANCE_CALLS
        )
        self.slack = LocalSlack()
        self.pairings: dict[str, cast.Pair] = {}
        self.database_url = ""
        self._more = dict(more or {})
        self._bot: BotProcess | None = None
        self._ends = ExitStack()
        self._changing = threading.Lock()

    def __enter__(self) -> Self:
        """Raises DidNotStart with what the bot said."""
        with ExitStack() as ends:
            folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="vr-unpair-demo-")))
            ends.enter_context(self.appliance)
            ends.enter_context(self.slack)
            cast.fill_slack(self.slack)
            for pair in cast.PAIRS:
                self.pairings[cast.add_pair(self.appliance, pair)] = pair
            self.database_url = f"sqlite:///{folder}/vr-unpair.db"
            approvers = ",".join(part.id for part in cast.PEOPLE if part.approver)
            own = {
                **settings(self.appliance, self.slack, approvers),
                "VR_POLL_SECONDS": POLL_SECONDS,
                "VR_CALLS_PER_MINUTE": str(BOT_CALLS),
                "FORCE_APPROVALS_REQUIRED": "2",
                "REMIND_AFTER": "2m",
                "DEPLOYMENT_LABEL": "demo",
                "DATABASE_URL": self.database_url,
            }
            self._bot = self.process({**own, **self._more}, folder)
            ends.callback(self._stop_bot)
            self.start_bot()
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ends.close()

    @property
    def bot(self) -> BotProcess:
        if self._bot is None:
            raise RuntimeError("the stage has not been entered")
        return self._bot

    def start_bot(self) -> None:
        """Does nothing while it runs. Raises DidNotStart."""
        with self._changing:
            if not self.bot.alive:
                self.bot.start()
                self.slack.request_url = f"{self.bot.url}/slack/events"

    def kill_bot(self) -> None:
        """SIGKILL in the middle of whatever it does; nothing while it does not run."""
        with self._changing:
            if self.bot.alive:
                self.bot.kill()

    def _stop_bot(self) -> None:
        with self._changing:
            if self.bot.alive:
                self.bot.stop()


__all__ = ["DidNotStart", "Stage"]
