"""`python -m tests.support.forked.server`: has imported what a bot imports, and forks one for each
order.

Its stdin is the connection to whoever orders; when that is closed, it ends. It starts no thread, so
that nothing of another thread is half done in what it forks.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle

from bot.__main__ import import_lean


@dataclass(frozen=True)
class Order:
    """What is to be forked: `python -m MODULE ARGUMENTS`, and where."""

    module: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: str


ON_ITS_WAY = ("alembic.command", "alembic.config", "bot.store.postgres")
"""What a start imports only where it needs it."""


def next_fork() -> Order:
    """Returns in what was forked, and there alone."""
    signal.signal(signal.SIGCHLD, forget_keepers)
    connection = Connection(os.dup(0))
    while True:
        try:
            order: Order = connection.recv()
        except EOFError:
            sys.exit()
        stdout, stderr, status = (recv_handle(connection) for _ in range(3))
        if os.fork() == 0:
            connection.close()
            if keep(stdout, stderr, status):
                return order
        for handle in (stdout, stderr, status):
            os.close(handle)


def forget_keepers(*_: object) -> None:
    """Waited for, not ignored: only so `time` counts what the bots have used."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def keep(stdout: int, stderr: int, status: int) -> bool:
    """Forks once more and waits for that: only its parent learns how a process has ended. True in
    what is to become the bot; the keeper never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        os.close(status)
        for place, own in enumerate((os.open(os.devnull, os.O_RDONLY), stdout, stderr)):
            os.dup2(own, place)
            os.close(own)
        return True
    # With these open, nobody would see the end of its words.
    for handle in (0, 1, 2, stdout, stderr):
        os.close(handle)
    with closing(Connection(status)) as told:
        told.send(child)
        _, ended = os.waitpid(child, 0)
        told.send(os.waitstatus_to_exitcode(ended))
    os._exit(0)


if __name__ == "__main__":
    for name in ("bot.app", "bot.cli", *ON_ITS_WAY):
        import_lean(name)
    wanted = next_fork()
    os.chdir(wanted.folder)
    os.environ.clear()
    os.environ.update(wanted.environment)
    sys.argv[1:] = wanted.arguments
    more = wanted.environment.get("PYTHONPATH", "")
    sys.path[:1] = [wanted.folder, *filter(None, more.split(os.pathsep))]
    sys.modules.pop("bot.__main__", None)  # or runpy warns that it is there before it runs it
    runpy.run_module(wanted.module, run_name="__main__", alter_sys=True)
