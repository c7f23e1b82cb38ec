"""What is forked is the bot as `python -m bot run` starts it, and ends as any process does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.forked.process import run
from tests.support.forked.server import Order

CODE = """
import json, os, signal, sys, threading
print(json.dumps({
    "arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ),
    "name": __name__, "threads": threading.active_count(), "open": sorted(os.listdir("/dev/fd")),
    "input": sys.stdin.read(), "asked to stop": str(signal.getsignal(signal.SIGTERM)),
    "children": str(signal.getsignal(signal.SIGCHLD)),
    "blocked": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
}))
sys.exit("wrong")
"""


def test_it_finds_what_a_process_of_its_own_finds_and_ends_as_it_does(tmp_path: Path) -> None:
    settings = {"PATH": os.environ["PATH"], "LC_CTYPE": "C.UTF-8", "PYTHONPATH": str(tmp_path)}
    (tmp_path / "told.py").write_text(CODE)
    usual = subprocess.run(
        [sys.executable, "-m", "told", "run", "now"],
        cwd=tmp_path,
        env=settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    done = run(Order("told", ("run", "now"), settings, str(tmp_path)), 10)
    ours, theirs = ((p.stdout, p.stderr, p.returncode) for p in (done, usual))
    assert ours == theirs
    assert theirs[1:] == ("wrong\n", 1)
