"""`vr-unpair settings`: what holds, and where each comes from, without a secret; another `.env`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.operate.cli.conftest import Run

SECRET = "s3cr3t-Zebra"


@pytest.fixture
def given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything that is needed, from three places."""
    (folder / "secrets").mkdir()
    (folder / "secrets" / "VR_PASSWORD").write_text(SECRET)
    lines = [
        "SECRETS_DIR=secrets",
        "SLACK_BOT_TOKEN=xoxb-" + SECRET,
        "APPROVERS=U1,S2",
        "PORT=1111",
    ]
    (folder / ".env").write_text("\n".join([*lines, f"HTTPS_PROXY=http://me:{SECRET}@proxy:1"]))
    for name, value in {
        "SLACK_APP_TOKEN": "xapp-" + SECRET,
        "VR_HOST": "vr.example.net",
        "VR_USERNAME": "unpair@vsphere.local",
        "DATABASE_URL": f"postgresql+psycopg://me:{SECRET}@db/bot?password={SECRET}",
        "PORT": "2222",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return folder


def rows(run: Run, *words: str, code: int = 0) -> dict[str, tuple[str, str]]:
    said = run(*words, "settings", code=code)
    assert SECRET not in said.output
    found = (re.split(r"  +", line.strip(), maxsplit=2) for line in said.stdout.splitlines())
    return {name: (origin, "".join(value)) for name, origin, *value in found}


def test_what_holds_and_where_each_comes_from(given: Path, run: Run) -> None:
    found = rows(run)
    expected = {
        "SLACK_BOT_TOKEN": (".env", "***"),
        "SLACK_APP_TOKEN": ("environment", "***"),
        "SLACK_SIGNING_SECRET": ("not set", ""),
        "VR_PASSWORD": ("SECRETS_DIR", "***"),
        "VR_HOST": ("environment", "vr.example.net"),
        "APPROVERS": (".env", "U1,S2"),
        "PORT": ("environment", "2222"),
        "HOST": ("default", "127.0.0.1"),
        "APPROVAL_TTL": ("default", "1h"),
        "DATABASE_URL": ("environment", "postgresql+psycopg://***@db/bot"),
        "HTTPS_PROXY": (".env", "http://***@proxy:1"),
    }
    assert {name: found[name] for name in expected} == expected


def test_several_appliances_and_pools_are_each_shown(
    given: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOST", "USERNAME"):
        monkeypatch.delenv(f"VR_{name}")
        monkeypatch.setenv(f"VR_SITES__OSLO__{name}", "oslo")
    monkeypatch.setenv("VR_SITES__OSLO__PASSWORD", SECRET)
    (given / "secrets" / "VR_PASSWORD").unlink()
    text = (given / ".env").read_text().replace("APPROVERS=", "APPROVERS__OPS=")
    (given / ".env").write_text(text + "\nAPPROVALS_REQUIRED__OPS=2\n")
    found = rows(run)
    assert found["VR_SITES__OSLO__HOST"] == ("environment", "oslo")
    assert found["VR_SITES__OSLO__PASSWORD"] == ("environment", "***")
    assert found["VR_SITES__OSLO__POLL_SECONDS"] == ("default", "5")
    assert "VR_HOST" not in found
    assert found["APPROVERS__OPS"] == (".env", "U1,S2")
    assert found["APPROVALS_REQUIRED__OPS"] == (".env", "2")


def test_a_wrong_one_is_named_and_not_shown(
    given: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPROVAL_TTL", SECRET)
    monkeypatch.setenv("DEPLOYMENT_LABEL", f"the xoxb-{SECRET}")
    found = rows(run, code=2)
    assert found["APPROVAL_TTL"] == ("environment", "(wrong)")
    assert found["DEPLOYMENT_LABEL"] == ("environment", "the ***")


def test_another_env_file(given: Path, run: Run) -> None:
    other = given / "other.env"
    other.write_text((given / ".env").read_text().replace("U1", "U9"))
    found = rows(run, "--env-file", "other.env")
    assert found["APPROVERS"] == ("other.env", "U9,S2")
    assert rows(run)["APPROVERS"] == (".env", "U1,S2")
    assert rows(run, "--env-file", "/dev/null", code=2)["APPROVERS"] == ("not set", "")
    other.chmod(0o666)
    for file in ("other.env", "none.env"):
        assert file in run("--env-file", file, "settings", code=2).stderr
