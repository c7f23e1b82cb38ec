"""The threads that keep requests moving: some check what is new, some decide, some act.

Each works for one queue only (`bot.store.queues`), and a claim ends where the next step is another
queue's. So an appliance that hangs never holds a thread that decides.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from structlog.contextvars import bound_contextvars

from bot.request.absorb import dismissal
from bot.request.checking import begin
from bot.request.events import Asked
from bot.request.messages import UNEXPECTED, Answer
from bot.request.model import new_reference
from bot.request.who_may import Policy
from bot.store import inbox
from bot.store.database import Database, nets
from bot.store.outbox import add_answers
from bot.store.queries import Overview
from bot.store.queues import POST, Queue
from bot.store.requests import Requests
from bot.store.saving import Claim, Saving
from bot.worker.drive import Lives

log = structlog.get_logger(__name__)

AFTER_ERROR_SECONDS = 1.0
"""So that a fault of the database neither keeps a core busy nor fills a disk with logs."""


@dataclass
class Worker:
    """Runs until `stop`. Then what has begun is finished, and everything else stays in the
    store."""

    requests: Requests
    lives: Lives
    policy: Policy
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        sites = len(self.policy.sites)
        self._places = {queue: Places(queue, sites=sites) for queue in Queue}

    def start(self) -> None:
        for places in self._places.values():
            for number, net_s in enumerate(nets(places.threads)):
                name = f"{places.queue}-{number}"
                thread = threading.Thread(
                    target=self._run, args=(places, net_s), name=name, daemon=True
                )
                thread.start()
                self._threads.append(thread)

    def stop(self, seconds: float) -> bool:
        """Ask all to end after what they have in hand; whether they did within the time."""
        self._stopping.set()
        self.requests.db.wakes.end(*Queue)
        until = time.monotonic() + seconds
        for thread in self._threads:
            # Any thread may use all the time that is left: a DELETE may be on its way.
            thread.join(timeout=max(0.0, until - time.monotonic()))
        return not any(t.is_alive() for t in self._threads)

    def step(self, queue: Queue, in_hand: list[str] | None = None) -> bool:
        """One piece of work; False when there was none. CHECK looks for new requests as well.
        `in_hand` is given the id of the request that was begun, in case the step fails."""
        if queue is Queue.CHECK and self._take_new(in_hand):
            return True
        places = self._places[queue]
        claim = places.take(lambda full: self.requests.claim(queue, full))
        if claim is None:
            return False
        if in_hand is not None:
            in_hand.append(claim.request.id)
        # For everything that is logged on the way, also by code that knows of no request.
        try:
            with bound_contextvars(request=claim.request.id, site=claim.request.site):
                self.lives.drive(claim)
        finally:
            places.give_back(claim)
        return True

    def _run(self, places: Places, net_s: float) -> None:
        queue, wakes = places.queue, self.requests.db.wakes
        while not self._stopping.is_set():
            in_hand: list[str] = []
            try:
                if not self.step(queue, in_hand):
                    # Within `try`, since the time to wait comes from the database.
                    wakes.wait(queue, self._idle_seconds(places, net_s))
            except Exception as error:
                # Whatever it was, the row keeps its lease and is tried again after that. If the
                # thread died here, its requests would stand still for ever.
                self._failed(error, in_hand)
                self._stopping.wait(AFTER_ERROR_SECONDS)

    def _failed(self, error: Exception, in_hand: list[str]) -> None:
        """Log it, and tell the people who wait. Not when it is the database's fault: nothing could
        be stored for them now, and the next try may work."""
        request = in_hand[0] if in_hand else None
        if self.requests.db.fault_of(error):
            # The log has the sentence. Every thread meets the fault every second, maybe for hours.
            log.debug("step_waits", request=request, error=type(error).__name__)
            return
        reference = new_reference()
        log.exception("step_failed", request=request, reference=reference)
        if request is not None and not isinstance(error, SQLAlchemyError):
            tell_failed(self.requests, request, reference)

    def _idle_seconds(self, places: Places, net_s: float) -> float:
        due = self.requests.next_due(places.queue, without=places.full())
        if due is None:
            return net_s
        return min(net_s, max(0.01, (due - self.requests.now()) / 1000))

    def _take_new(self, in_hand: list[str] | None) -> bool:
        found = self.requests.event_without_row()
        if found is None:
            return False
        request_id, stored = found
        if in_hand is not None:
            in_hand.append(request_id)
        if not isinstance(stored.event, Asked):
            dismissed = dismissal(stored, self.requests.now())
            self.requests.dismiss(request_id, stored, dismissed.answers, dismissed.entries)
            return True
        now = self.requests.now()
        terms = self.policy.terms(stored.event.site, force=stored.event.force)
        begun = begin(stored, request_id, terms, now)
        self.requests.insert_row(
            Saving(
                request=begun.request,
                absorbed=stored.number,
                entries=begun.entries,
                answers=begun.answers,
            )
        )
        return True


AT_A_SITE = {Queue.CHECK: 1, Queue.ACT: 2}
"""How many threads may be at one of several appliances. Those that decide are at none."""

FEWEST = {Queue.CHECK: 2, Queue.DECIDE: 2, Queue.ACT: 2}
"""Threads when there is one appliance. Two of DECIDE, so that one slow reading of rights at Slack
does not hold up everybody else's click."""

MOST = {Queue.CHECK: 8, Queue.DECIDE: 2, Queue.ACT: 16}
"""The most threads, however many appliances there are, since each idle thread asks the database now
and then. Divided by AT_A_SITE: how many appliances may hang at once before others feel it."""


class Places:
    """The threads of one queue, and at which sites they are. All of them share it."""

    def __init__(self, queue: Queue, *, sites: int) -> None:
        self.queue = queue
        each = AT_A_SITE.get(queue)
        several = sites > 1 and each is not None
        # One more for checks: requests that name no appliance count as a site of their own.
        wanted = (each or 0) * sites + (queue is Queue.CHECK) if several else 0
        self.threads = min(MOST[queue], max(FEWEST[queue], wanted))
        self._per_site = each if several else None
        self._lock = threading.Lock()
        self._at: Counter[str] = Counter()

    def take(self, claim: Callable[[frozenset[str]], Claim | None]) -> Claim | None:
        """A claim at a site that is not full; `claim` is given those that are. One thread of the
        queue at a time, so that no two take the last place at a site."""
        if self._per_site is None:
            return claim(frozenset())
        with self._lock:
            taken = claim(self._full())
            if taken is not None:
                self._at[taken.request.site] += 1
            return taken

    def give_back(self, taken: Claim) -> None:
        if self._per_site is not None:
            with self._lock:
                self._at[taken.request.site] -= 1

    def full(self) -> frozenset[str]:
        """Sites that have all the threads they may have. No need to look there again before one of
        these is done."""
        with self._lock:
            return self._full()

    def _full(self) -> frozenset[str]:
        most = self._per_site
        return frozenset(s for s, count in self._at.items() if most and count >= most)


def tell_failed(requests: Requests, request_id: str, reference: str) -> None:
    """Tell who asked, and everybody whose click has not been answered; once for each event, however
    often the step fails. Never raises: it is called while an error is handled."""
    params = {"reference": reference, "request": request_id}
    try:
        for number in sorted(_waiting(requests, request_id)):
            answer = Answer(event=number, code=UNEXPECTED, params=params, matters=True)
            _answer(requests.db, request_id, answer)
    except Exception:
        log.exception("step_failure_not_told", request=request_id, reference=reference)
    requests.db.wakes.wake(POST)


def _waiting(requests: Requests, request_id: str) -> set[int]:
    """Numbers of events in the inbox."""
    with requests.db.read() as conn:
        waiting = {stored.number for stored in inbox.unabsorbed(conn, request_id)}
    request = Overview(requests.db).get(request_id)
    if request is not None:
        waiting |= {request.asked_by_event, *(click.event for click in request.clicks)}
    return waiting


def _answer(db: Database, request_id: str, answer: Answer) -> None:
    try:
        with db.write() as conn:
            add_answers(conn, request_id, (answer,), db.now(conn))
    except IntegrityError:
        return  # told before, when an earlier try failed
