"""One listing of tasks per appliance and poll serves all tasks that are followed there, in every
copy."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.core.events import CallFailed
from bot.core.ports import AppliancePort
from bot.core.problem import Problem, ProblemKind
from bot.core.request import TaskView
from bot.store import shared
from bot.store.database import Database

LOOK_AGAIN_SECONDS = 0.1
"""While another copy lists. Waking for each listing would cost the copies more than looking."""


@dataclass(frozen=True)
class _Watch:
    """What the copies share: the latest listing, and from when until when (ms) some copy may be
    making a new one.

    Worst case: the copy that is listing dies. The others then wait until `taken_until`, which is no
    later than the end of the dead copy's claims. A time in the future means that the clock was set
    back: nobody knows how old it is, so neither such a listing nor such a `taken_at` counts.
    """

    begun: int | None = None
    tasks: tuple[TaskView, ...] = ()
    taken_at: int = 0
    taken_until: int = 0

    @classmethod
    def of(cls, value: str | None) -> _Watch:
        """What another version has written and this one cannot read counts as no listing."""
        if value is None:
            return cls()
        try:
            fields = json.loads(value)
            tasks = tuple(TaskView(**t) for t in fields["tasks"])
            taken = fields.get("taken_at", 0), fields.get("taken_until", 0)
            return cls(fields["begun"], tasks, *taken)
        except (ValueError, TypeError, KeyError):
            return cls()

    def text(self) -> str:
        tasks = [t.model_dump() for t in self.tasks]
        taken = {"taken_at": self.taken_at, "taken_until": self.taken_until}
        return json.dumps({"begun": self.begun, "tasks": tasks, **taken})

    def serves(self, since: int, now: int) -> bool:
        return self.begun is not None and since <= self.begun <= now

    def taken(self, now: int) -> bool:
        return self.taken_at <= now < self.taken_until


class TaskWatch:
    """The latest listing of one appliance, kept in the database for all copies. Under its address
    and not its site's name: while copies are replaced, one name may stand for two appliances."""

    def __init__(
        self,
        db: Database,
        host: str,
        appliance: AppliancePort,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._monotonic = monotonic
        self._key = f"tasks:{host}"
        self._appliance = appliance
        self._listing = threading.Lock()

    def tasks(self, since: int, by: float) -> Sequence[TaskView] | CallFailed:
        """A listing that was begun at `since` (ms) or later: the shared one, or a new one. `by`
        (monotonic seconds) is when to give up."""
        with self._listing:
            while True:
                served, begun = self._served_or_taken(since, by)
                if served is not None:
                    return served
                if begun is not None:
                    return self._list(begun, by)
                if self._monotonic() + LOOK_AGAIN_SECONDS >= by:
                    return CallFailed(problem=_HELD_BY_ANOTHER)
                time.sleep(LOOK_AGAIN_SECONDS)

    def _served_or_taken(
        self, since: int, by: float
    ) -> tuple[Sequence[TaskView] | None, int | None]:
        """A listing that is new enough; or when (ms) our own begins, if it is for us to make
        one."""
        row = shared.read(self._db, self._key)
        watch = _Watch.of(row[0] if row else None)
        if watch.serves(since, self._db.clock()):
            return watch.tasks, None
        taken_at: list[int] = []

        def take(value: str | None, now: int) -> str:
            seen = _Watch.of(value)
            if seen.serves(since, now) or seen.taken(now):
                return seen.text()
            taken_at.append(now)
            until = now + max(0, int((by - self._monotonic()) * 1000))
            return _Watch(seen.begun, seen.tasks, now, until).text()

        shared.change(self._db, self._key, take)
        return None, taken_at[-1] if taken_at else None

    def _list(self, begun: int, by: float) -> Sequence[TaskView] | CallFailed:
        listed: Sequence[TaskView] | CallFailed | None = None
        try:
            listed = self._appliance.list_tasks(by)
        finally:
            self._give_back(begun, listed)
        return listed

    def _give_back(self, begun: int, listed: Sequence[TaskView] | CallFailed | None) -> None:
        def keep(value: str | None, now: int) -> str:
            seen = _Watch.of(value)
            if listed is None or isinstance(listed, CallFailed):
                return _Watch(seen.begun, seen.tasks).text()
            if seen.serves(begun, now):  # we were slow, and another copy has a newer one
                return seen.text()
            return _Watch(begun, tuple(listed)).text()

        shared.change(self._db, self._key, keep)


_HELD_BY_ANOTHER = Problem(
    kind=ProblemKind.UNSENT, text="another copy of the bot is listing the tasks and has not ended"
)
