"""`vr-unpair demo` as a process: at a terminal and in CI, at a taken port, stopped."""

from __future__ import annotations

import ctypes
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60
DEMO = (sys.executable, "-m", "bot", "demo")


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("CI", "PORT")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


def bot_of(process: subprocess.Popen[Any]) -> int:
    """The process id of the real bot, its only child."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(children[0])


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def at_a_terminal(folder: Path, *args: str, **more: str) -> Iterator[tuple[Any, int]]:
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [*DEMO, *args],
            cwd=folder,
            env=environment(TERM="xterm", COLUMNS="120", **more),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            try:
                yield process, ours
            finally:
                if process.poll() is None:
                    process.terminate()
    finally:
        os.close(ours)


def read_until(terminal: int, words: bytes) -> bytes:
    said = b""
    while words not in said:
        try:
            said += os.read(terminal, 4096)
        except OSError as error:  # how Linux says that the other end is closed
            raise AssertionError(f"{words!r} was not said: {said!r}") from error
    return said


def test_at_a_terminal_the_page_is_served_at_the_next_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with at_a_terminal(tmp_path, "--port", port) as (process, terminal):
            said = read_until(terminal, b"Stop with Ctrl-C").decode()
            assert f"Port {port} is taken" in said
            found = re.search(r"http://127\.0\.0\.1:\d+/", said)
            assert found is not None
            assert f":{port}/" not in found.group()
            assert requests.get(found.group(), timeout=60).status_code == 200
            bot = bot_of(process)
            assert is_there(bot)
            # A terminal's Ctrl-C goes to the bot too, which the demo then asks to stop once more.
            os.killpg(process.pid, signal.SIGINT)
            assert b"Traceback" not in read_until(terminal, b"Everything has ended.")
            assert process.wait(PATIENCE_SECONDS) == 0
    assert not is_there(bot)
    with pytest.raises(requests.ConnectionError):
        requests.get(found.group(), timeout=60)
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_another_thread_gets_ends_it_too(tmp_path: Path) -> None:
    """The system gives it to any of them, and wakes that one alone."""
    with at_a_terminal(tmp_path) as (process, terminal):
        read_until(terminal, b"Stop with Ctrl-C")
        threads = [int(name) for name in os.listdir(f"/proc/{process.pid}/task")]
        other = next(thread for thread in threads if thread != process.pid)
        assert ctypes.CDLL(None).tgkill(process.pid, other, signal.SIGINT) == 0
        read_until(terminal, b"Everything has ended.")
        assert process.wait(PATIENCE_SECONDS) == 0


def test_a_terminal_in_ci_is_nobody(tmp_path: Path) -> None:
    with at_a_terminal(tmp_path, CI="true") as (process, terminal):
        read_until(terminal, b"No terminal here")
        read_until(terminal, b"The card is in the channel")
        bot = bot_of(process)
        assert is_there(bot)
        process.send_signal(signal.SIGHUP)
        assert process.wait(PATIENCE_SECONDS) == 128 + signal.SIGHUP
        assert not is_there(bot)


@pytest.mark.parametrize("args", [("--scripted", "--port", "9000"), ("--port", "65536")])
def test_wrong_use_is_one_sentence(tmp_path: Path, args: tuple[str, ...]) -> None:
    done = subprocess.run(
        [*DEMO, *args], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
