"""The queues: which threads serve a row, which row is next, and who is woken for it.

There are three, so that work which waits for one thing never stands behind work that waits for
another. In a prototype with one pool, reading for new requests filled it and no DELETE was sent at
all; later, following a few tasks at an appliance that hung held every thread that could have
absorbed a Withdraw.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Select,
    bindparam,
    exists,
    func,
    or_,
    select,
    union,
)

from bot.request.model import Request, State
from bot.store.schema import inbox, requests

POST = "post"
"""What is due to Slack: the posters wait for it as others for their queue."""


AUDIT = "audit"
"""Records of the audit trail that have no line in the log yet (`bot.worker.queue_threads`)."""


class Queue(StrEnum):
    """CHECK reads what is new, at Slack and at the appliance. DECIDE needs Slack alone: clicks,
    reminders, deadlines, and whatever comes when all is over. ACT is at the appliance."""

    CHECK = "check"
    DECIDE = "decide"
    ACT = "act"


ACTING = (State.APPROVED, State.DELETING, State.ATTENTION, State.FOLLOWING)
"""The states of ACT, the most urgent first: acting goes before following. So does looking again,
which is all that `attention` is claimed for: somebody waits for it. Behind the tasks, which come
back every few seconds, its turn would never come at an appliance that hangs."""

_QUEUES: dict[State, Queue] = {State.CHECKING: Queue.CHECK, **dict.fromkeys(ACTING, Queue.ACT)}

ORDER = (*ACTING, State.PENDING)
"""Which state goes first within a queue. Requests that have ended come last."""


def queue_of(request: Request) -> Queue:
    return _QUEUES.get(request.state, Queue.DECIDE)


def place_of(request: Request) -> int:
    """Within its queue; the most urgent is 0."""
    return ORDER.index(request.state) if request.state in ORDER else len(ORDER)


LONGEST_LEASE_MS = 750_000
"""That of a copy with the longest VR_TIMEOUT_SECONDS (`bot.worker.drive`). A lease that is further
away was stamped by a clock that was ahead, and would keep a dead holder's row for as long as that
was: it is over. No tighter, since setting the clock back by seconds must end nobody's lease."""

_NOTHING_CAME = ~exists().where(inbox.c.request_id == requests.c.id, inbox.c.absorbed_at.is_(None))
"""Within a state, rows with an event (such as a click) go first. By its own time such a row may be
due in an hour, and at an appliance that hangs there is always some other row due, since each is
tried again every few seconds."""


# Built once each, since they run at every wake and building one takes longer than SQLite needs to
# run it.
@cache
def claimable(queue: Queue, some_left: bool = False) -> Select[tuple[str, int, str]]:
    now = bindparam("now", type_=BigInteger)
    with_event = select(inbox.c.request_id).where(inbox.c.absorbed_at.is_(None))
    mine = select(requests.c.id).where(requests.c.queue == queue.value)
    due = mine.where(requests.c.due_at <= now)
    # A row that is held is due at the end of its lease.
    beyond = now + LONGEST_LEASE_MS
    held = mine.where(requests.c.due_at > beyond, requests.c.lease_until > beyond)
    return (
        select(requests.c.id, requests.c.version, requests.c.body)
        .where(
            requests.c.id.in_(union(due, with_event, held)),
            lease_over(requests.c.lease_until, now),
            *_served(queue, some_left),
        )
        .order_by(requests.c.place, _NOTHING_CAME, requests.c.due_at, requests.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


@cache
def next_due(queue: Queue, some_left: bool = False) -> Select[Any]:
    # The index is a partial one, on "not null". SQLite uses it only if the query has the same words
    # (sqlite.org, partial indexes; 100,000 ended requests: 120 ms instead of 0.01).
    due = requests.c.due_at.isnot(None)
    return select(func.min(requests.c.due_at)).where(due, *_served(queue, some_left))


def _served(queue: Queue, some_left: bool) -> tuple[ColumnElement[bool], ...]:
    """`some_left`: the rows of some sites are left to other threads."""
    left = requests.c.site.not_in(bindparam("left", expanding=True))
    mine = requests.c.queue == queue.value
    return (mine, left) if some_left else (mine,)


FIRST_WITHOUT_ROW: Select[Any] = (
    select(inbox)
    .where(inbox.c.absorbed_at.is_(None), ~exists().where(requests.c.id == inbox.c.request_id))
    # `+ 0`: with the bare number SQLite would walk through the whole table in order, instead of
    # using the small index of unabsorbed events (300,000 events: 36 ms instead of 0.02).
    .order_by(inbox.c.number + 0)
    .limit(1)
)


def lease_over(lease_until: Column[int], now: ColumnElement[int]) -> ColumnElement[bool]:
    return or_(lease_until <= now, lease_until > now + LONGEST_LEASE_MS)


# ---- who waits for work -------------------------------------------------------------------------

NET_SECONDS = 2.0
"""How long the first thread of each queue sleeps at most. Another process (a copy on the same
PostgreSQL, the command line) cannot wake us, so what it stores is found this late. Mostly whoever
stores something works on it too: only what it holds or leaves behind waits for this."""

OTHERS_NET_SECONDS = 5.0
"""The same for the other threads, in case a slow server holds up the first one. It is longer, since
all of them ask the database the same question and an idle bot should cost next to nothing."""


def nets(threads: int) -> tuple[float, ...]:
    """How long each thread of one queue may sleep when nobody wakes it, in seconds."""
    return tuple(OTHERS_NET_SECONDS if number else NET_SECONDS for number in range(threads))


KEPT_MOST = 16
"""Wakes of one queue and site that are kept: there are never more threads in one."""


class Wakes:
    """Tells waiting threads of this process that something may be due in their queue. Should a wake
    be missed, they look by themselves after a while (`nets`).

    A wake is for one thread. All of them would ask the database the same question and keep the
    interpreter from the one that has work (measured: 8 threads that woke at each commit took longer
    than all calls of a story together). If nobody waits it is kept for whoever would wait next, so
    none is lost between a look for work and the wait after it.
    """

    def __init__(self) -> None:
        lock = threading.Lock()
        self._changed: defaultdict[str, threading.Condition] = defaultdict(
            lambda: threading.Condition(lock)
        )
        self._kept: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._ended: set[str] = set()
        self._lock = lock
        self._mine = threading.local()

    def wake(self, *queues: str, site: str = "") -> None:
        """`site`: for a thread that serves it, where threads of a queue serve some sites each."""
        held = getattr(self._mine, "held", None)
        if held is not None:
            held.append((queues, site))
            return
        with self._lock:
            for queue in queues:
                kept = self._kept[queue]
                kept[site] = min(kept[site] + 1, KEPT_MOST)
                self._changed[queue].notify_all()  # only the one that takes it asks the database

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps back what this thread wakes, until the end. For whoever answers somebody: threads
        that are woken before the answer is out take the interpreter from it (measured: more than a
        third of the time to an acknowledgement). It does not nest."""
        self._mine.held = held = list[tuple[tuple[str, ...], str]]()
        try:
            yield
        finally:
            self._mine.held = None
            for queues, site in held:
                self.wake(*queues, site=site)

    def end(self, *queues: str) -> None:
        """From now on nobody waits in these queues. One last wake would not be enough: a thread
        that has just looked whether it may go on would sleep its full time."""
        with self._lock:
            for queue in queues:
                self._ended.add(queue)
                self._changed[queue].notify_all()

    def wait(self, queue: str, seconds: float, left: tuple[str, ...] = ()) -> bool:
        """Whether it was woken, for none of the sites in `left`."""
        with self._lock:
            kept = self._kept[queue]

            def mine() -> list[str]:
                return [site for site, wakes in kept.items() if wakes and site not in left]

            self._changed[queue].wait_for(lambda: mine() or queue in self._ended, timeout=seconds)
            for site in mine()[:1]:
                kept[site] -= 1
                return True
            return False
