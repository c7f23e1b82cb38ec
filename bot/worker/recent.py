"""What Slack said of people and groups a moment ago. Only for what is shown, never for a right."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from bot.request.ports import PeoplePort
from bot.request.who_may import Home, Person, Verdict

RECENT_MS = 30_000
"""How old it may be. Long enough that a crowd of requests asks Slack once, short enough that
somebody who was put on the list is found by the time they ask again."""

MOST_KEPT = 5_000
"""Then all is forgotten: larger workspaces ask again rather than fill the memory."""

_T = TypeVar("_T")


class Recent:
    """Implements `bot.request.ports.PeoplePort` over another one. `now` is in ms.

    What Slack did not tell is asked again at once. Two threads may ask the same thing twice:
    neither waits for the other's call.
    """

    def __init__(self, people: PeoplePort, now: Callable[[], int]) -> None:
        self._people = people
        self._now = now
        self._lock = threading.Lock()
        self._persons: dict[str, tuple[int, Person]] = {}
        self._groups: dict[str, tuple[int, frozenset[str]]] = {}

    def home(self) -> Home:
        return self._people.home()

    def person(self, user: str) -> Person | Verdict:
        return self._kept(self._persons, user, self._people.person)

    def members(self, group: str) -> frozenset[str] | Verdict:
        return self._kept(self._groups, group, self._people.members)

    def _kept(
        self, kept: dict[str, tuple[int, _T]], key: str, ask: Callable[[str], _T | Verdict]
    ) -> _T | Verdict:
        now = self._now()
        with self._lock:
            told_at, told = kept.get(key, (None, None))
        # A time in the future means that the clock was set back: nobody knows how old it is.
        if told is not None and told_at is not None and 0 <= now - told_at <= RECENT_MS:
            return told
        answer = ask(key)
        if not isinstance(answer, Verdict):
            with self._lock:
                if len(kept) >= MOST_KEPT:
                    kept.clear()
                kept[key] = (now, answer)
        return answer
