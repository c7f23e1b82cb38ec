"""No secret in a repr, a text or an error, wherever somebody put it."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.settings import Settings, SettingsError, load, load_database, secret_names, setting_names

SECRET = "s3cr3t-Zebra"


def everything_about(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__)


def test_in_settings_that_are_right(required: dict[str, str], tmp_path: Path) -> None:
    secrets = dict.fromkeys(secret_names() - {"DATABASE_URL"}, SECRET)
    settings = load({**required, **secrets, "VR_REMOTE_USERNAME": "there"}, tmp_path)
    for text in (repr(settings), str(settings), str(settings.model_dump()), repr(settings.sites)):
        assert SECRET not in text
    assert settings.slack_bot_token.get_secret_value() == SECRET


@pytest.mark.parametrize("secret", sorted(secret_names()))
@pytest.mark.parametrize("spoilt", ["{}\n", " {}", "{} {}", "xapp-{}", "postgresql://u:{}@h:x/d"])
def test_in_a_secret_that_is_wrong(
    required: dict[str, str], tmp_path: Path, secret: str, spoilt: str
) -> None:
    given = {**required, secret: spoilt.replace("{}", SECRET), "PORT": "wrong"}
    with pytest.raises(SettingsError) as caught:
        load(given, tmp_path)
    assert SECRET not in everything_about(caught.value)


@pytest.mark.parametrize("name", sorted(set(setting_names()) - {"VR_PASSWORD"}))
def test_on_the_wrong_line(required: dict[str, str], tmp_path: Path, name: str) -> None:
    given = {**required, "VR_PASSWORD": SECRET, name: SECRET, "PORT": SECRET}
    with pytest.raises(SettingsError) as caught:
        load(given, tmp_path)
    assert SECRET not in everything_about(caught.value)


@pytest.mark.parametrize("name", sorted(set(setting_names()) - {"PORT"}))
def test_a_slack_token_on_a_wrong_line_alone(
    required: dict[str, str], tmp_path: Path, name: str
) -> None:
    token = "xoxb-12345-" + SECRET
    with pytest.raises(SettingsError) as caught:
        load({**required, name: token, "PORT": token}, tmp_path)
    assert SECRET not in everything_about(caught.value)


def test_in_the_file_and_its_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, required: dict[str, str]
) -> None:
    (tmp_path / ".env").write_text(f"VR_PASSWORD {SECRET}\n")
    with caplog.at_level(logging.DEBUG), pytest.raises(SettingsError) as caught:
        load(required, tmp_path)
    assert SECRET not in everything_about(caught.value) + caplog.text


def test_in_a_database_address(tmp_path: Path) -> None:
    for address in (f"mysql://u:{SECRET}@h/d", f"postgresql+psycopg://u:{SECRET}@h:port/d"):
        with pytest.raises(SettingsError) as caught:
            load_database({"DATABASE_URL": address}, tmp_path)
        assert SECRET not in everything_about(caught.value)


def test_in_an_object_made_directly() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(slack_bot_token=f"xapp-{SECRET}", database_url=f"mysql://u:{SECRET}@h/d", sites={})
    assert SECRET not in str(caught.value) + repr(caught.value)
