"""`python -m bot` and the console script: every command begins here. `run` is here too: one process
of the bot, from its first line to its exit code.

Only the standard library is imported at the top, since the handlers of signals come before the
imports of the bot, which take most of a start. And `run` is not in `cli.py`, because only the other
commands need typer: its 1.4 MB would stay in memory for months.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.settings import Settings

FINE = 0
PROBLEM = 1
"""One was found, or the bot could not start."""
WRONG_USE = 2
"""Of the command line, or of the settings. With FINE and PROBLEM, how every command ends."""
FOR_GOOD = 3
"""Of `run` alone: it ended for a reason that no new start would mend. A supervisor that restarts
everything else without end must leave this and WRONG_USE alone (`RestartPreventExitStatus`)."""

AGAIN_SECONDS = 2.0
"""Between two tries to start while the database is away. Each gives up by itself after some seconds
(`bot.store.postgres`)."""

_ENDED = b"\0"
"""Python writes the number of a signal into the pipe, and no signal has the number 0."""


def main() -> None:
    """The entry point of the console script."""
    if sys.argv[1:] == ["run"]:
        run()
    else:
        import_lean("bot.cli").main()


def run() -> None:
    """Run, and exit with the contract's exit code. Wrong settings are reported in sentences on
    stderr, never with a traceback."""
    stop = StopSignals()
    import_lean("bot.app")
    from bot.settings import SettingsError, load

    try:
        sys.exit(serve(load(), stop, again=load))
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(WRONG_USE)


def serve(settings: Settings, stop: StopSignals, again: Callable[[], Settings]) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code: 0 after such a stop, 1 when the bot
    could not start and another try may work, 3 when none would. A database server that is away is
    waited for, with `/readyz` at 503. `again` reads the settings once more: secrets change."""
    from bot.app import Bot
    from bot.operate import logs
    from bot.stop import stop as stop_in_order
    from bot.store.audit_trail import MayNotSign
    from bot.store.faults import StoreError
    from bot.store.migrate import Damaged, SchemaTooNew

    logs.set_up(settings.log_level, settings.log_format, settings.secrets())

    def end(sentence: str) -> None:
        _cannot_start(sentence)
        stop.end()

    try:
        bot = Bot(settings, end=end, again=again)
        told_to_stop = None
        while not bot.start() and told_to_stop is None:
            tell_systemd("READY=1", "STATUS=waits for the database: the journal says why")
            told_to_stop = stop.wait(AGAIN_SECONDS)
    except (SchemaTooNew, Damaged) as error:
        return _cannot_start(str(error), FOR_GOOD)
    except MayNotSign as error:
        return _cannot_start(str(error), WRONG_USE)
    except StoreError as error:
        if error.fault is not None:
            code = PROBLEM if error.fault.by_itself else FOR_GOOD
            return _cannot_start(error.fault.at_start(), code)
        return _cannot_start(f"The database cannot be used: {error}. DATABASE_URL names it.")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            which = "PORT" if settings.operate_port is None else "PORT or OPERATE_PORT"
            return _cannot_start(f"Another program listens on {which} already: set {which}.")
        return _cannot_start(f"HOST and PORT cannot be listened on: {error}.")
    if told_to_stop is None:
        tell_systemd("READY=1", "STATUS=serves")
    while told_to_stop is None:
        told_to_stop = stop.wait(watchdog_seconds())
    tell_systemd("STOPPING=1", "STATUS=drains")
    stop_in_order(bot)
    return FINE if told_to_stop else FOR_GOOD


def _cannot_start(sentence: str, code: int = PROBLEM) -> int:
    print(sentence, file=sys.stderr)
    return code


def tell_systemd(*words: str) -> None:
    """What `Type=notify` and `WatchdogSec=` of a unit wait for (sd_notify(3)). Elsewhere, nothing:
    without that variable nobody asked. A systemd that does not take it must not end the bot."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # a name without a file, which the kernel knows by its first byte
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.setblocking(False)
        to.sendto("\n".join(("WATCHDOG=1", *words)).encode(), address)


def watchdog_seconds() -> float | None:
    """How often systemd wants to hear from us, three times in its limit, having been told that we
    are alive; None where it does not ask."""
    limit = os.environ.get("WATCHDOG_USEC", "")
    if not limit.isdecimal() or not int(limit):
        return None
    tell_systemd()
    return int(limit) / 3_000_000


class StopSignals:
    """SIGTERM, SIGINT and `more`: none is lost from here to the end of the wait. To be made before
    anything else: without handlers, a SIGTERM during the imports would kill the process (code -15),
    and for process 1 of a container the kernel would drop it.

    The wait reads a pipe that Python writes to when the signal arrives. A wait for a queue or a
    lock would sleep on if the signal came just before it began, or to another thread. The host
    would then kill a process that should have finished its work.
    """

    def __init__(self, *more: int) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)  # `set_wakeup_fd` requires it
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, *more):
            signal.signal(number, lambda *_: None)

    def end(self) -> None:
        """Ends the wait from any thread."""
        os.write(self._writing, _ENDED)

    def wait(self, seconds: float | None = None) -> bool | None:
        """Waits for a signal or for `end`. Whether it was a signal that came first; None if neither
        came in this time."""
        if not select.select([self._reading], [], [], seconds)[0]:
            return None
        return os.read(self._reading, 1) != _ENDED


def import_lean(name: str) -> Any:
    """The module of that name, imported without garbage collection: a third of a start's time and a
    twentieth of its memory were spent there.

    What an import creates stays until the process ends. Searching it for garbage again and again
    took a tenth of a start. It is frozen afterwards, so later collections leave it out as well.
    """
    looking = gc.isenabled()
    gc.disable()
    try:
        _structlog_without_rich()
        return import_module(name)
    finally:
        gc.freeze()
        if looking:
            gc.enable()


def _structlog_without_rich() -> None:
    """structlog imports rich for its tracebacks, which costs 4 MB and 50 ms. They are never used
    here, since they print local variables and with them secrets (`bot.operate.logs`). None hides a
    module from imports (Python docs, the import system); code that prints tables imports it
    later."""
    if "rich" in sys.modules or "structlog" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import_module("structlog")
    finally:
        del sys.modules["rich"]


if __name__ == "__main__":
    main()
