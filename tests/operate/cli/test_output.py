"""What is printed arrives whole, or the exit code says that it did not; never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bot
from bot.request.model import State
from bot.store.database import Database
from tests.store.samples import born


def vr_unpair(
    *words: str, stdout: int = subprocess.PIPE, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(bot.__file__).parents[1]),
            "DATABASE_URL": "sqlite:///cli.db",
            "PYTHONIOENCODING": encoding,
        },
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
    )


@pytest.fixture
def ask(db: Database) -> str:
    return born(db, 2, State.PENDING, asked="Prague → Brno").id


COMMANDS = [
    ("audit", "export"),
    ("requests",),
    ("requests", "--json"),
    ("manifest",),
    ("--help",),
]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_reader_that_goes_away_is_no_noise(ask: str, words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = vr_unpair(*words, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("words", [*COMMANDS, ("check",)])
def test_a_full_disk_is_a_sentence(ask: str, words: tuple[str, ...]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        done = vr_unpair(*words, stdout=full)
    finally:
        os.close(full)
    assert done.stderr == "The output cannot be written: No space left on device.\n"
    assert done.returncode == 1


def test_more_at_once_than_is_buffered(db: Database) -> None:
    for number in range(1, 40):
        born(db, number)
    test_a_full_disk_is_a_sentence("", ("requests", "--json"))


def test_people_see_what_their_terminal_cannot_show_in_ascii(ask: str) -> None:
    done = vr_unpair("requests", encoding="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\u2192" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("requests", "--json"),
        ("show", "ID", "--json"),
        ("audit", "export"),
        ("audit", "export", "--format", "csv"),
    ],
)
def test_machines_get_utf_8(ask: str, words: tuple[str, ...]) -> None:
    typed = [ask if word == "ID" else word for word in words]
    done = vr_unpair(*typed, encoding="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ö" in done.stdout or "→" in done.stdout
    assert done.stdout == vr_unpair(*typed).stdout
