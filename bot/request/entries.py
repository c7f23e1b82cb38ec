"""What an absorbed event leaves behind beside the request itself: audit entries and answers."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from bot.request.frozen import Frozen
from bot.request.model import Request, State

SYSTEM = "vr-unpair"
"""The actor of whatever no person did."""

UNEXPECTED = "unexpected"
"""The code of the one answer that comes from no event but from an error of ours. Its `params`:
`reference`, under which the error stands in the log, and `request`."""


class Entry(Frozen):
    """One line of the audit trail before it is chained: who did what, by which message, and the
    state before and after (None if it belongs to no request)."""

    action: str
    actor: str
    at: int
    message: str | None = None
    before: State | None = None
    after: State | None = None
    detail: dict[str, Any]


class Answer(Frozen):
    """Words for one person alone, in reply to the event of that number in the inbox.

    `matters` keeps it alive as a direct message when Slack's `response_url` has lapsed.
    """

    event: int
    code: str
    params: dict[str, str] = Field(default_factory=dict)
    matters: bool = False


class Absorbed(Frozen):
    """The new request, with what must be stored in the same transaction."""

    request: Request
    entries: tuple[Entry, ...] = ()
    answers: tuple[Answer, ...] = ()
