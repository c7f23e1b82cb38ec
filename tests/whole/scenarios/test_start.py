"""`vr-unpair run` with settings that are wrong, and with a port that is taken."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from bot.sandbox.bot_process import KEPT_FROM_ENVIRONMENT
from tests.support.console import Console

GOOD = {
    "SLACK_BOT_TOKEN": "xoxb-not-a-real-one",
    "SLACK_SIGNING_SECRET": "not-a-real-secret",
    "VR_HOST": "vr.example.net",
    "VR_USERNAME": "bot@vsphere.local",
    "VR_PASSWORD": "not-a-real-password",
    "APPROVERS": "U0ALAN",
    "HOST": "127.0.0.1",
}


def run(folder: Path, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in KEPT_FROM_ENVIRONMENT if name in os.environ}
    return Console({**kept, **settings}, folder).run("run")


def refused(folder: Path, settings: dict[str, str]) -> list[str]:
    """The sentences on stderr; nothing was made, and no secret is among them."""
    done = run(folder, settings)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert list(folder.iterdir()) == []
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "VR_PASSWORD"):
        assert GOOD[name] not in done.stderr
    return done.stderr.splitlines()


def test_each_missing_setting_has_one_sentence(tmp_path: Path) -> None:
    sentences = refused(tmp_path, {})
    for name in ("SLACK_BOT_TOKEN", "VR_HOST", "VR_USERNAME", "VR_PASSWORD", "APPROVERS"):
        assert len([s for s in sentences if s.startswith(f"{name} ")]) == 1, sentences
    assert all(s.endswith(".") for s in sentences)


def test_no_way_in_is_said(tmp_path: Path) -> None:
    settings = {k: v for k, v in GOOD.items() if k != "SLACK_SIGNING_SECRET"}
    (sentence,) = refused(tmp_path, settings)
    assert "SLACK_SIGNING_SECRET" in sentence
    assert "SLACK_APP_TOKEN" in sentence


def test_two_ways_in_are_said(tmp_path: Path) -> None:
    (sentence,) = refused(tmp_path, {**GOOD, "SLACK_APP_TOKEN": "xapp-1-not-real"})
    assert "SLACK_SIGNING_SECRET and SLACK_APP_TOKEN are both set" in sentence


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("BREAK_GLASS", "alan", "BREAK_GLASS"),
        ("DATABASE_URL", "postgres://localhost/x", "postgresql+psycopg://"),
        ("APPROVAL_TTL", "soon", "APPROVAL_TTL"),
        ("VR_CALLS_PER_MINUTE", "100001", "100000"),
        ("REASON_PATTERN", "CHG(", "REASON_PATTERN"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, setting: str, value: str, said: str) -> None:
    sentences = refused(tmp_path, {**GOOD, setting: value})
    assert [s for s in sentences if s.startswith(setting) and said in s], sentences
    assert len(sentences) == 1


def test_sqlite_on_a_disk_that_is_wiped(tmp_path: Path) -> None:
    (sentence,) = refused(tmp_path, {**GOOD, "DYNO": "web.1"})
    assert sentence.startswith("DATABASE_URL ")
    assert "PostgreSQL" in sentence


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run(tmp_path, {**GOOD, "PORT": port})
    assert done.returncode == 1
    assert "PORT" in done.stderr.splitlines()[-1]
    assert "in use" in done.stderr
