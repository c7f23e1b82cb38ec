"""Several appliances asked at once, each in a thread of its own: one that is away costs whoever
waits a few seconds, once, and after that nothing for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from bot.request.events import CallFailed
from bot.request.problem import Problem, ProblemKind

SECONDS = 5.0
"""For one of several. The vendor names no figure; a list of pairings takes a fraction of it."""

AWAY_SECONDS = 10.0
"""For this long nobody waits again for an appliance that did not answer: during an outage a crowd
of look-ups would otherwise queue up. A recovery is noticed this late."""

GRACE_SECONDS = 0.5
"""On top, for a thread that is about to bring its answer: calls keep their own deadline."""

Answer = TypeVar("Answer")

_AWAY = frozenset({ProblemKind.UNSENT, ProblemKind.UNANSWERED})


class SideBySide:
    """Threads share it. The threads that it starts end by the deadline that they are given."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._away: dict[str, tuple[float, CallFailed]] = {}

    def ask(
        self,
        calls: Mapping[str, Callable[[float], Answer | CallFailed]],
        by: float,
        seconds: float = SECONDS,
    ) -> dict[str, Answer | CallFailed]:
        """What each site answers; each call is given the monotonic second by which to end: `by`,
        or `seconds` from now. Raises what a call raised."""
        by = min(by, self._monotonic() + seconds)
        answers: dict[str, Answer | CallFailed] = {}
        errors: list[BaseException] = []
        threads: list[threading.Thread] = []

        def run(site: str, call: Callable[[float], Answer | CallFailed]) -> None:
            try:
                answers[site] = self._noted(site, call(by))
            except Exception as error:
                errors.append(error)

        for site, call in calls.items():
            away = self._still_away(site)
            if away is not None:
                answers[site] = away
                continue
            thread = threading.Thread(
                target=run, args=(site, call), name=f"ask-{site}", daemon=True
            )
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join(max(0.0, by + GRACE_SECONDS - self._monotonic()))
        if errors:
            raise errors[0]
        found = dict(answers)
        for site in calls.keys() - found.keys():
            found[site] = self._noted(site, _too_slow(seconds))
        return {site: found[site] for site in calls}

    def _still_away(self, site: str) -> CallFailed | None:
        with self._lock:
            until, failed = self._away.get(site, (0.0, None))
        return failed if self._monotonic() < until else None

    def _noted(self, site: str, answer: Answer | CallFailed) -> Answer | CallFailed:
        with self._lock:
            if isinstance(answer, CallFailed) and answer.problem.kind in _AWAY:
                self._away[site] = (self._monotonic() + AWAY_SECONDS, answer)
            else:
                self._away.pop(site, None)
        return answer


def _too_slow(seconds: float) -> CallFailed:
    text = f"no answer within {seconds:g} seconds, and no longer waited for"
    return CallFailed(problem=Problem(kind=ProblemKind.UNANSWERED, text=text))
