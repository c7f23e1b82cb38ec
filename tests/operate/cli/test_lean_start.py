"""What a start does not import: each of these is megabytes and milliseconds of every `run`."""

from __future__ import annotations

import subprocess
import sys
from tempfile import TemporaryDirectory

import pytest

FOR_OTHERS = {
    "alembic": "a start on a database that is up to date",
    "psycopg": "a start on SQLite",
    "regex": "a start without REASON_PATTERN",
    "rich": "a command that prints no table",
    "starlette": "a start without the sandbox",
    "typer": "what is typed as `vr-unpair run` alone",
}


ENDS = "contextlib.suppress(SystemExit)"


@pytest.mark.parametrize("name", FOR_OTHERS)
def test_the_bot_starts_without(name: str) -> None:
    """As `vr-unpair run` imports it; without settings it goes no further."""
    act = f"sys.argv = ['vr-unpair', 'run']; from bot.__main__ import main\nwith {ENDS}: main()"
    assert printed(act, "'bot.app' in sys.modules") == "True"
    assert printed(act, f"{name!r} in sys.modules") == "False", FOR_OTHERS[name]


def test_the_entry_imports_lean() -> None:
    act = "sys.argv = ['vr-unpair', '--version']; from bot.__main__ import main"
    assert printed(f"{act}\nwith {ENDS}: main()", "'rich' in sys.modules").endswith("False")


def test_garbage_is_collected_again_afterwards() -> None:
    act = "from bot.__main__ import import_lean; import_lean('json')"
    assert printed(act, "gc.isenabled()") == "True"


def printed(act: str, shown: str) -> str:
    """What a process of its own, without any settings, prints of it afterwards."""
    code = f"import contextlib, gc, sys\n{act}\nprint({shown})"
    command = [sys.executable, "-c", code]
    with TemporaryDirectory() as empty:
        done = subprocess.run(
            command, cwd=empty, env={}, capture_output=True, text=True, check=True
        )
    return done.stdout.strip()
