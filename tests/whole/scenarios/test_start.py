"""What stops a start, as a process: exit code 2 and a sentence for each wrong setting."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from sandbox.bot_process import KEPT_FROM_ENVIRONMENT
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


def test_each_wrong_setting_has_one_sentence_and_nothing_is_made(tmp_path: Path) -> None:
    wrong = {"APPROVAL_TTL": "soon", "REASON_PATTERN": "CHG(", "SLACK_APP_TOKEN": "xapp-1-no"}
    done = run(tmp_path, {**GOOD, "VR_HOST": "", **wrong})
    assert (done.returncode, done.stdout) == (2, "")
    sentences = done.stderr.splitlines()
    for name in ("VR_HOST ", "APPROVAL_TTL ", "REASON_PATTERN ", "SLACK_APP_TOKEN "):
        assert len([s for s in sentences if s.startswith(name)]) == 1, sentences
    assert len(sentences) == 4
    assert list(tmp_path.iterdir()) == []
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "VR_PASSWORD"):
        assert GOOD[name] not in done.stderr


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run(tmp_path, {**GOOD, "PORT": port})
    assert done.returncode == 1
    assert "PORT" in done.stderr.splitlines()[-1]
