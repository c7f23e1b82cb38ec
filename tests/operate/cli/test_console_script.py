"""The console script itself: its help and completion, that what it prints arrives whole or the exit
code says that it did not, and what its start does not import."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import bot
from bot.cli import app
from bot.request.model import State
from bot.store.database import Database
from tests.operate.cli.conftest import Run
from tests.store.samples import born

AS_SCRIPT = "import sys; sys.argv = ['vr-unpair', *sys.argv[1:]]; from bot.__main__ import main"


def python(code: str, *words: str, stdout: int = subprocess.PIPE, **environ: str) -> Any:
    """A process of its own, with no settings but these."""
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(bot.__file__).parents[1]),
            **environ,
        },
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
    )


# ---- help and completion -------------------------------------------------------------------------


def commands(made: Any, *words: str) -> Iterator[tuple[str, ...]]:
    yield words
    for name, command in getattr(made, "commands", {}).items():
        yield from commands(command, *words, name)


@pytest.mark.parametrize("words", list(commands(typer.main.get_command(app))), ids=" ".join)
def test_help_under_both_names_with_an_example(run: Run, words: tuple[str, ...]) -> None:
    said = run(*words, "-h").stdout
    assert said == run(*words, "--help").stdout
    assert said.startswith(f"Usage: vr-unpair {' '.join(words)}".rstrip())
    assert "..." not in re.sub(r"\[(ARGS|COMMAND)\]\.{3}", "", said), "a sentence that was cut"
    assert max(map(len, said.splitlines())) <= 80
    assert re.search(rf"vr-unpair (--env-file \S+ )?{' '.join(words)}\b", said.split("Example")[1])
    assert "<int" not in said
    if words == ():
        assert "Exit codes: 0 fine, 1 a problem was found, 2 wrong usage or settings." in said
        assert "3: no new start would help" in said


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("nothing",), "nothing"),
        (("requests", "--state", "x"), "--state"),
        (("requests", "--limit", str(2**63)), "--limit"),
        (("audit", "export", "--since", "-1"), "--since"),
        (("audit", "export", "--since", str(2**63)), "--since"),
        (("help", "nothing"), "nothing"),
        (("show",), "ID"),
        (("requests", "one"), "one"),
        (("audit", "nothing"), "nothing"),
        (("check", "--jsn"), "--jsn"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_sentence(run: Run, words: Any, names: str) -> None:
    done = run(*words, code=2)
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert names in sentence
    assert "Value error" not in sentence
    assert re.search(r"See `vr-unpair( \w+)* -h`\.$", sentence)


def test_help_and_version_are_commands_too(run: Run) -> None:
    assert run("help").stdout == run("-h").stdout
    assert run("help", "audit", "verify").stdout == run("audit", "verify", "-h").stdout
    for words in (("version",), ("-V",), ("--version",)):
        assert run(*words).stdout == f"{bot.__version__}\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("vr-unpair re", ["requests"]),
        ("vr-unpair audit ", ["export", "new-key", "add-key", "verify"]),
        ("vr-unpair requests --state pe", ["pending"]),
    ],
)
def test_a_word_is_completed(typed: str, offered: list[str]) -> None:
    asked = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)}
    done = python(f"{AS_SCRIPT}; main()", _VR_UNPAIR_COMPLETE="complete_bash", **asked)
    assert done.stdout.split() == offered


# ---- output --------------------------------------------------------------------------------------


@pytest.fixture
def ask(db: Database) -> str:
    for number in range(3, 40):  # more at once than is buffered
        born(db, number)
    return born(db, 2, State.PENDING, asked="Prague → Brno").id


def printed(*words: str, stdout: int = subprocess.PIPE, encoding: str = "utf-8") -> Any:
    environ = {"DATABASE_URL": "sqlite:///cli.db", "PYTHONIOENCODING": encoding}
    return python(f"{AS_SCRIPT}; main()", *words, stdout=stdout, **environ)


COMMANDS = [("audit", "export"), ("requests",), ("requests", "--json"), ("manifest",), ("--help",)]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_reader_that_goes_away_is_no_noise(ask: str, words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = printed(*words, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("words", [*COMMANDS, ("check",)])
def test_a_full_disk_is_a_sentence(ask: str, words: tuple[str, ...]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    done = printed(*words, stdout=full)
    os.close(full)
    assert done.stderr == "The output cannot be written: No space left on device.\n"
    assert done.returncode == 1


def test_people_see_what_their_terminal_cannot_show_in_ascii(ask: str) -> None:
    done = printed("requests", encoding="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\u2192" in done.stdout


@pytest.mark.parametrize(
    "words", [("requests", "--json"), ("audit", "export"), ("audit", "export", "--format", "csv")]
)
def test_machines_get_utf_8(ask: str, words: tuple[str, ...]) -> None:
    done = printed(*words, encoding="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ö" in done.stdout or "→" in done.stdout


def test_a_port_that_is_taken_names_what_to_set(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        environ = {
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_SIGNING_SECRET": "signing",
            "SLACK_API_URL": "http://127.0.0.1:1/api/",
            "VR_HOST": "127.0.0.1:1",
            "VR_USERNAME": "user",
            "VR_PASSWORD": "password",
            "APPROVERS": "U1",
            "DATABASE_URL": f"sqlite:///{tmp_path}/bot.db",
            "HOST": "127.0.0.1",
            "PORT": str(other.getsockname()[1]),
        }
        done = python(f"{AS_SCRIPT}; main()", "run", **environ)
    assert done.stderr.splitlines()[-1] == "Another program listens on PORT already: set PORT."
    assert done.returncode == 1


# ---- a lean start --------------------------------------------------------------------------------

FOR_OTHERS = {
    "alembic": "a start on a database that is up to date",
    "psycopg": "a start on SQLite",
    "regex": "a start without REASON_PATTERN",
    "rich": "a command that prints no table",
    "starlette": "a start without the sandbox",
    "typer": "what is typed as `vr-unpair run` alone",
}
"""Each of these is megabytes and milliseconds of every `run`."""


def test_the_bot_starts_without_what_others_need(tmp_path: Path) -> None:
    """As `vr-unpair run` imports it; without settings it goes no further."""
    act = f"{AS_SCRIPT}\ntry: main()\nexcept SystemExit: pass"
    code = f"{act}\nimport gc; print(gc.isenabled(), 'bot.app' in sys.modules, *sys.modules)"
    enabled, there, *modules = python(
        f"import os; os.chdir({str(tmp_path)!r})\n{code}", "run"
    ).stdout.split()
    assert (enabled, there) == ("True", "True")
    assert not set(FOR_OTHERS) & set(modules)


def test_other_commands_start_without_rich() -> None:
    code = f"{AS_SCRIPT}\ntry: main()\nexcept SystemExit: pass\nprint('rich' in sys.modules)"
    assert python(code, "--version").stdout.splitlines()[-1] == "False"


def test_where_the_sandbox_is_left_out_the_demo_says_so() -> None:
    done = python(f"{AS_SCRIPT}; sys.modules['sandbox'] = None; main()", "demo", "--scripted")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The demo is not in this installation:")
    assert done.stderr.count("\n") == 1
