"""Counting the errors of the database, wherever they are met."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from bot.store.faults import FileGone, NotInTime


class Errors:
    """`on_error` gets the name of the class; it must not raise.

    Not told: a refused second row (`IntegrityError`), which is how a repeated event is known; and
    a connection that was found dead before its use, in whose place another one is opened.
    """

    def __init__(self, engine: Engine, on_error: Callable[[str], None]) -> None:
        self._on_error = on_error
        event.listen(engine, "handle_error", self._handled)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Around a transaction: a pool without a free connection is no error of a connection, nor
        is a file that we found gone, so the engine tells of them to nobody."""
        try:
            yield
        except (NoFreeConnection, FileGone, NotInTime) as error:
            self._on_error(type(error).__name__)
            raise

    def _handled(self, context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception or context.original_exception
        if not isinstance(error, IntegrityError) and not context.is_pre_ping:
            self._on_error(type(error).__name__)
