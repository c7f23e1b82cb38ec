"""What a start does not import: each of these is megabytes and milliseconds of every `run`."""

from __future__ import annotations

import subprocess
import sys

import pytest

FOR_OTHERS = {
    "alembic": "a start on a database that is up to date",
    "psycopg": "a start on SQLite",
    "regex": "a start without REASON_PATTERN",
    "rich": "a command that prints no table",
    "starlette": "a start without the sandbox",
}


@pytest.mark.parametrize("name", FOR_OTHERS)
def test_the_bot_starts_without(name: str) -> None:
    """`bot.app` imported as `run` does."""
    imports = "import_lean('bot.cli'); import_lean('bot.app')"
    shown = printed(f"from bot.importing import import_lean; {imports}", f"{name!r} in sys.modules")
    assert shown == "False", FOR_OTHERS[name]


def test_the_entry_imports_lean() -> None:
    act = "sys.argv = ['vr-unpair', '--version']; from bot.__main__ import main"
    ends = "contextlib.suppress(SystemExit)"
    assert printed(f"{act}\nwith {ends}: main()", "'rich' in sys.modules").endswith("False")


def test_garbage_is_collected_again_afterwards() -> None:
    act = "from bot.importing import import_lean; import_lean('json')"
    assert printed(act, "gc.isenabled()") == "True"


def printed(act: str, shown: str) -> str:
    """What a process of its own prints of it afterwards."""
    code = f"import contextlib, gc, sys\n{act}\nprint({shown})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
