"""One listing of tasks per appliance and poll serves all its running tasks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence

from bot.core.events import CallFailed
from bot.core.ports import AppliancePort
from bot.core.request import TaskView
from bot.store import shared
from bot.store.database import Database


class TaskWatch:
    """The latest listing of one appliance, kept in the database for all who follow."""

    def __init__(self, db: Database, site: str, appliance: AppliancePort) -> None:
        self._db = db
        self._key = f"tasks:{site}"
        self._appliance = appliance
        self._listing = threading.Lock()

    def tasks(
        self, since: int, by: float, now: Callable[[], int]
    ) -> Sequence[TaskView] | CallFailed:
        """A listing that was begun at `since` (ms) or later: the shared one, or a new one."""
        with self._listing:
            known = self._known()
            if known and known[0] >= since:
                return known[1]
            begun = now()
            listed = self._appliance.list_tasks(by)
            if isinstance(listed, CallFailed):
                return listed
            value = json.dumps({"begun": begun, "tasks": [t.model_dump() for t in listed]})
            shared.change(self._db, self._key, lambda _old, _now: value)
            return listed

    def _known(self) -> tuple[int, tuple[TaskView, ...]] | None:
        row = shared.read(self._db, self._key)
        if row is None:
            return None
        value = json.loads(row[0])
        return value["begun"], tuple(TaskView(**t) for t in value["tasks"])
