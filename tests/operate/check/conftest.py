"""What `check` looks at: the two sandbox servers, all right unless a test breaks something."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.operate import check
from bot.operate.check_line import Line, Result
from bot.settings import Settings, files_seen_by_others, load
from bot.store.database import Database
from bot.store.migrate import upgrade
from sandbox import demo
from sandbox.appliance import SimulatedAppliance
from sandbox.bot_process import BotProcess
from sandbox.slack import LocalSlack
from tests.support.console import Console
from tests.support.stage import ALAN, ANNA, Servers, servers

CHANNEL, SECRET_CHANNEL, GROUP = "C0OPEN", "C0SECRET", "S0GROUP"
PAIRING = "6b6fb2a8-3c5e-4b7e-9d55-0d1d6f1f0001"
FAR = {"remote_username": "far@remote", "remote_password": "Remote!1"}


class Stage(Servers):
    """`environment` are the settings; a test changes them, the servers or the folder."""

    def __init__(self, appliance: SimulatedAppliance, slack: LocalSlack, folder: Path) -> None:
        super().__init__(appliance, slack)
        appliance.add_pairing("berlin", "prague", pairing_id=PAIRING)
        slack.add_channel("open", id=CHANNEL)
        slack.add_channel("secret", id=SECRET_CHANNEL, private=True)
        slack.add_group("approvers", [ALAN, ANNA], id=GROUP)
        self.folder, self.database = folder, folder / "bot.db"
        self.environment = {
            **demo.settings(appliance, slack, f"{ALAN},{ANNA}"),
            **{f"VR_{name.upper()}": value for name, value in FAR.items()},
            "SLACK_APP_TOKEN": slack.app_token,
            "VR_TIMEOUT_SECONDS": "2",
            "CHANNELS": f"{CHANNEL},{SECRET_CHANNEL}",
            "DATABASE_URL": f"sqlite:///{self.database}",
        }
        del self.environment["SLACK_SIGNING_SECRET"]

    def loaded(self) -> Settings:
        return load(self.environment, self.folder)

    def check(self, **fields: Any) -> list[Line]:
        """All lines; `fields` replace those of the settings that cannot be given as text yet."""
        return list(
            check.check(
                lambda: self.loaded().model_copy(update=fields),
                lambda: files_seen_by_others(self.environment, self.folder),
            )
        )

    def console(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command as a process of its own."""
        environment = BotProcess(self.environment, self.folder).environment
        return Console(environment, self.folder).run(*words)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with servers(rate_limits=False, **FAR) as both:
        made = Stage(*both, tmp_path)
        with closing(Database(made.environment["DATABASE_URL"])) as db:
            upgrade(db)
        yield made


def wrong_lines(found: list[Line]) -> list[str]:
    """Keys of the lines that failed by themselves."""
    return [finding.key for finding in found if finding.result is Result.WRONG]


def one(found: list[Line], key: str) -> Line:
    """The finding of this line."""
    (finding,) = [finding for finding in found if finding.key == key]
    return finding
