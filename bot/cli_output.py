"""The commands' output, which may be a pipe that closes, a full disk, or in any encoding."""

from __future__ import annotations

import errno
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.exit_codes import PROBLEM

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


@contextmanager
def written() -> Iterator[None]:
    """All output is written by the end of this block; otherwise a sentence says why and the exit
    code is 1. Python itself flushes at the very end, where it is too late for that."""
    if not isinstance(sys.stdout, io.TextIOWrapper):  # closed by the shell: `>&-`
        yield
        return
    given = sys.stdout
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_Output(given.fileno(), "w", closefd=False)),
        encoding=given.encoding,
        errors="backslashreplace",  # titles hold an arrow that the encoding may lack
        line_buffering=given.line_buffering or given.write_through,
    )
    try:
        yield
    finally:
        sys.stdout.flush()


def for_machines() -> None:
    """JSON, CSV and YAML are written in UTF-8, whatever the terminal's encoding is."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


class _Output(io.FileIO):
    """Ends the command at the first write that fails. It raises SystemExit and not OSError, because
    typer and rich each treat a closed pipe in their own way, and do not handle a full disk."""

    _lost = False

    def write(self, data: ReadableBuffer, /) -> int:
        if self._lost:  # every flush tries to write the buffer again
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except OSError as error:
            self._lost = True
            if error.errno != errno.EPIPE:  # not an error: `| head` has read enough
                print(f"The output cannot be written: {error.strerror}.", file=sys.stderr)
            sys.exit(PROBLEM)
