"""The calls that an appliance is given in a minute: how many each priority may use, and who waits.

Pure functions over a state that can be stored (`CallsState`), with the time passed in. Work that
needs several calls counts all of them before the first one. If they were counted one by one, a
crowd would use up the minute with first calls, and nobody would ever finish.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

WINDOW_MS = 60_000  # the vendor counts per minute

CHECK_CALLS = 6
"""The most that a check needs: log-in, list of pairings, remote session, count, replications,
issues. Acting needs as many for its readings, one more for the DELETE, and may need one to try out
the connection: 8 at the worst, 5 where the sessions are made already."""

LATE_MS = 15_000
"""A place in the queue is kept for this long after the time that was named. Nobody who was
cancelled or killed meanwhile holds up those behind for longer."""

PLACES_MOST = 100
"""The longest queue. Others are told a time as well, and get a place when they come again."""


class Priority(StrEnum):
    """Whose call it is, most important first."""

    ACT = "act"
    FOLLOW = "follow"
    CHECK = "check"
    PREVIEW = "preview"


ORDER = tuple(Priority)

# The share of the minute that the calls of a priority may have together with those below it; what
# is more important fills no part of it. At the default of 40: an approved request needs 8 calls, so
# all others stop at 32; following needs 12 (one listing every 5 s), so checks and looks stop at 20.
# That is 3 checks at the worst and 5 with the sessions made. Looks alone stop at 14, a list with
# its counts (6 with the log-in) and two previews (4 each), so 6 stay for one whole check. Were the
# whole minute compared with a share, one task that is followed would leave nothing for looks.
SHARE_PERCENT = {
    Priority.ACT: 100,
    Priority.FOLLOW: 80,
    Priority.CHECK: 50,
    Priority.PREVIEW: 35,
}

FOLLOW_LEAST = 2
"""A look around after a lost answer is two calls, and comes at once or not at all."""


class Place(BaseModel):
    """Somebody who waits: for how many calls, since the last time it asked, until when."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    turn: str
    priority: Priority
    calls: int
    asked_ms: int
    until_ms: int


class CallsState(BaseModel):
    """`calls_ms`: when calls were made, or counted to be made, oldest first. `whose`: the priority
    of each; an older copy stores none, and then they only count for the whole. `queue`: who waits,
    longest first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    calls_ms: tuple[int, ...] = ()
    whose: tuple[Priority, ...] = ()
    queue: tuple[Place, ...] = ()


S = TypeVar("S", bound=CallsState)
Made = list[tuple[int, Priority]]


def ceiling(priority: Priority, per_minute: int) -> int:
    """How many calls of this priority and of those below it may be made in a minute. However small
    that share is, one whole check fits into it, unless the limit itself is too small."""
    return max(per_minute * SHARE_PERCENT[priority] // 100, min(CHECK_CALLS, per_minute))


def ask(
    state: S, now_ms: int, priority: Priority, calls: int, per_minute: int, turn: str = ""
) -> tuple[S, int]:
    """The state after `calls` calls are counted at `now_ms`, or after they were refused, and the
    ms to wait; 0 where they are counted.

    `turn` names a caller that comes again: it waits behind those of its priority who came before,
    and keeps its place. A caller without one does not wait for its equals: it goes on with what it
    has begun, or does not come again. Whoever waits with a higher priority always goes first.
    """
    made = _recent(state, now_ms)
    waiting = [each for each in state.queue if each.asked_ms <= now_ms <= each.until_ms + LATE_MS]
    at_ms, ahead = now_ms, list(made)
    for each in _ahead(waiting, priority, turn):
        at_ms = _opens_at(ahead, at_ms, each.priority, each.calls, per_minute)
        ahead += [(at_ms, each.priority)] * each.calls
    opens_at = _opens_at(ahead, at_ms, priority, calls, per_minute)
    if opens_at <= now_ms:
        left = tuple(each for each in waiting if each.turn != turn)
        return _with(state, [*made, *[(now_ms, priority)] * calls], left), 0
    if turn:
        place = Place(turn=turn, priority=priority, calls=calls, asked_ms=now_ms, until_ms=opens_at)
        known = any(each.turn == turn for each in waiting)
        waiting = [place if each.turn == turn else each for each in waiting]
        waiting += [place] if not known and len(waiting) < PLACES_MOST else []
    return _with(state, made, tuple(waiting)), opens_at - now_ms


def at_once(priority: Priority, calls: int, per_minute: int) -> int:
    """As many of `calls` as can ever be counted at once. If the limit is below what the work needs,
    it begins in an empty minute with as many as there are."""
    return min(calls, *(most for _, most in _limits(priority, per_minute)))


def spend(
    state: S, now_ms: int, priority: Priority, counted_ms: int, per_minute: int
) -> tuple[S, int]:
    """One call that was counted at `counted_ms` is made now, and counts from now: an effect lasts
    for seconds, and for the vendor its last calls are newer than its first. If what was counted is
    more than a minute old, this call has to ask for room like any other."""
    made = _recent(state, now_ms)
    if (counted_ms, priority) not in made:
        return ask(state, now_ms, priority, 1, per_minute)
    made.remove((counted_ms, priority))
    return _with(state, [*made, (now_ms, priority)], state.queue), 0


def give_back(state: S, now_ms: int, priority: Priority, counted_ms: int, calls: int) -> S:
    """The state without calls that were counted at `counted_ms` and not made: a check that ends at
    the list of pairings has needed one of four."""
    made = _recent(state, now_ms)
    for _ in range(min(calls, made.count((counted_ms, priority)))):
        made.remove((counted_ms, priority))
    return _with(state, made, state.queue)


def _recent(state: CallsState, now_ms: int) -> Made:
    known = len(state.whose) == len(state.calls_ms)
    whose = state.whose if known else (Priority.ACT,) * len(state.calls_ms)
    # A clock that was set back must not make old calls count for longer than the window.
    recent = (
        (min(at, now_ms), each)
        for at, each in zip(state.calls_ms, whose, strict=True)
        if at > now_ms - WINDOW_MS
    )
    return sorted(recent, key=lambda call: call[0])


def _with(state: S, made: Made, queue: tuple[Place, ...]) -> S:
    changes = {
        "calls_ms": tuple(at for at, _ in made),
        "whose": tuple(each for _, each in made),
        "queue": queue,
    }
    return state.model_copy(update=changes)


def _ahead(waiting: list[Place], priority: Priority, turn: str) -> list[Place]:
    """Who goes first, in their order."""
    above = ORDER[: ORDER.index(priority)]
    first = [each for each in waiting if each.priority in above]
    if not turn:
        return first
    equals = [each for each in waiting if each.priority is priority]
    mine = next((n for n, each in enumerate(equals) if each.turn == turn), len(equals))
    return first + equals[:mine]


def _opens_at(made: Made, at_ms: int, priority: Priority, calls: int, per_minute: int) -> int:
    """The first moment from `at_ms` on when so many calls fit, if nobody else makes any. `made` is
    sorted by time."""
    opens_at = at_ms
    for whose, most in _limits(priority, per_minute):
        times = [at for at, each in made if each in whose and at > at_ms - WINDOW_MS]
        excess = len(times) + calls - most
        if excess > len(times):
            opens_at = max(opens_at, at_ms + WINDOW_MS)  # never, in truth
        elif excess > 0:
            opens_at = max(opens_at, times[excess - 1] + WINDOW_MS)
    return opens_at


def _limits(priority: Priority, per_minute: int) -> list[tuple[tuple[Priority, ...], int]]:
    """Whose calls together may be how many, for each that a call of this priority counts in."""
    place = ORDER.index(priority)
    found = [(ORDER[n:], ceiling(ORDER[n], per_minute)) for n in range(place + 1)]
    if priority is Priority.FOLLOW:
        # Only felt below 30: a task that is followed for hours would leave no check a minute.
        found.append(((priority,), max(FOLLOW_LEAST, per_minute - CHECK_CALLS)))
    return found
