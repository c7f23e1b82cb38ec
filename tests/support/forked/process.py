"""A bot, or an operator's command, as a process of its own, begun where the imports have ended.

Imports are nine tenths of what a start costs, the same in each of hundreds of starts. All else is
as with `python -m bot run`: a process with its own id, memory and file descriptors, that is killed,
frozen and told to stop as any other. What is about the start itself, imports included, starts a
`BotProcess` or a command.
"""

from __future__ import annotations

import atexit
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path
from typing import IO, Any, cast

from sandbox.bot_process import BotProcess
from tests.support.forked.server import Order

ROOT = Path(__file__).parents[3]


class ForkedBot(BotProcess):
    module = "bot"

    def launch(self) -> subprocess.Popen[str]:
        order = Order(self.module, ("run",), self.environment, str(self.folder))
        words, stderr = os.pipe()
        with open(os.devnull, "w") as nowhere, open(stderr, "w") as theirs:
            process = Forked(order, nowhere, theirs)
        process.stderr = os.fdopen(words)
        return cast(subprocess.Popen[str], process)


def run(order: Order, patience_seconds: float) -> subprocess.CompletedProcess[str]:
    """As `subprocess.run` with `capture_output` and `text`."""
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        process = Forked(order, stdout, stderr)
        try:
            code = process.wait(patience_seconds)
        finally:
            process.kill()
        stdout.seek(0)
        stderr.seek(0)
        return subprocess.CompletedProcess(order.arguments, code, stdout.read(), stderr.read())


class Forked:
    """As much of `subprocess.Popen` as `BotProcess` needs."""

    stderr: IO[str] | None = None

    def __init__(self, order: Order, stdout: IO[str], stderr: IO[str]) -> None:
        told, status = os.pipe()
        with open(status, "wb") as theirs:
            _server().forks(order, stdout, stderr, theirs)
        self._status = Connection(told)
        self._lock = threading.Lock()
        self._ended: int | None = None
        self.pid: int = self._status.recv()

    def poll(self) -> int | None:
        return self._look(0.0)

    def wait(self, seconds: float | None = None) -> int:
        code = self._look(seconds)
        if code is None:
            raise subprocess.TimeoutExpired("a forked bot", seconds or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(9)

    def _look(self, seconds: float | None) -> int | None:
        """Whoever waits holds up nobody who only looks."""
        if self._ended is None:
            select.select([self._status], [], [], seconds)
        with self._lock:
            if self._ended is None and self._status.poll():
                self._ended = self._status.recv()
            return self._ended


class Server:
    """`tests.support.forked.server`. It ends when this process does, however that ends."""

    def __init__(self) -> None:
        ours, its = socket.socketpair()
        with ours, its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forked.server"],
                cwd=ROOT,
                stdin=its.fileno(),
                stdout=subprocess.DEVNULL,
            )
            self._connection = Connection(ours.detach())
        self._lock = threading.Lock()

    def forks(self, order: Order, *files: IO[Any]) -> None:
        with self._lock:
            self._connection.send(order)
            for file in files:
                send_handle(self._connection, file.fileno(), self._process.pid)

    def end(self) -> None:
        self._connection.close()
        self._process.wait()


@cache
def _server() -> Server:
    server = Server()
    atexit.register(server.end)
    return server
