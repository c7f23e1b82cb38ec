"""`vr-unpair run`: one process of the bot, from its first line to its exit code.

Only the standard library is imported at the top, since the handlers of signals come before the
imports of the bot, which take most of a start. And it is not in `cli.py`, because only the other
commands need typer: its 1.4 MB would stay in memory for months.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.settings import Settings

FINE = 0
PROBLEM = 1
"""One was found, or the bot could not start."""
WRONG_USE = 2
"""Of the command line, or of the settings. With FINE and PROBLEM, how every command ends."""

_ENDED = b"\0"
"""Python writes the number of a signal into the pipe, and no signal has the number 0."""


def main() -> None:
    """Run, and exit with the contract's exit code. Wrong settings are reported in sentences on
    stderr, never with a traceback."""
    stop = StopSignals()
    import_lean("bot.app")
    from bot.settings import SettingsError, load

    try:
        sys.exit(serve(load(to_run=True), stop))
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(WRONG_USE)


def serve(settings: Settings, stop: StopSignals) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code: 0 after such a stop, 1 when the bot
    could not start or ended by itself."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    from bot.app import Bot
    from bot.operate import logs
    from bot.parts import secrets_of
    from bot.store.faults import fault_of
    from bot.store.migrate import Damaged, SchemaTooNew

    logs.set_up(settings.log_level, settings.log_format, secrets_of(settings))

    def end(sentence: str) -> None:
        _cannot_start(sentence)
        stop.end()

    try:
        bot = Bot(settings, end=end)
        bot.start()
    except (SchemaTooNew, Damaged) as error:
        return _cannot_start(str(error))
    except SQLAlchemyError as error:
        fault = fault_of(error, make_url(settings.database_url.get_secret_value()))
        if fault is not None:
            return _cannot_start(fault.at_start())
        reason = getattr(error, "orig", None) or type(error).__name__
        return _cannot_start(f"The database cannot be used: {reason}. DATABASE_URL names it.")
    except OSError as error:
        return _cannot_start(f"HOST and PORT cannot be listened on: {error}.")
    told_to_stop = stop.wait()
    bot.stop()
    return FINE if told_to_stop else PROBLEM


def _cannot_start(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return PROBLEM


class StopSignals:
    """SIGTERM and SIGINT, none of which is lost from here to the end of the wait. To be made before
    anything else: without handlers, a SIGTERM during the imports would kill the process (code -15),
    and for process 1 of a container the kernel would drop it.

    The wait reads a pipe that Python writes to when the signal arrives. A wait for a queue or a
    lock would sleep on if the signal came just before it began, or to another thread. The host
    would then kill a process that should have finished its work.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)  # `set_wakeup_fd` requires it
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)

    def end(self) -> None:
        """Ends the wait from any thread."""
        os.write(self._writing, _ENDED)

    def wait(self) -> bool:
        """Waits for a signal or for `end`. Whether it was a signal that came first."""
        return os.read(self._reading, 1) != _ENDED


class Deadline:
    """The time for one stop, which all of its parts share. Hosts kill a process ten seconds after
    they told it to stop. If each part had its own limit, two parts that hang would take longer than
    that, and later parts would be killed half-way."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._began = monotonic()
        self._by = self._began + seconds

    def left(self, most: float | None = None) -> float:
        """Seconds that are left, never below 0; at most `most` of them for one part."""
        left = max(0.0, self._by - self._monotonic())
        return left if most is None else min(most, left)

    def passed(self) -> float:
        """Seconds since the stop began."""
        return self._monotonic() - self._began

    def within(self, close: Callable[[], None], *, at_least_s: float = 0.0) -> bool:
        """Runs `close`, which has no time limit of its own. Whether it ended in the time left, or
        in `at_least_s` if that is more. It runs in a daemon thread, which ends with the process."""
        closing = threading.Thread(target=close, name="close", daemon=True)
        closing.start()
        closing.join(max(self.left(), at_least_s))
        return not closing.is_alive()


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
