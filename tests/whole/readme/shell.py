"""A page's block typed into an ordinary shell: no setting of the bot, no virtual environment of the
test's."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from sandbox.bot_process import KEPT_FROM_ENVIRONMENT

PATIENCE_SECONDS = 60.0
INSTALL_SECONDS = 300
"""For one block: a package registry may be slow."""


def environment() -> dict[str, str]:
    kept = {k: os.environ[k] for k in KEPT_FROM_ENVIRONMENT if k in os.environ}
    kept.pop("VIRTUAL_ENV", None)
    return kept


def run(
    folder: Path, block: str, *, shell: str = "/bin/sh", typed: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """`typed` is what the operator answers, `more` is added to the environment."""
    return subprocess.run(
        [shell, "-c", block],
        cwd=folder,
        env=environment() | more,
        input=typed,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )


def say(folder: Path, block: str, **how: str) -> str:
    """What it printed; it must have worked."""
    done = run(folder, block, **how)
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def fill(file: Path, **settings: str) -> None:
    """Takes the `#` off a line and puts the value in, as the README says."""
    text = file.read_text(encoding="utf-8")
    for name, value in settings.items():
        text, count = re.subn(rf"(?m)^#?{name}=.*$", f"{name}={value}", text)
        assert count == 1, name
    file.write_text(text, encoding="utf-8")
