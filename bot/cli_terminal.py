"""How the commands speak to a terminal: wrong use in one sentence, and what takes long."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Self, TextIO

import typer
from typer.core import TyperGroup

from bot.__main__ import WRONG_USE
from bot.settings import SettingsError

SILENT_SECONDS = 2.0
"""A person waits so long without asking whether it hangs."""

_UsageError = typer.BadParameter.__base__  # typer has no public name for it


class Commands(TyperGroup):
    """Wrong use is one sentence on stderr, wrong settings one for each, and the exit code 2."""

    def main(self, *args: Any, **more: Any) -> Any:
        standalone = more.pop("standalone_mode", True)
        try:
            code = super().main(*args, **{**more, "standalone_mode": False})
        except _UsageError as error:  # type: ignore[misc]
            if error.ctx is None or "NoArgs" in type(error).__name__:
                error.show()  # the help
            else:
                # "Value error": what pydantic puts before a sentence that is complete.
                said = error.format_message().replace("Value error, ", "").rstrip(".")
                print(f"{said}. See `{error.ctx.command_path} -h`.", file=sys.stderr)
            code = error.exit_code
        except SettingsError as error:
            print(error, file=sys.stderr)
            code = WRONG_USE
        if not standalone:
            return code
        sys.exit(code if isinstance(code, int) else 0)


class Progress:
    """Says on stderr, where that is a terminal, what is being done and for how long, once it takes
    longer than people wait without asking. Only while nothing else is written there."""

    def __init__(
        self,
        doing: str,
        *,
        stream: TextIO | None = None,
        silent: bool = False,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._doing = doing
        self._silent = silent
        self._stream = stream or sys.stderr
        self._silent_seconds = silent_seconds
        self._lock = threading.Lock()
        self._since = time.monotonic()
        self._shown = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> Self:
        if not self._silent and self._stream and self._stream.isatty():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self.runs:
            self._thread.join()
        self._clear()

    @property
    def runs(self) -> bool:
        """Whether it says anything at all."""
        return self._thread.ident is not None

    def print(self, line: str) -> None:
        """A line on stdout, above the progress, which begins anew."""
        with self._lock:
            self._clear()
            self._since = time.monotonic()
            print(line, flush=True)

    def _run(self) -> None:
        while not self._done.wait(min(1.0, self._silent_seconds)):
            with self._lock:
                seconds = time.monotonic() - self._since
                if seconds >= self._silent_seconds:
                    self._stream.write(f"\r\x1b[2K{self._doing} … {seconds:.0f} s")
                    self._stream.flush()
                    self._shown = True

    def _clear(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[2K")  # ECMA-48: erase the line
            self._stream.flush()
            self._shown = False
