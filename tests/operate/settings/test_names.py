"""Names that are no settings, and values that are seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.settings import load, secret_names
from bot.settings.names import own_names


def test_the_secrets() -> None:
    assert secret_names() == {
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_APP_TOKEN",
        "VR_PASSWORD",
        "VR_REMOTE_PASSWORD",
        "DATABASE_URL",
    }


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("VR_USER", "VR_USERNAME"),
        ("VR_POLL", "VR_POLL_SECONDS"),
        ("VR_CA", "VR_CA_FILE"),
        ("VR_FINGERPRNT", "VR_FINGERPRINT"),
        ("vr_timeout_seconds", "VR_TIMEOUT_SECONDS"),
        ("VR_REMOTE_PASWORD", "VR_REMOTE_PASSWORD"),
        ("VR_SITE__A__HOST", "VR_SITES__<NAME>__HOST and its like"),
        ("SLACK_SIGNING_SECRETS", "SLACK_SIGNING_SECRET"),
        ("SLACK_APPTOKEN", "SLACK_APP_TOKEN"),
        ("DRYRUN", "DRY_RUN"),
        ("dry_run", "DRY_RUN"),
    ],
)
def test_slips_in_the_environment(sentences_with: Any, slip: str, meant: str) -> None:
    found = sentences_with(**{slip: "x"})
    assert found == {slip: f"{slip} is not a setting: did you mean {meant}?"}


def test_a_slip_in_the_file_is_found_without_a_prefix(sentences_with: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("REQUESTER=U1\nSOMEBODY_ELSES=1\nport=1\n")
    assert list(sentences_with()) == ["REQUESTER", "port"]


def test_names_of_others_are_left_alone(load_with: Any) -> None:
    others = {
        "SLACK_CLIENT_ID": "1",
        "SLACK_CLIENT_SECRET": "1",
        "SLACK_WEBHOOK_URL": "1",
        "HOSTNAME": "box",
        "NOTIFY_SOCKET": "/run/x",
        "REQUESTER": "U1",
        "VR_SHADERS": "1",
        "VR_USER": "",
        # Close to a required setting, which is there: so it was meant for another program.
        "SLACK_BOT_TOKENS": "1",
    }
    assert load_with(**others) == load_with()


def test_an_own_name_is_a_slip_even_beside_the_right_one(sentences_with: Any) -> None:
    assert list(sentences_with(VR_POLL_SECOND="1", VR_POLL_SECONDS="5")) == ["VR_POLL_SECOND"]


def test_every_own_setting_is_checked_for_its_value(
    load_with: Any, tmp_path: Path, required: dict[str, str]
) -> None:
    # Each setting is either refused with an odd value or seen in the result: none is ignored.
    for name, field in own_names().items():
        seen = load_with(**{name: _another(name)})
        assert getattr(seen, field) != getattr(load(required, tmp_path), field), name


def _another(name: str) -> str:
    others = {
        "SLACK_BOT_TOKEN": "xoxb-2",
        "SLACK_SIGNING_SECRET": "2",
        "SLACK_APP_TOKEN": "xapp-2",
        "SLACK_API_URL": "https://slack-gov.com/api/",
        "SLACK_COMMAND": "/other",
        "DEPLOYMENT_LABEL": "other",
        "APPROVERS": "U9",
        "BREAK_GLASS": "U9",
        "REQUESTERS": "U9",
        "NOTIFY": "S9",
        "REASON_PATTERN": "x",
        "APPROVAL_TTL": "7m",
        "EXECUTION_TTL": "7m",
        "FOLLOW_TTL": "7m",
        "KEEP_FOR": "7d",
        "REMIND_AFTER": "7m",
        "SCHEDULE_MAX": "9d",
        "DATABASE_URL": "sqlite:///other.db",
        "HOST": "127.0.0.1",
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": "json",
        "CHANNELS": "C9",
        "REQUIRE_REASON": "true",
        "DRY_RUN": "true",
    }
    return others.get(name, "7")
