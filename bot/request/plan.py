"""`plan`: the next effect of a request, from the request and the time alone."""

from __future__ import annotations

from typing import Literal, Protocol

from bot.request import Frozen
from bot.request.events import CallFailed, DeleteOutcome, PairingRead, PresenceRead, TaskPolled
from bot.request.lookup_results import ListedPairing
from bot.request.model import Request, State
from bot.request.pairing import PairingUnresolved
from bot.request.problem import ProblemKind
from bot.request.time_for_delete import AHEAD_MS
from bot.request.who_may import Home, Person, Verdict

UNREACHABLE_MS = 5 * 60_000
"""A check gives up on an appliance that has been away this long (contract, `refused`)."""

READINGS_FRESH_MS = 10_000
"""Rights and pairing that were read before the DELETE are read anew when they are older than this:
the process may have been frozen since. (Another claim reads anew in any case.) Longer than one
reading takes, and shorter than anybody would call stale."""

LONGEST_READING_MS = 20_000
"""When a reading took longer than this, its process must have been frozen, and what it read is old.
Longer than any effect may take at the default settings and shorter than a lease. With a longer
VR_TIMEOUT_SECONDS it is twice that."""

LIMITED_MS = 60_000
"""After a 429 that names no time: the vendor counts per minute (release notes of 8.8)."""

TELL_AFTER_MS = 30_000
"""The thread is told of a wait only when it lasts this long: nobody needs to know of a hiccup."""

POLLS_OVER_TIMEOUTS = 2
"""Polls go on for this many times VR_TIMEOUT_SECONDS before a person is called. By then a call that
was still under way at the first poll has been answered or has timed out."""


AHEAD = frozenset({"ahead", "ahead_unread"})
"""Codes of the notices that say so."""


class Wait(Frozen):
    """Nothing to do before `until` (ms); None: only an event can wake it."""

    until: int | None


class Tick(Frozen):
    """Time itself is the event: absorb `TimePassed`."""


class ReadRightsToAsk(Frozen):
    """May the requester ask, and who could approve?"""


class ReadPairing(Frozen):
    """What the appliance says of the pairing; to `act`, its tasks as well. `ahead`: the same some
    minutes before the time that was asked for, to tell people."""

    purpose: Literal["check", "act", "ahead"]


class ReadRights(Frozen):
    """The rights that these people have now. `glass`: whose right to break the glass is read;
    `asking`: whose right to ask in the request's channel."""

    people: tuple[str, ...] = ()
    glass: tuple[str, ...] = ()
    asking: tuple[str, ...] = ()


class SendDelete(Frozen):
    """Log in and reserve the call, store the intent, send. Once."""


class PollTask(Frozen):
    """The task that is followed, asked for by its id."""

    task_id: str


class ReadPresence(Frozen):
    """Is it gone? After a DELETE whose outcome is unknown, and when somebody presses Look again,
    with tasks: all that are `listed`, or the one of this id."""

    listed: bool = False
    task_id: str | None = None


Effect = (
    Wait | Tick | ReadRightsToAsk | ReadPairing | ReadRights | SendDelete | PollTask | ReadPresence
)


# ---- what runs them, outside: adapters return events, never errors ------------------------------


class AppliancePort(Protocol):
    """One appliance. `by` is the monotonic second by which the whole effect must be over."""

    def find_and_read(self, asked: str, by: float) -> PairingRead | PairingUnresolved | CallFailed:
        """The pairing that somebody typed, as it is now."""
        ...

    def list_pairings(
        self, by: float, *, count_at_most: int
    ) -> tuple[tuple[ListedPairing, ...], tuple[str, ...]] | CallFailed:
        """All pairings, and what is missing in the appliance's own words. The replications of
        each are counted where there are no more than `count_at_most` of them and the budget of
        calls has room."""
        ...

    def read_to_act(self, pairing_id: str, by: float) -> PairingRead | PresenceRead | CallFailed:
        """The pairing as it is now, and all tasks listed after it. Or that it is not there."""
        ...

    def prepare_delete(self, pairing_id: str, by: float) -> CallFailed | None:
        """Log in, remote session, one connection: all that comes before the intent."""
        ...

    def end_delete(self, pairing_id: str) -> None:
        """What was prepared is not needed any more, sent or not."""
        ...

    def give_back(self, pairing_id: str) -> None:
        """No DELETE of it comes now: one that was counted with `read_to_act` and not sent is not
        counted any more."""
        ...

    def delete(self, pairing_id: str, *, force: bool, send_by: float, by: float) -> DeleteOutcome:
        """Exactly one DELETE, or provably none: not after the monotonic second `send_by`."""
        ...

    def read_presence(
        self, pairing_id: str, by: float, *, listed: bool, task_id: str | None
    ) -> PresenceRead | CallFailed:
        """All tasks that are `listed`, or the one of this id, or none; and the pairing."""
        ...

    def poll_task(self, task_id: str, by: float) -> TaskPolled | CallFailed:
        """One call, whatever else the appliance has to do."""
        ...


class PeoplePort(Protocol):
    """Who somebody is, by Slack, without a cache."""

    def home(self) -> Home: ...

    def person(self, user: str) -> Person | Verdict:
        """The person; a verdict where Slack does not know them, or `unreadable`, with when to ask
        again where Slack said so."""
        ...

    def members(self, group: str) -> frozenset[str] | Verdict:
        """Who is in a user group: nobody where it is disabled or unknown. Or the verdict
        `group_unreadable`, with when to ask again where Slack said so."""
        ...

    def who_sees(self, channel: str) -> frozenset[str] | Verdict | None:
        """Who is in a private channel; None for a public one, which everybody of the workspace may
        read. Or the verdict `unreadable`."""
        ...


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
            return _later(request.follow_by, request, now) or _look(request)
        case State.FOLLOWING:
            return _following(request, now)
        case State.ATTENTION if request.clicks:
            first = request.clicks[0]
            if first.action == "settle":
                return ReadRights(people=(first.by,))
            # Rights come first, so that only those who may look cost calls of the appliance.
            unread = [c.by for c in request.clicks if c.action == "look" and not c.may]
            return ReadRights(asking=tuple(dict.fromkeys(unread))) if unread else _look(request)
        case _:
            return Wait(until=None)


def next_at(request: Request, now: int) -> int | None:
    """When there is something to do next; None when there never is."""
    effect = plan(request, now)
    return effect.until if isinstance(effect, Wait) else now


def next_reminder(request: Request) -> int | None:
    """Gaps double: R, then 2R, then 4R …, so the n-th reminder comes at R x (2^n - 1)."""
    gap = request.terms.remind_after_ms
    if not gap or request.pending_since is None:
        return None
    doublings: int = 2 ** (request.reminders + 1) - 1
    return request.pending_since + gap * doublings


def polled_long_enough(request: Request, now: int) -> bool:
    """Whether successful polls have gone on long enough to call a person."""
    since = request.polling_since
    span = POLLS_OVER_TIMEOUTS * request.terms.timeout_ms
    return since is not None and now - since >= span


def _checking(request: Request, now: int) -> Effect:
    deadline = request.decide_by or request.created_at + request.terms.approval_ttl_ms
    if now >= deadline:
        return Tick()
    if not request.rights_to_ask_read:
        return _until(request.not_before, deadline, now) or ReadRightsToAsk()
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
    return Wait(until=min(times, default=None))


def told_ahead(request: Request) -> bool:
    """Whether the thread was told since the approval that it is about to be done."""
    since = request.approved_at or 0
    return any(n.code in AHEAD and n.at >= since for n in request.notices)


def _approved(request: Request, now: int) -> Effect:
    if request.clicks:  # a denial, which counts until it is sent
        return ReadRights(people=(request.clicks[0].by,))
    at = request.scheduled_at
    if at is not None and now < at:
        tell_at = at - AHEAD_MS
        if told_ahead(request) or (request.approved_at or now) >= tell_at:
            # Not past the deadline, even where the appliance asked for longer.
            pause = min(request.not_before or 0, request.execute_by or at)
            return Wait(until=max(at, pause))
        begin = max(tell_at, request.not_before or 0)
        return Wait(until=min(begin, at)) if now < begin else ReadPairing(purpose="ahead")
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
        return ReadPresence()
    return ReadPresence() if _missing_for_long(request, now) else PollTask(task_id=task.id)


def _look(request: Request) -> ReadPresence:
    """After a 404 to the DELETE no task is ours, whatever it names: nothing of ours began."""
    if request.task is not None:
        return ReadPresence(task_id=request.task.id)
    nothing_began = request.answer is not None and request.answer.kind is ProblemKind.NOT_FOUND
    return ReadPresence(listed=not nothing_began)


def _missing_for_long(request: Request, now: int) -> bool:
    """Whether the task's id has been answered 404 for long, the last answer included. After a poll
    that failed (`not_before` is set) it is asked for again: the task may be back."""
    return polled_long_enough(request, now) and request.not_before is None


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
