"""The README followed word for word in an empty folder: install, configure, check, run, one story.

Only Slack's own pages cannot be walked; the two sandbox servers stand for Slack and the appliance.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.bot_process import KEPT_FROM_ENVIRONMENT, BotProcess
from bot.sandbox.slack import LocalSlack

ROOT = Path(__file__).parents[2]
INSTALL = "make install"
COPY = "cp .env.example .env"
MANIFEST_HTTP = ".venv/bin/vr-unpair manifest --url https://YOUR-HOST"
RUN = ".venv/bin/vr-unpair run"
DEMO = "make demo"
PATIENCE_SECONDS = 60.0
INSTALL_SECONDS = 300
"""For one line of the README: a package registry may be slow."""

pytestmark = pytest.mark.timeout(2 * INSTALL_SECONDS)


class Console(BotProcess):
    """The bot as an operator starts it: the installed script, in its folder, with its `.env`."""

    def __init__(self, folder: Path) -> None:
        super().__init__({}, folder)
        self.environment = _environment()

    def command(self) -> list[str]:
        return [str(self.folder / RUN.split()[0]), "run"]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone has, and nothing else; then the README's first command."""
    folder = tmp_path_factory.mktemp("readme") / "vr-unpair"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    say(folder, INSTALL)
    return folder


def test_every_step_stands_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for step in (INSTALL, COPY, MANIFEST_HTTP, RUN, DEMO):
        assert step in text


def test_make_demo_plays_the_story(clone: Path) -> None:
    assert "the pairing is gone, DELETE was sent 1 time(s)" in say(clone, DEMO)


def test_the_manifest_is_one(clone: Path) -> None:
    over_http = yaml.safe_load(say(clone, MANIFEST_HTTP))
    assert over_http["settings"]["socket_mode_enabled"] is False
    assert "https://YOUR-HOST/slack/events" in str(over_http)
    over_socket = yaml.safe_load(say(clone, MANIFEST_HTTP.partition(" --url")[0]))
    assert over_socket["settings"]["socket_mode_enabled"] is True


@pytest.mark.parametrize("mode", ["http", "socket"])
def test_configured_checked_and_run(clone: Path, mode: str) -> None:
    with SimulatedAppliance(task_seconds=1.0) as appliance, LocalSlack() as slack:
        rita, alan = slack.add_person("Rita"), slack.add_person("Alan")
        channel = slack.add_channel("dr-operations")
        pairing = appliance.add_pairing(local="berlin", remote="prague")
        say(clone, COPY)
        way_in = {
            "http": {"SLACK_SIGNING_SECRET": slack.signing_secret},
            "socket": {"SLACK_APP_TOKEN": slack.app_token},
        }
        fill(
            clone / ".env",
            SLACK_BOT_TOKEN=slack.bot_token,
            SLACK_API_URL=slack.api_url,
            VR_HOST=appliance.host,
            VR_USERNAME=appliance.username,
            VR_PASSWORD=appliance.password,
            VR_CA_FILE=appliance.ca_file,
            APPROVERS=alan,
            HOST="127.0.0.1",
            PORT="0",
            LOG_FORMAT="json",
            **way_in[mode],
        )
        checked = say(clone, ".venv/bin/vr-unpair check")
        assert "wrong" not in checked
        with Console(clone) as bot:
            if mode == "http":
                slack.request_url = f"{bot.url}/slack/events"
            else:
                slack.mode = "socket"
                slack.wait_for(lambda: slack.sockets.usable, PATIENCE_SECONDS)
            slack.command(rita, f"{pairing} as the README says", channel=channel)
            card = slack.wait_for_message(
                channel, lambda m: m.button("unpair_approve") is not None,
                timeout_seconds=PATIENCE_SECONDS,
            )  # fmt: skip
            slack.click(alan, card, "unpair_approve")
            slack.wait_for_message(
                channel, lambda m: f"<@{rita}>" in m.text, thread_ts=card.ts,
                timeout_seconds=PATIENCE_SECONDS,
            )  # fmt: skip
            assert bot.stop() == 0
        assert pairing not in appliance.pairings
        assert len(appliance.deletes) == 1
    (clone / "vr-unpair.db").unlink()


def fill(env_file: Path, **settings: str) -> None:
    """Takes the `#` off a line and puts the value in, as the README says."""
    text = env_file.read_text(encoding="utf-8")
    for name, value in settings.items():
        text, count = re.subn(rf"(?m)^#?{name}=.*$", f"{name}={value}", text)
        assert count == 1, name
    env_file.write_text(text, encoding="utf-8")


def say(folder: Path, line: str) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=folder, env=_environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _environment() -> dict[str, str]:
    """An ordinary shell: no setting of the bot, and not this test's own virtual environment."""
    kept = {k: os.environ[k] for k in KEPT_FROM_ENVIRONMENT if k in os.environ}
    kept.pop("VIRTUAL_ENV", None)
    return kept
