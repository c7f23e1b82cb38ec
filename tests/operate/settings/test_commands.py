"""What `run` needs more than the rest, and what the commands on the store need less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.settings import SettingsError, load_database


def test_http_mode(load_with: Any) -> None:
    settings = load_with(SLACK_SIGNING_SECRET="signing")
    assert settings.problems_for_run() == []
    assert settings.mode() == "http"


def test_socket_mode(load_with: Any) -> None:
    settings = load_with().model_copy(update={"slack_app_token": SecretStr("xapp-1")})
    assert settings.mode() == "socket"


def test_no_mode(load_with: Any) -> None:
    with pytest.raises(SettingsError, match="Neither SLACK_SIGNING_SECRET nor SLACK_APP_TOKEN"):
        load_with().mode()


def test_both_modes(load_with: Any) -> None:
    settings = load_with(SLACK_SIGNING_SECRET="signing")
    both = settings.model_copy(update={"slack_app_token": SecretStr("xapp-1")})
    with pytest.raises(SettingsError, match="are both set"):
        both.mode()


def test_the_database_needs_nothing_else(tmp_path: Path) -> None:
    assert load_database({}, tmp_path) == "sqlite:///vr-unpair.db"
    address = "sqlite:////var/lib/x.db"
    assert load_database({"DATABASE_URL": address, "PORT": "wrong"}, tmp_path) == address
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:///file.db\n")
    assert load_database({}, tmp_path) == "sqlite:///file.db"


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"DATABASE_URL": "oracle://x"}, "must begin with"),
        ({"DATABASE_URL": "postgres://x/y"}, "must begin with"),
        ({"DATABASEURL": "sqlite:///x.db"}, "did you mean DATABASE_URL"),
        ({"SECRETS_DIR": "nowhere"}, "is not a folder"),
        ({"DYNO": "web.1"}, "wiped at each restart"),
    ],
)
def test_a_database_that_cannot_be_used(tmp_path: Path, environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        load_database(environ, tmp_path)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("address", [None, "sqlite:///x.db"])
def test_a_wiped_disk_holds_no_database(sentences_with: Any, address: str | None) -> None:
    found = sentences_with(DYNO="web.1", DATABASE_URL=address)
    assert list(found) == ["DATABASE_URL"]
    assert "postgresql+psycopg://" in found["DATABASE_URL"]
