"""Stored rows that this version of the program cannot read, because a newer version or a person
wrote them.

This process puts such a row aside: it leaves it as it is, for a copy that can read it. Otherwise
the row would be claimed first again and again, and nothing else of its lane would ever be done.
"""

from __future__ import annotations

import threading
from enum import StrEnum

import structlog
from pydantic import ValidationError

from bot.core.request import Request

log = structlog.get_logger(__name__)

NAMED = 10
"""At most this many are named in a sentence or a line of the log."""

NEWER = "a newer version has written what this one cannot read; install that or a later one"


class Kind(StrEnum):
    REQUEST = "request"
    INBOX = "request with an event"
    """The event may be a cancel, so nothing may be done before it is read. The request itself can
    be read, so its messages and answers go on."""
    EVENT = "event"
    ANSWER = "answer"


class Unreadable:
    """Thread-safe. Rows stay aside until the process ends, since what it can read does not
    change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._aside: dict[Kind, tuple[str, ...]] = dict.fromkeys(Kind, ())

    def aside(self, kind: Kind) -> tuple[str, ...]:
        """The keys of these rows: ids of requests, numbers of events, slots of answers."""
        return self._aside[kind]

    @property
    def standing(self) -> tuple[str, ...]:
        """Ids of the requests that this process must not go on with."""
        return self._aside[Kind.REQUEST] + self._aside[Kind.INBOX]

    def put_aside(self, kind: Kind, key: str, error: ValidationError) -> None:
        with self._lock:
            if key in self._aside[kind]:
                return
            self._aside[kind] = (*self._aside[kind], key)
        # Only where the errors are: the values may be anything that people wrote.
        why = [f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors()]
        log.error("unreadable_put_aside", what=kind.value, key=key, why=why[:NAMED])

    def request(self, request_id: str, body: str) -> Request | None:
        """The request; if it cannot be read, it is put aside and this is None."""
        try:
            return Request.model_validate_json(body)
        except ValidationError as error:
            self.put_aside(Kind.REQUEST, request_id, error)
            return None

    @property
    def sentence(self) -> str | None:
        """A sentence about what is put aside; None if nothing is."""
        found = [f"{kind} {key}" for kind in Kind for key in self._aside[kind]]
        if not found:
            return None
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        return f"left alone: {', '.join(found[:NAMED])}{more}, since {NEWER}"
