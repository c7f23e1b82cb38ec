"""The threads that keep requests moving: some for acting, some for checking what is new.

Two lanes, because fifty approved requests must not stand in a queue behind new ones being read:
in a prototype readers filled the one pool and no DELETE was sent at all.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import structlog

from bot.core.events import Asked
from bot.core.life import begin, dismissal
from bot.core.policy import Policy
from bot.store.database import Room
from bot.store.requests import Requests, Saving
from bot.worker.effects import Draw
from bot.worker.lives import Lives, changed_messages

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
"""The net under the wakes: events put in by another process (the command line) are seen by then."""

AFTER_ERROR_SECONDS = 1.0
"""A fault of the database must not spin a core or fill a disk with logs."""

ACTING_THREADS = 4
CHECKING_THREADS = 2


@dataclass
class Worker:
    """Runs until `stop`. What is under way is finished; what is not begun stays in the store."""

    requests: Requests
    lives: Lives
    policy: Policy
    draw: Draw
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        lanes = [("act", False)] * ACTING_THREADS + [("check", True)] * CHECKING_THREADS
        for number, (name, checking) in enumerate(lanes):
            thread = threading.Thread(
                target=self._run, args=(checking,), name=f"{name}-{number}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def stop(self, seconds: float) -> bool:
        """Ask all to end after what they have in hand; whether they did within the time."""
        self._stopping.set()
        self.requests.db.wakes.wake_all()
        for thread in self._threads:
            thread.join(timeout=seconds / len(self._threads))
        return not any(t.is_alive() for t in self._threads)

    def step(self, *, checking: bool) -> bool:
        """One piece of work; False when there was none. A new request is for those who check: who
        acts has no look to spare for it."""
        if checking and self._bear_one():
            return True
        claim = self.requests.claim(checking=checking)
        if claim is None:
            return False
        self.lives.drive(claim)
        return True

    def _run(self, checking: bool) -> None:
        room, wakes = Room.CHECK if checking else Room.ACT, self.requests.db.wakes
        while not self._stopping.is_set():
            seen = wakes.seen(room)
            try:
                worked = self.step(checking=checking)
            except Exception:
                # Whatever it was, the row keeps its lease and is tried again after it: a thread
                # that died here would leave requests standing for ever.
                log.exception("step_failed", checking=checking)
                self._stopping.wait(AFTER_ERROR_SECONDS)
                continue
            if not worked:
                wakes.wait(room, seen, self._idle_seconds())

    def _idle_seconds(self) -> float:
        due = self.requests.next_due()
        if due is None:
            return POLL_SECONDS
        return min(POLL_SECONDS, max(0.01, (due - self.requests.now()) / 1000))

    def _bear_one(self) -> bool:
        unborn = self.requests.unborn()
        if unborn is None:
            return False
        request_id, stored = unborn
        if not isinstance(stored.event, Asked):
            dismissed = dismissal(stored, self.requests.now())
            self.requests.dismiss(request_id, stored, dismissed.answers, dismissed.entries)
            return True
        now = self.requests.now()
        terms = self.policy.terms(stored.event.site, force=stored.event.force)
        born = begin(stored, request_id, terms, now)
        self.requests.bear(
            Saving(
                request=born.request,
                absorbed=(stored.number,),
                entries=born.entries,
                answers=born.answers,
                wanted=changed_messages(None, born.request, self.draw),
            )
        )
        return True
