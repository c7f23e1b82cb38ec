"""Waiting for the appliance: in silence at first, told once when it lasts and once when it ends."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.events import RightsRead
from bot.core.life.limits import TELL_AFTER_MS
from bot.core.life.step import Step
from bot.core.problem import Problem, ProblemKind
from bot.core.request import Request, State
from bot.core.who_may import Verdict

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
    """Nothing more before `until`; the thread hears of it when it has lasted, or will last."""
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
    """When to try again: when somebody said so, and not before the pause. A Retry-After of 0 is no
    leave to ask without one. The bot's own budget keeps a place for the time that it names."""
    if problem.kind is ProblemKind.OVER_BUDGET and problem.retry_at is not None:
        return problem.retry_at
    return max(problem.retry_at or 0, step.now + pause_ms)


def wait_for_rights(step: Step, unread: Sequence[Verdict]) -> None:
    """Rights that cannot be read are tried again until EXECUTION_TTL, when Slack says, or soon."""
    retry = max((v.retry_at for v in unread if v.retry_at), default=None)
    wait_for(step, RIGHTS_UNREAD, retry or step.now + step.request.terms.poll_ms)


def rights_known(step: Step, event: RightsRead) -> None:
    """All who are counted still may. What was read of the pairing stays: where that took long, only
    the rights have grown old meanwhile, and reading both again would go on for ever."""
    readings = step.request.readings.model_copy(update={"rights_at": step.read_at(event)})
    step.change(readings=readings, not_before=None)


def went_on(step: Step) -> None:
    """What was waited for has happened, and not only a call of several: whoever was told of the
    wait is told that it is over."""
    request = step.request
    if request.waiting is None and request.unreachable_since is None:
        return
    step.change(waiting=None, unreachable_since=None, not_before=None)
    if told_of_wait(request):
        step.notice(GOES_ON)


def told_of_wait(request: Request) -> bool:
    """Whether the last word in the thread about waiting, since the approval, is that it waits."""
    since = request.approved_at or 0
    words = [
        n.code for n in request.notices if n.at >= since and n.code in (*WAITS.values(), GOES_ON)
    ]
    return bool(words) and words[-1] != GOES_ON
