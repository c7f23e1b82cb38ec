"""Environment, `.env` and secret files: what is read, and what wins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bot.settings import SettingsError, files_seen_by_others, load


def dotenv_problems(tmp_path: Path, content: bytes) -> list[str]:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load({}, tmp_path)
    assert {problem.setting for problem in caught.value.problems} == {".env"}
    return [problem.sentence for problem in caught.value.problems]


def test_the_environment_wins_over_the_file(load_with: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1111\nHOST=127.0.0.1\n")
    settings = load_with(PORT="2222")
    assert (settings.port, settings.host) == (2222, "127.0.0.1")


def test_an_empty_variable_leaves_the_file_its_say(load_with: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1111\nHOST=\n")
    settings = load_with(PORT="")
    assert (settings.port, settings.host) == (1111, "0.0.0.0")


def test_the_file_alone_is_enough(tmp_path: Path, required: dict[str, str]) -> None:
    lines = [f"export {name}='{value}'  # said twice" for name, value in required.items()]
    text = "\ufeff# a comment\r\n\r\n" + "\r\n".join(lines)
    (tmp_path / ".env").write_text(text, encoding="utf-8", newline="")
    assert load({}, tmp_path) == load(required, tmp_path)


def test_the_working_directory_and_environment_of_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, required: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in required.items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".env").write_text("DEPLOYMENT_LABEL=from the file\n")
    assert load().deployment_label == "from the file"


def test_a_password_in_the_file_stays_as_it_is(load_with: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("VR_PASSWORD='a${HOME}#b \"c\" $d'\n")
    password = load_with(VR_PASSWORD=None).sites["default"].password
    assert password.get_secret_value() == 'a${HOME}#b "c" $d'


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"'it\'s'", "it's"),
        (r"'a\b\\c'", "a\\b\\c"),
        ("'a #b=\"$c\"'  # a comment", 'a #b="$c"'),
        ("'a=b #c'", "a=b #c"),
        ('"a #b"', "a #b"),
        (r"it's\n$d#e", r"it's\n$d#e"),
    ],
)
def test_how_a_password_is_written(
    load_with: Any, tmp_path: Path, written: str, meant: str
) -> None:
    (tmp_path / ".env").write_text(f"VR_PASSWORD={written}\n")
    password = load_with(VR_PASSWORD=None).sites["default"].password
    assert password.get_secret_value() == meant


@pytest.mark.parametrize("written", ["hun #ter2", "hunter2\t# fine", " # none", "a'b #c"])
@pytest.mark.parametrize("name", ["VR_PASSWORD", "VR_SITES__BERLIN__PASSWORD", "DATABASE_URL"])
def test_a_secret_that_a_comment_would_cut_off_is_refused_by_name(
    tmp_path: Path, name: str, written: str
) -> None:
    (tmp_path / ".env").write_text(f"PORT=1  # fine\n\nexport {name}={written}\n")
    with pytest.raises(SettingsError) as caught:
        load({}, tmp_path)
    (problem,) = caught.value.problems
    assert problem.setting == name
    assert problem.sentence.startswith(f"{name} in the file .env has a space and a #")
    assert "single quotes" in problem.sentence
    assert "hun" not in problem.sentence


def test_lines_that_are_not_understood_are_named_by_number(tmp_path: Path) -> None:
    content = b"PORT=1\n\n\nVR_PASSWORD hunter2\n# fine\nHOST='unclosed hunter2\nDRY_RUN=1\n"
    sentences = dotenv_problems(tmp_path, content)
    assert [sentence.split(" of ")[0] for sentence in sentences] == ["Line 4", "Line 6"]
    assert "hunter2" not in "".join(sentences)


def test_a_name_without_a_value_is_not_understood(tmp_path: Path) -> None:
    assert dotenv_problems(tmp_path, b"DRY_RUN\n")[0].startswith("Line 1 of the file .env")


@pytest.mark.parametrize(
    ("content", "says"), [(b"A=\xff\n", "UTF-8"), (b"A=" + b"x" * 1_000_001, "1 MB")]
)
def test_a_file_that_is_no_such_file(tmp_path: Path, content: bytes, says: str) -> None:
    (sentence,) = dotenv_problems(tmp_path, content)
    assert says in sentence


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_in_the_place_of_the_file(tmp_path: Path, make: Any) -> None:
    make(tmp_path / ".env")
    sentence = r"The file \.env cannot be read \(not a regular file\): "
    with pytest.raises(SettingsError, match=sentence):
        load({}, tmp_path)


def test_secrets_from_files(load_with: Any, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "SLACK_BOT_TOKEN").write_bytes(b"xoxb-from-file\r\n\n")
    (folder / "VR_PASSWORD").write_bytes(b"  kept as it is  \n")
    (folder / "SLACK_SIGNING_SECRET").write_bytes(b"loses to the environment")
    (folder / "DATABASE_URL").write_bytes(b"sqlite:///from-file.db\n")
    (folder / "PORT").write_bytes(b"4444")
    settings = load_with(
        SECRETS_DIR="secrets", SLACK_BOT_TOKEN=None, VR_PASSWORD=None, SLACK_SIGNING_SECRET="wins"
    )
    assert settings.slack_bot_token.get_secret_value() == "xoxb-from-file"
    assert settings.sites["default"].password.get_secret_value() == "  kept as it is  "
    assert settings.slack_signing_secret.get_secret_value() == "wins"
    assert settings.database_url.get_secret_value() == "sqlite:///from-file.db"
    assert settings.port == 3000


def test_secret_files_that_cannot_be_used(sentences_with: Any, tmp_path: Path) -> None:
    (tmp_path / "SLACK_BOT_TOKEN").mkdir()
    (tmp_path / "VR_PASSWORD").write_bytes(b"\xff\xfe")
    (tmp_path / "SLACK_SIGNING_SECRET").write_bytes(b"\n")
    os.mkfifo(tmp_path / "SLACK_APP_TOKEN")
    found = sentences_with(SECRETS_DIR=str(tmp_path), SLACK_BOT_TOKEN=None, VR_PASSWORD=None)
    assert set(found) == {"SLACK_BOT_TOKEN", "VR_PASSWORD", "SLACK_APP_TOKEN"}
    assert "SECRETS_DIR (not a regular file)" in found["SLACK_APP_TOKEN"]
    assert "cannot be read from SECRETS_DIR" in found["SLACK_BOT_TOKEN"]
    assert "UTF-8" in found["VR_PASSWORD"]


@pytest.mark.parametrize("folder", ["nowhere", "x" * 300])
def test_a_secrets_dir_that_is_none(sentences_with: Any, folder: str) -> None:
    assert "is not a folder" in sentences_with(SECRETS_DIR=folder)["SECRETS_DIR"]


def test_files_that_others_can_read_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    environ = {"SECRETS_DIR": "secrets"}
    for path, mode in (
        (tmp_path / ".env", 0o604),
        (folder / "VR_PASSWORD", 0o644),
        (folder / "SLACK_BOT_TOKEN", 0o640),
        (folder / "DATABASE_URL", 0o600),
        (folder / "no-secret", 0o666),
    ):
        path.write_text("A=sqlite:///x")
        path.chmod(mode)
    assert files_seen_by_others(environ, tmp_path) == [tmp_path / ".env", folder / "VR_PASSWORD"]
    # What the environment gives is not read from a file.
    environ["VR_PASSWORD"] = "given"
    assert files_seen_by_others(environ, tmp_path) == [tmp_path / ".env"]


@pytest.fixture
def no_proxy_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, required: Any) -> None:
    """The environment of this process, which `load` reads and changes."""
    monkeypatch.setattr(os, "environ", dict(required))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("no_proxy_here")
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"])
def test_a_proxy_of_the_file_counts_for_all_that_connects(tmp_path: Path, name: str) -> None:
    (tmp_path / ".env").write_text(f"{name}=proxy.example.net:3128\n")
    load()
    assert os.environ[name] == "proxy.example.net:3128"


@pytest.mark.usefixtures("no_proxy_here")
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_proxy_of_the_environment_wins(tmp_path: Path, name: str) -> None:
    os.environ[name] = "http://first.example.net:3128"
    before = dict(os.environ)
    (tmp_path / ".env").write_text("HTTPS_PROXY=second\nhttps_proxy=second\n")
    load()
    assert os.environ == before


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("value", ["http://u:hidden@h:abc", "h:99999", "http://", "http://[x"])
def test_a_proxy_that_is_no_address_is_named(sentences_with: Any, name: str, value: str) -> None:
    found = sentences_with(**{name: value})
    assert found == {name: f"{name} must be an address such as http://proxy.example.net:3128."}


@pytest.mark.usefixtures("no_proxy_here")
def test_a_proxy_of_the_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NO_PROXY='a\0b'\n")
    with pytest.raises(SettingsError, match="NO_PROXY holds bytes"):
        load()


@pytest.mark.parametrize("value", ["proxy", "proxy:3128", "http://u:p@proxy/", "socks5://proxy:1"])
def test_a_proxy_that_is_one(load_with: Any, value: str) -> None:
    load_with(HTTPS_PROXY=value)
