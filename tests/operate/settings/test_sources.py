"""Environment, `.env` and secret files: what is read, what wins, and what a command needs of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bot.settings import SettingsError, files_seen_by_others, load, load_database


def dotenv_problems(tmp_path: Path, content: bytes) -> dict[str, str]:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load({}, tmp_path)
    return {problem.sentence: problem.setting for problem in caught.value.problems}


# ---- .env ----------------------------------------------------------------------------------------


def test_the_environment_wins_over_the_file_and_an_empty_variable_does_not(
    load_with: Any, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=1111\nHOST=127.0.0.1\nLOG_LEVEL=\n")
    settings = load_with(PORT="2222", HOST="", LOG_LEVEL="")
    assert (settings.port, settings.host, settings.log_level) == (2222, "127.0.0.1", "info")


def test_the_file_alone_is_enough(tmp_path: Path, required: dict[str, str]) -> None:
    lines = [f"export {name}='{value}'  # said twice" for name, value in required.items()]
    text = "\ufeff# a comment\r\n\r\n" + "\r\n".join(lines)
    (tmp_path / ".env").write_text(text, encoding="utf-8", newline="")
    assert load({}, tmp_path) == load(required, tmp_path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("'a${HOME}#b \"c\" $d'", 'a${HOME}#b "c" $d'),
        (r"'it\'s'", "it's"),
        (r"'a\b\\c'", "a\\b\\c"),
        ("'a=b #c'  # a comment", "a=b #c"),
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
    content = f"PORT=1  # fine\n\nexport {name}={written}\n".encode()
    ((sentence, setting),) = dotenv_problems(tmp_path, content).items()
    assert setting == name
    assert "single quotes" in sentence
    assert "hun" not in sentence


def test_lines_that_are_not_understood_are_named_by_number(tmp_path: Path) -> None:
    content = b"PORT=1\n\n\nVR_PASSWORD hunter2\n# fine\nDRY_RUN\nHOST='unclosed hunter2\nA=1\n"
    found = dotenv_problems(tmp_path, content)
    assert list(found.values()) == [".env:4", ".env:6", ".env:7"]
    assert [sentence.split(" of ")[0] for sentence in found] == ["Line 4", "Line 6", "Line 7"]
    assert "hunter2" not in "".join(found)


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"A=\xff\n"), os.mkdir])
def test_what_is_no_file_of_text_in_its_place(tmp_path: Path, make: Any) -> None:
    make(tmp_path / ".env")
    with pytest.raises(SettingsError, match=r"The file /.*/\.env cannot be read "):
        load({}, tmp_path)


def foreign(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's from now on, and not root's."""
    if os.geteuid() == 0:
        os.chown(path, 65534, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 65534)


@pytest.mark.parametrize("sudo", [False, True])
def test_a_file_of_somebody_else_is_not_read(
    required: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sudo: bool
) -> None:
    """Not under their own sudo either: it would get root's secrets."""
    path = tmp_path / ".env"
    path.write_text("SLACK_API_URL=https://slack.example.net/api/\n")
    assert load(required, tmp_path).slack_api_url == "https://slack.example.net/api/"
    foreign(path, monkeypatch)
    if sudo:
        required["SUDO_UID"] = str(path.stat().st_uid)
    for read in (load, load_database):
        with pytest.raises(SettingsError, match=f"chown .* {path}") as caught:
            read(required, tmp_path)
        assert [problem.setting for problem in caught.value.problems] == [".env"]


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_not_read(
    required: dict[str, str], tmp_path: Path, mode: int
) -> None:
    (path := tmp_path / ".env").write_text("PORT=1\n")
    path.chmod(mode)
    with pytest.raises(SettingsError, match=f"chmod go-w {path}"):
        load(required, tmp_path)
    path.chmod(0o644)
    assert load(required, tmp_path).port == 1


# ---- SECRETS_DIR ---------------------------------------------------------------------------------


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
    secrets = (settings.slack_bot_token, settings.slack_signing_secret, settings.database_url)
    assert [secret.get_secret_value() for secret in secrets] == [
        *("xoxb-from-file", "wins", "sqlite:///from-file.db")
    ]
    assert settings.sites["default"].password.get_secret_value() == "  kept as it is  "
    assert settings.port == 3000


def test_secret_files_that_cannot_be_used(sentences_with: Any, tmp_path: Path) -> None:
    (tmp_path / "SLACK_BOT_TOKEN").mkdir()
    (tmp_path / "VR_PASSWORD").write_bytes(b"\xff\xfe")
    (tmp_path / "SLACK_SIGNING_SECRET").write_bytes(b"\n")
    found = sentences_with(SECRETS_DIR=str(tmp_path), SLACK_BOT_TOKEN=None, VR_PASSWORD=None)
    assert set(found) == {"SLACK_BOT_TOKEN", "VR_PASSWORD"}
    assert all("SECRETS_DIR" in sentence for sentence in found.values())


@pytest.mark.parametrize("folder", ["nowhere", "x" * 300])
def test_a_secrets_dir_that_is_none(sentences_with: Any, folder: str) -> None:
    assert list(sentences_with(SECRETS_DIR=folder)) == ["SECRETS_DIR"]


def test_files_that_others_can_read_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    environ = {"SECRETS_DIR": "secrets"}
    for path, mode in (
        (tmp_path / ".env", 0o604),
        (folder / "VR_PASSWORD", 0o644),
        (folder / "SLACK_BOT_TOKEN", 0o640),
        (folder / "DATABASE_URL", 0o600),
        (folder / "no-secret", 0o644),
    ):
        path.write_text("A=sqlite:///x")
        path.chmod(mode)
    assert files_seen_by_others(environ, tmp_path) == [tmp_path / ".env", folder / "VR_PASSWORD"]
    # What the environment gives is not read from a file.
    environ["VR_PASSWORD"] = "given"
    assert files_seen_by_others(environ, tmp_path) == [tmp_path / ".env"]


# ---- proxies -------------------------------------------------------------------------------------


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, required: Any) -> None:
    """The environment of this process, which `load` reads and changes."""
    monkeypatch.setattr(os, "environ", dict(required))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"])
def test_a_proxy_of_the_file_counts_for_all_that_connects(tmp_path: Path, name: str) -> None:
    (tmp_path / ".env").write_text(f"{name}=proxy.example.net:3128\n")
    load()
    assert os.environ[name] == "proxy.example.net:3128"
    # And that of the environment wins, in whichever case.
    (tmp_path / ".env").write_text(f"{name.upper()}=second\n{name.lower()}=second\n")
    before = dict(os.environ)
    load()
    assert os.environ == before


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("value", ["http://u:hidden@h:abc", "h:99999", "http://", "http://[x"])
def test_a_proxy_that_is_no_address_is_named(sentences_with: Any, name: str, value: str) -> None:
    found = sentences_with(**{name: value})
    assert list(found) == [name]
    assert "hidden" not in found[name]


@pytest.mark.parametrize("value", ["proxy", "proxy:3128", "http://u:p@proxy/", "socks5://proxy:1"])
def test_a_proxy_that_is_one(load_with: Any, value: str) -> None:
    load_with(HTTPS_PROXY=value)


# ---- what a command needs ------------------------------------------------------------------------


def test_exactly_one_way_in(load_with: Any, sentences_with: Any) -> None:
    app = {"SLACK_APP_TOKEN": "xapp-1"}
    assert load_with().mode() == "http"
    assert load_with(**app, SLACK_SIGNING_SECRET=None).mode() == "socket"
    assert list(sentences_with(**app)) == ["SLACK_APP_TOKEN"]
    assert list(sentences_with(SLACK_SIGNING_SECRET=None)) == ["SLACK_SIGNING_SECRET"]


def test_the_database_needs_nothing_else(tmp_path: Path) -> None:
    assert load_database({}, tmp_path) == "sqlite:///vr-unpair.db"
    address = "sqlite:////var/lib/x.db"
    assert load_database({"DATABASE_URL": address, "PORT": "wrong"}, tmp_path) == address
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:///file.db\n")
    assert load_database({}, tmp_path) == "sqlite:///file.db"


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"DATABASE_URL": "postgres://x/y"}, "DATABASE_URL must begin with"),
        ({"DATABASEURL": "sqlite:///x.db"}, "did you mean DATABASE_URL"),
        ({"SECRETS_DIR": "nowhere"}, "SECRETS_DIR"),
        ({"DYNO": "web.1"}, "wiped at each restart"),
        ({"DYNO": "web.1", "DATABASE_URL": "sqlite:///x.db"}, "wiped at each restart"),
    ],
)
def test_a_database_that_cannot_be_used(tmp_path: Path, environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        load_database(environ, tmp_path)
    assert len(caught.value.problems) == 1
