"""Which messages look different after a step, and the digests by which that is told.

Every step compares the row before it with the row after it, and the latter is the row before the
next step. Without a memory each row would be drawn twice, which was a third of the time between a
click and its DELETE (measured).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from bot.request.messages import messages
from bot.request.model import Request
from bot.store.wanted import Wanted

Draw = Callable[[Request, str], str]
"""The digest of how the message of this slot looks for this row."""

ROWS = 32
"""Several for each thread that works on a row, so that no thread pushes out what another needs."""


class Digests:
    """A `Draw` with a memory. It goes by the identity of the row, not by its content: rows are
    frozen, so one always looks the same, and while it is kept here no other object can get its
    `id`."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._lock = threading.Lock()
        self._known: OrderedDict[int, tuple[Request, dict[str, str]]] = OrderedDict()

    def __call__(self, request: Request, slot: str) -> str:
        digests = self._of(request)
        digest = digests.get(slot)
        if digest is None:
            digest = digests[slot] = self._draw(request, slot)
        return digest

    def _of(self, request: Request) -> dict[str, str]:
        with self._lock:
            _, digests = self._known.setdefault(id(request), (request, {}))
            self._known.move_to_end(id(request))
            while len(self._known) > ROWS:
                self._known.popitem(last=False)
            return digests


def changed_messages(before: Request | None, after: Request, draw: Draw) -> tuple[Wanted, ...]:
    """The messages that are new or look different: all that Slack has to be told."""
    old = {m.slot for m in messages(before, before.updated_at)} if before else set()
    wanted = []
    for message in messages(after, after.updated_at):
        digest = draw(after, message.slot)
        if before and message.slot in old and draw(before, message.slot) == digest:
            continue
        wanted.append(Wanted(message=message, digest=digest))
    return tuple(wanted)
