"""A bot as a process of its own, that begins where the imports of a start have ended.

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
import threading
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path

from bot.sandbox.bot_process import BotProcess
from tests.forked.order import Order

ROOT = Path(__file__).parents[2]


class ForkedBot(BotProcess):
    def launch(self) -> Forked:
        return Forked(Order(self.module, ("run",), self.environment, str(self.folder)))


class Forked:
    """As much of `subprocess.Popen` as `BotProcess` needs."""

    def __init__(self, order: Order) -> None:
        words, stderr = os.pipe()
        told, status = os.pipe()
        _server().forks(order, stderr, status)
        os.close(stderr)
        os.close(status)
        self.stderr = os.fdopen(words)
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
    """`tests.forked.server`. It ends when this process does, however that ends."""

    def __init__(self) -> None:
        ours, its = socket.socketpair()
        with ours, its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked.server"], cwd=ROOT, stdin=its
            )
            self._connection = Connection(ours.detach())
        self._lock = threading.Lock()

    def forks(self, order: Order, *handles: int) -> None:
        with self._lock:
            self._connection.send(order)
            for handle in handles:
                send_handle(self._connection, handle, self._process.pid)

    def end(self) -> None:
        self._connection.close()
        self._process.wait()


@cache
def _server() -> Server:
    server = Server()
    atexit.register(server.end)
    return server
