"""What the commands share: the database, their output, and how they end with a sentence."""

from __future__ import annotations

import errno
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from bot import __version__
from bot.__main__ import PROBLEM
from bot.settings import load_database
from bot.store.database import Database
from bot.store.migrate import SchemaMissing, SchemaTooNew, require

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def for_machines(asked: bool = True) -> bool:
    """JSON, CSV and YAML are written in UTF-8, whatever the terminal's encoding is."""
    if asked and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    return asked


JsonOption = Annotated[
    bool, typer.Option("--json", callback=for_machines, help="JSON instead of a table.")
]


def fail(sentence: str, code: int = PROBLEM) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)


@contextmanager
def database() -> Iterator[Database]:
    """The database, for commands that only read or store an event. Ends the command if the schema
    is not there yet."""
    db = Database(load_database())
    try:
        require(db)
        yield db
    except (SchemaMissing, SchemaTooNew) as error:
        fail(str(error))
    except ValidationError:
        fail(
            f"What is stored cannot be read by this version of vr-unpair ({__version__}): a newer "
            "one has written it. Install that or a later one."
        )
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or type(error).__name__
        fail(f"The database cannot be used: {reason}. DATABASE_URL names it.")
    finally:
        db.close()


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
