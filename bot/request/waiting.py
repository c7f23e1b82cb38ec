"""Waiting for the appliance or for Slack: in silence at first, then the thread is told once that it
waits and once that it goes on."""

from __future__ import annotations

from collections.abc import Sequence

from bot.request.events import RightsRead
from bot.request.limits import TELL_AFTER_MS
from bot.request.model import Request, State
from bot.request.problem import Problem, ProblemKind
from bot.request.step import Step
from bot.request.who_may import Verdict

WAITS = {
    State.APPROVED: "waits_to_send",
    State.DELETING: "waits_to_look",
    State.FOLLOWING: "waits_to_follow",
}
GOES_ON = "goes_on"

RIGHTS_UNREAD = Problem(
    kind=ProblemKind.UNANSWERED,
    text="Slack does not say whether everybody who approved still has the right to.",
)


def wait_for(step: Step, problem: Problem, until: int) -> None:
    """Do nothing before `until`. The thread is told when the wait is or will be a long one, and
    never that a look after the DELETE waits for our own limit of calls: the next one finds out as
    much as this one would have."""
    if problem.kind is ProblemKind.OVER_BUDGET and step.request.state is not State.APPROVED:
        step.change(not_before=until)
        return
    since = step.request.unreachable_since
    if since is None:
        since = step.now
    step.change(not_before=until, unreachable_since=since, waiting=problem)
    if told_of_wait(step.request):
        return
    if step.now - since >= TELL_AFTER_MS or until - step.now >= TELL_AFTER_MS:
        step.notice(WAITS[step.request.state], text=problem.text)
        step.record("waits", problem=problem.model_dump(exclude_none=True))


def again_at(step: Step, problem: Problem, pause_ms: int) -> int:
    """When to try again: at the time we were given, and never before the pause, since a Retry-After
    of 0 must not make us ask in a tight loop. The time that the bot's own budget gives is exact."""
    if problem.kind is ProblemKind.OVER_BUDGET and problem.retry_at is not None:
        return problem.retry_at
    return max(problem.retry_at or 0, step.now + pause_ms)


def wait_for_rights(step: Step, unread: Sequence[Verdict]) -> None:
    """Read them again when Slack says, or soon, until EXECUTION_TTL is over."""
    retry = max((v.retry_at for v in unread if v.retry_at), default=None)
    wait_for(step, RIGHTS_UNREAD, retry or step.now + step.request.terms.poll_ms)


def rights_known(step: Step, event: RightsRead) -> None:
    """All who approved still have the right. What was read of the pairing stays valid: if that took
    so long that the rights grew old, reading both again could go on for ever."""
    readings = step.request.readings.model_copy(update={"rights_at": step.read_at(event)})
    step.change(readings=readings, not_before=None)


def went_on(step: Step) -> None:
    """The wait is over, not just one call of several: whoever was told of it is told so."""
    request = step.request
    if request.waiting is None and request.unreachable_since is None:
        return
    step.change(waiting=None, unreachable_since=None, not_before=None)
    if told_of_wait(request):
        step.notice(GOES_ON)


def told_of_wait(request: Request) -> bool:
    """Whether the thread believes that it waits: its last word on that since the approval."""
    since = request.approved_at or 0
    words = [
        n.code for n in request.notices if n.at >= since and n.code in (*WAITS.values(), GOES_ON)
    ]
    return bool(words) and words[-1] != GOES_ON
