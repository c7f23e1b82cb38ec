"""What `check` looks at: the two sandbox servers, all right unless a test breaks something."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.operate import check
from bot.operate.check_line import Line, Result
from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.bot_process import KEPT_FROM_ENVIRONMENT
from bot.sandbox.slack import LocalSlack
from bot.settings import Settings, files_seen_by_others, load
from bot.store.database import Database
from bot.store.migrate import upgrade
from tests.support.console import Console

ALAN, ANNA = "U0ALAN", "U0ANNA"
"""They may approve."""
CHANNEL, SECRET_CHANNEL = "C0OPEN", "C0SECRET"
PAIRING = "6b6fb2a8-3c5e-4b7e-9d55-0d1d6f1f0001"


@dataclass
class Stage:
    """`environment` are the settings; a test changes them, the servers or the folder."""

    appliance: SimulatedAppliance
    slack: LocalSlack
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def settings(self, *, to_run: bool = False) -> Settings:
        return load(self.environment, self.folder, to_run=to_run)

    def check(self, **fields: Any) -> list[Line]:
        """All lines; `fields` replace those of the settings that cannot be given as text yet."""
        return list(
            check.check(
                lambda **how: self.settings(**how).model_copy(update=fields),
                lambda: files_seen_by_others(self.environment, self.folder),
            )
        )

    def console(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command as a process of its own."""
        kept = {name: os.environ[name] for name in KEPT_FROM_ENVIRONMENT if name in os.environ}
        own = {"HOST": "127.0.0.1", "PORT": "0"}
        return Console({**kept, **own, **self.environment}, self.folder).run(*words)

    @property
    def database(self) -> Path:
        return self.folder / "bot.db"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with (
        SimulatedAppliance(remote_username="far@remote", remote_password="Remote!1") as appliance,
        LocalSlack(rate_limits=False) as slack,
    ):
        appliance.add_pairing("berlin", "prague", pairing_id=PAIRING)
        for person in (ALAN, ANNA):
            slack.add_person(person.title(), id=person)
        slack.add_channel("open", id=CHANNEL)
        slack.add_channel("secret", id=SECRET_CHANNEL, private=True)
        made = Stage(appliance, slack, tmp_path)
        made.environment |= {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
            "VR_HOST": appliance.host,
            "VR_USERNAME": appliance.username,
            "VR_PASSWORD": appliance.password,
            "VR_REMOTE_USERNAME": "far@remote",
            "VR_REMOTE_PASSWORD": "Remote!1",
            "VR_CA_FILE": appliance.ca_file,
            "VR_TIMEOUT_SECONDS": "2",
            "APPROVERS": f"{ALAN},{ANNA}",
            "CHANNELS": f"{CHANNEL},{SECRET_CHANNEL}",
            "DATABASE_URL": f"sqlite:///{made.database}",
        }
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
