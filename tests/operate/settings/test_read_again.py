"""Secrets that change in `.env` or SECRETS_DIR are used without a restart, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import trustme
from structlog.testing import capture_logs

from bot.appliance.session import SECRETS_FRESH_SECONDS
from bot.operate import logs
from bot.secrets_now import REFUSED_FRESH_SECONDS, ApplianceSecrets, SlackSecrets, settings_now
from bot.settings import Settings, load


@pytest.fixture
def folder(tmp_path: Path, required: dict[str, str]) -> Path:
    """`.env` with all that is needed, and a folder of secrets with the password."""
    del required["VR_PASSWORD"]
    lines = [f"{name}={value}" for name, value in required.items()]
    (tmp_path / ".env").write_text("\n".join([*lines, "SECRETS_DIR=secrets\n"]))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "VR_PASSWORD").write_text("the-first-password\n")
    return tmp_path


@pytest.fixture
def now(folder: Path) -> ApplianceSecrets:
    def again() -> Settings:
        return load({}, folder)

    settings = again()
    site, read = settings.sites["default"], settings_now(settings, again)
    return ApplianceSecrets(site, lambda: read().sites.get("default"))


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What was written into the log."""
    with capture_logs() as logged:
        yield logged


def password(now: ApplianceSecrets) -> str:
    return now().local.password.get_secret_value()


def test_a_changed_file_or_line_is_read(folder: Path, now: ApplianceSecrets) -> None:
    assert (password(now), now().remote) == ("the-first-password", None)
    (folder / "secrets" / "VR_PASSWORD").write_text("the-second-password\n")
    assert password(now) == "the-second-password"
    with (folder / ".env").open("a") as file:
        file.write("VR_PASSWORD=from-the-file\nVR_REMOTE_USERNAME=far\nVR_REMOTE_PASSWORD=away\n")
    assert password(now) == "from-the-file"
    remote = now().remote
    assert remote is not None
    assert (remote.username, remote.password.get_secret_value()) == ("far", "away")


def test_what_cannot_be_read_now_stays_as_it_was(
    folder: Path, now: ApplianceSecrets, told: list[Any]
) -> None:
    """Editors and secret stores replace files in the middle of everything."""
    assert password(now) == "the-first-password"
    (folder / "secrets" / "VR_PASSWORD").unlink()
    assert password(now) == "the-first-password"
    (event,) = told
    assert (event["event"], event["settings"]) == ("settings_not_read_again", ["VR_PASSWORD"])


def test_an_appliance_at_another_address_never_gets_the_password(
    folder: Path, now: ApplianceSecrets
) -> None:
    """The address is read at the start alone: this is the password of another appliance."""
    text = (folder / ".env").read_text().replace("vr.example.test", "other.example.test")
    (folder / ".env").write_text(text)
    (folder / "secrets" / "VR_PASSWORD").write_text("of-the-other-one")
    assert password(now) == "the-first-password"


def test_a_replaced_file_of_an_authority_is_another_trust(
    folder: Path, now: ApplianceSecrets, told: list[Any]
) -> None:
    pem = folder / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(pem))
    with (folder / ".env").open("a") as file:
        file.write("VR_CA_FILE=ca.pem\n")
    first = now().trust
    assert now().trust is first, "the kept connections are those of this trust"
    trustme.CA().cert_pem.write_to_path(str(pem))
    second = now().trust
    assert second is not first
    pem.write_text("half of a ")
    assert now().trust is second
    assert [event["event"] for event in told] == ["settings_not_read_again", "trust_not_read_again"]


class OfSlack:
    """Slack's secrets, read by the bot's own way from this folder; `second` is its clock."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.second = folder, 0.0
        settings = load({}, folder)
        now = settings_now(settings, lambda: load({}, folder))
        self.secrets = SlackSecrets(settings, now, monotonic=lambda: self.second)

    def set(self, **more: str) -> None:
        for name, value in more.items():
            (self.folder / "secrets" / name).write_text(f"{value}\n")

    def token(self, *, refused: bool = False) -> str:
        return self.secrets.get("SLACK_BOT_TOKEN", refused)


@pytest.fixture
def slack(folder: Path) -> OfSlack:
    env = folder / ".env"
    lines = [line for line in env.read_text().splitlines() if not line.startswith("SLACK_")]
    env.write_text("\n".join([*lines, ""]))
    (folder / "secrets" / "SLACK_BOT_TOKEN").write_text("xoxb-first")
    (folder / "secrets" / "SLACK_APP_TOKEN").write_text("xapp-first")
    return OfSlack(folder)


def test_a_changed_token_is_known_within_a_minute(slack: OfSlack, told: list[Any]) -> None:
    slack.set(SLACK_BOT_TOKEN="xoxb-second")
    slack.second = SECRETS_FRESH_SECONDS - 1
    assert slack.token() == "xoxb-first"
    slack.second += 1
    assert slack.token() == "xoxb-second"
    (event,) = told
    assert (event["event"], event["settings"]) == ("slack_secrets_changed", ["SLACK_BOT_TOKEN"])
    slack.set(SLACK_BOT_TOKEN="xoxb-third")
    assert slack.token() == "xoxb-second", "read once a minute, not for each call"


def test_a_token_that_cannot_be_read_now_stays_as_it_was(slack: OfSlack) -> None:
    (slack.folder / "secrets" / "SLACK_BOT_TOKEN").unlink()
    (slack.folder / "secrets" / "SLACK_APP_TOKEN").unlink()
    assert slack.token(refused=True) == "xoxb-first"
    assert slack.secrets.get("SLACK_APP_TOKEN", True) == "xapp-first"
    slack.set(SLACK_BOT_TOKEN="xoxb-second", SLACK_SIGNING_SECRET="another-way-in")
    slack.second += REFUSED_FRESH_SECONDS
    assert slack.token(refused=True) == "xoxb-second"
    # Not set any more, so that the next start takes the other way; this process needs it still.
    assert slack.secrets.get("SLACK_APP_TOKEN", False) == "xapp-first"


def test_what_is_refused_is_read_again_at_once_and_then_once_a_second(slack: OfSlack) -> None:
    """Anybody can send a signature that is wrong, as often as they like."""
    slack.set(SLACK_BOT_TOKEN="xoxb-second")
    assert slack.token(refused=True) == "xoxb-second"
    slack.set(SLACK_BOT_TOKEN="xoxb-third")
    assert {slack.token(refused=True) for _ in range(5)} == {"xoxb-second"}
    slack.second += REFUSED_FRESH_SECONDS
    assert slack.token(refused=True) == "xoxb-third"


@pytest.mark.usefixtures("own_logging")
def test_tokens_of_before_stay_masked_in_the_log(
    folder: Path, now: ApplianceSecrets, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every secret: a password has no form by which it could be known."""
    logs.set_up("info", "json", [password(now)])
    (folder / "secrets" / "VR_PASSWORD").write_text("the-second-password\n")
    said = f"the-first-password {password(now)}"
    structlog.get_logger("bot.test").info("said", words=said)
    assert json.loads(capsys.readouterr().err)["words"] == "*** ***"
