"""Counts the errors of the database, wherever they occur."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from bot.store.faults import FileGone, NotInTime


class Errors:
    """`on_error` gets the name of the error's class; it must not raise.

    Two errors are not counted: a second row that is refused (`IntegrityError`), which is how a
    repeated event is recognised, and a connection that is found dead before its use, which is
    replaced by a new one.
    """

    def __init__(self, engine: Engine, on_error: Callable[[str], None]) -> None:
        self._on_error = on_error
        event.listen(engine, "handle_error", self._handled)

    @contextmanager
    def told(self) -> Iterator[None]:
        """To be put around a transaction. The engine does not report these errors, since they are
        not raised by a connection: no free connection in the pool, a file that we found gone, no
        turn to write in time."""
        try:
            yield
        except (NoFreeConnection, FileGone, NotInTime) as error:
            self._on_error(type(error).__name__)
            raise

    def _handled(self, context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception or context.original_exception
        if not isinstance(error, IntegrityError) and not context.is_pre_ping:
            self._on_error(type(error).__name__)
