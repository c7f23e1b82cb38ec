"""A process that is told to stop ends with 0, whenever it is told and whichever thread hears it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from sandbox.bot_process import BotProcess
from tests.whole.scenarios.test_start import GOOD

NOWHERE = {"VR_HOST": "127.0.0.1:1", "SLACK_API_URL": "http://127.0.0.1:1/api/"}

RUN = "import sys; sys.argv = ['vr-unpair', 'run']; from bot.__main__ import main\n"

WHILE_IT_IMPORTS = """
import os, signal

class Host:
    def find_spec(self, name, path=None, target=None):
        if name == "bot.app":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.{name})

sys.meta_path.insert(0, Host())
main()
"""

HEARD_BY_ANOTHER_THREAD = """
import signal, threading

threading.Thread(target=threading.Event().wait, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
main()
"""
"""What the main thread waits for is not interrupted then. It is the same, but seldom, when it hears
the signal itself between its last look for one and the wait."""


class Around(BotProcess):
    code = ""

    def command(self) -> list[str]:
        return [sys.executable, "-c", RUN + self.code]


@pytest.fixture
def around(tmp_path: Path) -> Around:
    return Around({**GOOD, **NOWHERE}, tmp_path)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_told_while_it_imports(around: Around, name: str) -> None:
    around.code = WHILE_IT_IMPORTS.format(name=name)
    done = subprocess.run(
        around.command(), cwd=around.folder, env=around.environment, capture_output=True, timeout=60
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr.decode()


def test_told_when_its_main_thread_hears_nothing(around: Around) -> None:
    around.code = HEARD_BY_ANOTHER_THREAD
    around.start()
    # By the time this is answered, the main thread waits: `started` was the last that it did.
    assert requests.get(f"{around.url}/metrics", timeout=60).ok
    assert around.stop() == 0
