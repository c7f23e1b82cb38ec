"""The threads that keep requests moving: some check what is new, some decide, some act. And one for
what is done beside the requests, so that it delays none of them (`Upkeep`).

Each works for one queue only (`bot.store.queues`), and a claim ends where the next step is
another queue's. So an appliance that hangs never holds a thread that decides, nor those of another
one: what checks and what acts works for some of several sites only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import structlog
from structlog.contextvars import bound_contextvars

from bot.request.absorb import dismissal
from bot.request.events import Asked, Stored
from bot.request.messages import UNEXPECTED, Answer
from bot.request.model import ANY_SITE
from bot.request.new_request import begin
from bot.request.request_id import new_reference
from bot.request.who_may import Policy
from bot.store import inbox
from bot.store.audit_trail import MayNotSign
from bot.store.audit_witness import Telling
from bot.store.database import Database
from bot.store.faults import StoreError, Twice, fault_of
from bot.store.prune import prune
from bot.store.queries import Overview
from bot.store.queues import AUDIT, POST, Queue, nets
from bot.store.requests import Requests
from bot.store.saving import Claim, add_answers
from bot.store.set_aside import Unreadable
from bot.threads import Threads
from bot.worker.drive import Driver

log = structlog.get_logger(__name__)

AFTER_ERROR_SECONDS = 1.0
"""So that a fault of the database neither keeps a core busy nor fills a disk with logs."""


THREADS = 2
"""Of those who decide, and for each site of those who check and who act. So one slow reading at
Slack does not hold up everybody else's click."""

PAIRS_MOST = 8
"""In one queue, since each idle thread asks the database now and then. With more appliances, some
share their threads."""


def left_to_others(queue: Queue, sites: Sequence[str]) -> list[tuple[str, ...]]:
    """For each pair of threads of a queue, the sites that it leaves to the others. What belongs to
    no site of the settings any more is served by all: it waits for nothing outside. What names no
    site is read at all of them, and has a pair of its own."""
    if queue is Queue.DECIDE or len(sites) == 1:
        return [()]
    named = [*sites, ANY_SITE] if queue is Queue.CHECK else list(sites)
    pairs = min(len(named), PAIRS_MOST)
    return [
        tuple(site for place, site in enumerate(named) if place % pairs != pair)
        for pair in range(pairs)
    ]


Work = Claim | tuple[str, Stored]
"""A claimed row; or an event, with its request's id, that has no row yet, or never will."""


@dataclass
class Worker:
    """Runs until `stop`. Then what has begun is finished, and everything else stays in the
    store."""

    requests: Requests
    driver: Driver
    policy: Policy
    end: Callable[[str], None] = lambda _sentence: None
    """Told why this process can never work as it is."""
    _threads: Threads = field(default_factory=Threads)

    def start(self) -> None:
        for queue in Queue:
            shares = left_to_others(queue, tuple(self.policy.sites))
            for number, (left, net_s) in enumerate(product(shares, nets(THREADS))):
                self._threads.start(f"{queue}-{number}", self._run, queue, net_s, left)

    def stop(self, seconds: float) -> bool:
        """Ask all to end after what they have in hand; whether they did within the time. Any of
        them may use all of it: a DELETE may be on its way."""
        self._threads.stopping.set()
        self.requests.db.wakes.end(*Queue)
        return self._threads.stop(seconds)

    def step(self, queue: Queue) -> bool:
        """One piece of work, without waiting for it; False when there was none."""
        work = self._next(queue, 0.0, ())
        if work is not None:
            self._do(work)
        return work is not None

    def _run(self, queue: Queue, net_s: float, left: tuple[str, ...]) -> None:
        while not self._threads.stopping.is_set():
            work = None
            try:
                work = self._next(queue, net_s, left)
                if work is not None:
                    self._do(work)
            except Exception as error:
                # Whatever it was, the row keeps its lease and is tried again after that. If the
                # thread died here, its requests would stand still for ever.
                self._failed(error, work)
                self._threads.stopping.wait(AFTER_ERROR_SECONDS)

    def _next(self, queue: Queue, wait_s: float, left: tuple[str, ...]) -> Work | None:
        new = self.requests.event_without_row() if queue is Queue.CHECK else None
        return new or self.requests.claim(queue, wait_s, left)

    def _do(self, work: Work) -> None:
        if isinstance(work, Claim):
            # For everything that is logged on the way, also by code that knows of no request.
            with bound_contextvars(request=work.request.id, site=work.request.site):
                try:
                    self.driver.drive(work)
                finally:
                    if work.queue is Queue.ACT:
                        self.driver.effects.give_back(work.request)
            return
        (request_id, stored), now = work, self.requests.now()
        if not isinstance(stored.event, Asked):
            self.requests.dismiss(request_id, stored.number, dismissal(stored, now))
            return
        terms = self.policy.terms(stored.event.site, force=stored.event.force)
        self.requests.insert_row(begin(stored, request_id, terms, now))

    def _failed(self, error: Exception, work: Work | None) -> None:
        """Log it, and tell the people who wait. Not when it is the database's fault: nothing could
        be stored for them now, and the next try may work."""
        if isinstance(error, MayNotSign):
            self.end(str(error))
            return
        request_id = work.request.id if isinstance(work, Claim) else work[0] if work else None
        if isinstance(error, Unreadable):
            return
        if fault_of(error):
            # The log has the sentence. Every thread meets the fault every second, maybe for hours.
            log.debug("step_waits", request=request_id, error=type(error).__name__)
            return
        reference = new_reference()
        log.exception("step_failed", request=request_id, reference=reference)
        if request_id is None or isinstance(error, StoreError):
            return
        try:
            tell_failed(self.requests.db, request_id, reference)
        except Exception:
            log.exception("step_failure_not_told", request=request_id, reference=reference)


def tell_failed(db: Database, request_id: str, reference: str) -> None:
    """Tell who asked, and everybody whose click has not been answered; once for each event, however
    often the step fails."""
    with db.read() as conn:
        waiting = {stored.number for stored in inbox.unabsorbed(db, conn, request_id)}
    request = Overview(db).get(request_id)
    if request is not None:
        waiting |= {request.asked_by_event, *(click.event for click in request.clicks)}
    params = {"reference": reference, "request": request_id}
    for number in sorted(waiting):
        answer = Answer(event=number, code=UNEXPECTED, params=params, matters=True)
        try:
            with db.write() as conn:
                add_answers(conn, request_id, (answer,), db.now(conn))
        except Twice as there:
            if there.rule != "messages_pkey":
                raise
            continue  # told before, when an earlier try failed
    db.wakes.wake(POST)


UPKEEP_EVERY_S = 60.0


TOLD_WITHIN_S = 5.0
"""For a witness of the audit trail, beside the requests."""


class Upkeep:
    """Tells the witnesses of the audit trail, its log first, woken by each commit that has recorded
    something, and now and then looks at what is over. Begins with what the last process left."""

    def __init__(self, db: Database, keep_ms: int, witnesses: Sequence[Telling]) -> None:
        self._db = db
        self._keep_ms = keep_ms
        self._witnesses = witnesses
        self._threads = Threads()

    def start(self) -> None:
        self._threads.start("upkeep", self._run)

    def stop(self, seconds: float) -> bool:
        """Whether the thread ended in this time, with everything told."""
        self._threads.stopping.set()
        self._db.wakes.end(AUDIT)
        return self._threads.stop(seconds)

    def _run(self) -> None:
        again = 0.0
        last = False
        while not last:
            # Read before the work, so that a stop in between has its turn.
            last = self._threads.stopping.is_set()
            due = last or time.monotonic() >= again
            for witness in self._witnesses:
                self._try(partial(self._tell, witness, due))
            if due and not last and self._try(partial(prune, self._db, self._keep_ms)):
                again = time.monotonic() + UPKEEP_EVERY_S
            if not last:
                self._db.wakes.wait(AUDIT, UPKEEP_EVERY_S)

    def _tell(self, witness: Telling, keep: bool) -> None:
        witness.up_to_now(TOLD_WITHIN_S)
        if keep:
            witness.keep()

    def _try(self, work: Callable[[], object]) -> bool:
        try:
            work()
            return True
        except Exception as error:
            # Tried again at the next commit or in a minute. That the database is away is told by
            # those whose work needs it.
            why = str(error) if isinstance(error, OSError) else None
            log.warning("upkeep_failed", error=type(error).__name__, why=why)
            return False
