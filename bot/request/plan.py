"""`plan`: the next effect of a request, from the request and the time alone."""

from __future__ import annotations

from bot.request.effects import (
    Effect,
    LookAround,
    LookAtPairing,
    LookAtTask,
    ReadPairing,
    ReadRights,
    ReadStanding,
    SendDelete,
    Tick,
    Wait,
)
from bot.request.limits import LOOKS_OVER_TIMEOUTS, READINGS_FRESH_MS
from bot.request.model import Request, State
from bot.request.problem import ProblemKind

FOREVER = None


def plan(request: Request, now: int) -> Effect:
    """What to do next at `now` (ms); `Wait` when there is nothing."""
    match request.state:
        case State.CHECKING:
            return _checking(request, now)
        case State.PENDING:
            return _pending(request, now)
        case State.APPROVED:
            return _approved(request, now)
        case State.DELETING:
            return _later(request.follow_by, request, now) or _look_around(request)
        case State.FOLLOWING:
            return _following(request, now)
        case State.ATTENTION if request.clicks:
            return _look_around(request)
        case _:
            return Wait(until=FOREVER)


def next_reminder(request: Request) -> int | None:
    """Gaps double: R, then 2R, then 4R …, so the n-th reminder comes at R x (2^n - 1)."""
    gap = request.terms.remind_after_ms
    if not gap or request.pending_since is None:
        return None
    doublings: int = 2 ** (request.reminders + 1) - 1
    return request.pending_since + gap * doublings


def looked_long_enough(request: Request, now: int) -> bool:
    """Whether successful looks have gone on long enough to call a person."""
    since = request.looking_since
    span = LOOKS_OVER_TIMEOUTS * request.terms.timeout_ms
    return since is not None and now - since >= span


def _checking(request: Request, now: int) -> Effect:
    deadline = request.decide_by or request.created_at + request.terms.approval_ttl_ms
    if now >= deadline:
        return Tick()
    if not request.standing_read:
        return _until(request.not_before, deadline, now) or ReadStanding()
    if request.snapshot is None:
        return _until(request.not_before, deadline, now) or ReadPairing(purpose="check")
    return Wait(until=deadline)


def _pending(request: Request, now: int) -> Effect:
    # A click that came before the deadline counts, even if the deadline has passed meanwhile.
    if request.clicks:
        click = request.clicks[0]
        if click.action == "break_glass":
            return ReadRights(people=(), glass=(click.by,))
        counted = tuple(d.by for d in request.approvals) if click.action == "approve" else ()
        return ReadRights(people=tuple(dict.fromkeys((click.by, *counted))))
    times = [t for t in (request.decide_by, next_reminder(request)) if t is not None]
    if any(now >= t for t in times):
        return Tick()
    return Wait(until=min(times, default=FOREVER))


def _approved(request: Request, now: int) -> Effect:
    later = _later(request.execute_by, request, now)
    if later:
        return later
    readings = request.readings
    if not _fresh(readings.rights_at, now):
        if request.glass:
            return ReadRights(people=(), glass=(request.glass.by,))
        return ReadRights(people=tuple(d.by for d in request.approvals))
    if not _fresh(readings.appliance_at, now):
        return ReadPairing(purpose="act")
    return SendDelete()


def _following(request: Request, now: int) -> Effect:
    later = _later(request.follow_by, request, now)
    if later:
        return later
    task = request.task
    if task is None or task.ended or request.gone_since is not None:
        return LookAtPairing()
    return LookAtPairing() if _missing_for_long(request, now) else LookAtTask(task_id=task.id)


def _look_around(request: Request) -> LookAround:
    """After a 404 to the DELETE no task is ours, whatever it names: nothing of ours began."""
    if request.task is not None:
        return LookAround(listed=False, task_id=request.task.id)
    nothing_began = request.answer is not None and request.answer.kind is ProblemKind.NOT_FOUND
    return LookAround(listed=not nothing_began)


def _missing_for_long(request: Request, now: int) -> bool:
    """Whether the task's id has been answered 404 for long, the last answer included. After a look
    that failed (`not_before` is set) it is asked for again: the task may be back."""
    return looked_long_enough(request, now) and request.not_before is None


def _later(deadline: int | None, request: Request, now: int) -> Effect | None:
    """`Tick` when the deadline has come, `Wait` when it is too early, else None."""
    if deadline is not None and now >= deadline:
        return Tick()
    return _until(request.not_before, deadline, now)


def _until(not_before: int | None, deadline: int | None, now: int) -> Wait | None:
    if not_before is None or now >= not_before:
        return None
    return Wait(until=not_before if deadline is None else min(not_before, deadline))


def _fresh(read_at: int | None, now: int) -> bool:
    # A reading from the future means that the clock was set back: not fresh either.
    return read_at is not None and 0 <= now - read_at <= READINGS_FRESH_MS
