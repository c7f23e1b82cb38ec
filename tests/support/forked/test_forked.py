"""What is forked is the bot as `python -m bot run` starts it, and ends as any process does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.forked.process import Forked, run
from tests.support.forked.server import Order
from tests.whole.scenarios.test_start import GOOD

CODE = """
import json, os, signal, sys, threading
print(json.dumps({
    "arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ),
    "name": __name__, "threads": threading.active_count(), "open": sorted(os.listdir("/dev/fd")),
    "input": sys.stdin.read(), "asked to stop": str(signal.getsignal(signal.SIGTERM)),
    "children": str(signal.getsignal(signal.SIGCHLD)),
    "blocked": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
}), file=sys.stderr)
"""


@contextmanager
def forked(
    folder: Path, code: str, *arguments: str, module: str = "told", **environment: str
) -> Iterator[Forked]:
    (folder / "told.py").write_text(code)
    words, stderr = os.pipe()
    with open(stderr, "w") as theirs:
        order = Order(module, arguments, environment, str(folder))
        process = Forked(order, stdout=theirs, stderr=theirs)
    process.stderr = os.fdopen(words)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def first_word_of(process: Forked) -> str:
    assert process.stderr
    return process.stderr.readline()


def words_of(process: Forked) -> str:
    assert process.stderr
    return process.stderr.read()


def test_it_finds_what_a_process_of_its_own_finds(tmp_path: Path) -> None:
    settings = {"PATH": os.environ["PATH"], "LC_CTYPE": "C.UTF-8", "PYTHONPATH": str(tmp_path)}
    (tmp_path / "told.py").write_text(CODE)
    usual = subprocess.run(
        [sys.executable, "-m", "told", "run", "now"],
        cwd=tmp_path,
        env=settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    with forked(tmp_path, CODE, "run", "now", **settings) as process:
        assert words_of(process) == usual
        assert process.wait(10) == 0


def test_two_at_once_know_nothing_of_each_other(tmp_path: Path) -> None:
    asks = "import os, sys, time; print(os.environ['WHO'], file=sys.stderr); time.sleep(60)"
    with (
        forked(tmp_path, asks, WHO="one") as one,
        forked(tmp_path, asks, WHO="two") as two,
    ):
        assert one.pid != two.pid
        assert (first_word_of(one), first_word_of(two)) == ("one\n", "two\n")
        one.kill()
        assert one.wait(10) == -signal.SIGKILL
        assert words_of(one) == ""
        assert two.poll() is None


@pytest.mark.parametrize(
    ("code", "ended"), [("", 0), ("raise SystemExit(3)", 3), ("raise OSError", 1)]
)
def test_its_exit_code(tmp_path: Path, code: str, ended: int) -> None:
    with forked(tmp_path, code) as process:
        assert process.wait(10) == ended
        assert ("Traceback" in words_of(process)) == (ended == 1)


def test_a_command_has_its_two_ways_out(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text("import sys; print('out'); sys.exit('wrong')")
    done = run(Order("told", (), {}, str(tmp_path)), 10)
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "wrong\n", 1)


def test_it_is_the_bot(tmp_path: Path) -> None:
    """With wrong settings, since those who start it well are all the scenarios."""
    with forked(tmp_path, "", "run", module="bot", **{**GOOD, "APPROVERS": "alan"}) as process:
        assert process.wait(10) == 2
        assert words_of(process).startswith("APPROVERS ")
