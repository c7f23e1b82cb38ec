"""Where the commands print to: a pipe that may close, a disk that may be full, any encoding."""

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
    """What is printed within is written when it ends, or the exit code is 1 and a sentence says
    why. Python itself looks at the last of it after everything else, where it can only complain."""
    if not isinstance(sys.stdout, io.TextIOWrapper):  # closed by the shell: `>&-`
        yield
        return
    given = sys.stdout
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_Output(given.fileno(), "w", closefd=False)),
        encoding=given.encoding,
        errors="backslashreplace",  # a title has an arrow, and a terminal may have none
        line_buffering=given.line_buffering or given.write_through,
    )
    try:
        yield
    finally:
        sys.stdout.flush()


def for_machines() -> None:
    """JSON, CSV and YAML are UTF-8, whatever this terminal speaks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


class _Output(io.FileIO):
    """Ends the command at the first write that fails, whoever printed. Not an OSError for typer and
    rich to catch: they take a closed pipe each in a way of its own, and a full disk not at all."""

    _lost = False

    def write(self, data: ReadableBuffer, /) -> int:
        if self._lost:  # what was buffered comes once more at each flush
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except OSError as error:
            self._lost = True
            if error.errno != errno.EPIPE:  # the reader has seen enough: `| head`
                print(f"The output cannot be written: {error.strerror}.", file=sys.stderr)
            sys.exit(PROBLEM)
