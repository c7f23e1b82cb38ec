"""Shell completion, as a shell asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bot

START = "import sys; sys.argv = ['vr-unpair', *sys.argv[1:]]; from bot.cli import main; main()"


def vr_unpair(*words: str, **environ: str) -> str:
    """The console script, which is known to the shell by its name."""
    done = subprocess.run(
        [sys.executable, "-c", START, *words],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(bot.__file__).parents[1]),
            **environ,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("vr-unpair re", ["requests"]),
        ("vr-unpair ma", ["manifest"]),
        ("vr-unpair audit ", ["export", "verify"]),
        ("vr-unpair requests --state pe", ["pending"]),
        ("vr-unpair show --fo", ["--follow"]),
    ],
)
def test_a_word_is_completed(typed: str, offered: list[str]) -> None:
    words = typed.split(" ")
    found = vr_unpair(
        _VR_UNPAIR_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=str(len(words) - 1)
    )
    assert found.split() == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell(shell: str) -> None:
    script = vr_unpair(_VR_UNPAIR_COMPLETE=f"source_{shell}")
    assert "_VR_UNPAIR_COMPLETE" in script
    assert "vr-unpair" in script
