"""The appliance's answer to the DELETE, and where that was lost: tasks and pairing are looked at,
and nothing is ever sent again."""

from __future__ import annotations

from bot.request.absorbing import Step
from bot.request.before_delete import again_at, pause_ms
from bot.request.events import (
    DeleteAccepted,
    DeleteAnswered,
    DeleteNotAccepted,
    DeleteOutcome,
    TasksRead,
)
from bot.request.following import attention, fail, is_gone, succeed, watch
from bot.request.model import State, TaskView
from bot.request.pairing import id_key
from bot.request.plan import (
    LIMITED_MS,
    polled_long_enough,
)
from bot.request.problem import Problem, ProblemKind


def of_this_intent(step: Step, event: DeleteOutcome) -> bool:
    """Whether it is about the intent that the row has. Yes where either does not say which."""
    about, intent = event.intent, step.request.intent
    return about is None or intent is None or about.at == intent.at


def found_in_list(step: Step, event: DeleteAccepted) -> bool:
    """Whether the task is one that was found in the list. It may be somebody else's, which names
    this pairing and was begun after the last listing; only the answer tells."""
    return of_this_intent(step, event) and step.request.task_adopted


def refused(step: Step, event: DeleteAnswered) -> bool:
    """Whether the appliance refused this very DELETE, so that nothing was done."""
    return event.problem.kind is ProblemKind.REFUSED and of_this_intent(step, event)


def accepted(step: Step, event: DeleteAccepted) -> None:
    step.went_on()
    step.change(
        state=State.FOLLOWING,
        deletes_accepted=1,
        task=event.task,
        task_adopted=False,
        polled_at=step.now,
        polling_since=None,
        gone_since=None,
        not_before=None,
    )
    step.record("accepted", task=event.task.id, status=event.task.status)
    watch(step, event.task)


def answered(step: Step, event: DeleteAnswered) -> None:
    """400 and 403 end the request. After anything else we poll; we never send again."""
    problem = event.problem
    step.change(answer=problem)
    step.record("answered", problem=problem.model_dump(exclude_none=True))
    if problem.kind is ProblemKind.REFUSED:
        return fail(step, "delete_refused")
    return step.went_on()


def not_accepted(step: Step, event: DeleteNotAccepted) -> None:
    """The DELETE certainly had no effect: back to `approved`, with the old deadline. A second 401
    fails."""
    request, problem = step.request, event.problem
    step.record("not_accepted", problem=problem.model_dump(exclude_none=True))
    if problem.status is not None:
        step.change(turned_away=problem)
    never_left(step, problem)
    if problem.kind is ProblemKind.UNAUTHORIZED and request.unauthorized >= 1:
        step.change(answer=problem)
        return fail(step, "delete_refused")
    unauthorized = request.unauthorized + (problem.kind is ProblemKind.UNAUTHORIZED)
    step.change(state=State.APPROVED, intent=None, follow_by=None, unauthorized=unauthorized)
    if problem.kind is ProblemKind.UNAUTHORIZED:
        return None  # at once: logging in again is all there is to do
    untold = problem.kind is ProblemKind.LIMITED and problem.retry_at is None
    wait = LIMITED_MS if untold else pause_ms(request, problem)
    return step.wait_for(problem, again_at(step, problem, wait))


def never_left(step: Step, problem: Problem) -> None:
    """Take back what the intent had counted, where nothing left the process."""
    if problem.kind in (ProblemKind.UNSENT, ProblemKind.TOO_LATE):
        step.change(deletes_sent=max(0, step.request.deletes_sent - 1))


def tasks_read(step: Step, event: TasksRead) -> None:
    """Tasks and pairing, after a DELETE that nobody knows the outcome of. Never leads to another
    DELETE."""
    step.went_on()
    request = step.request
    if request.intent is None:
        raise ValueError(f"{request.id} has no intent to follow")
    new = begun_since(step, event)
    mine = next((t for t in new if names_pairing(t, request.pairing_id)), None)
    if mine:
        step.change(
            state=State.FOLLOWING,
            deletes_accepted=1,
            task=mine,
            task_adopted=True,
            polled_at=step.now,
            polling_since=None,
            not_before=None,
        )
        step.record("task_adopted", task=mine.id, status=mine.status)
        return watch(step, mine)
    if is_gone(step, event.pairing):
        return succeed(step, "gone_untold")
    nameless = request.nameless_task or any(_may_name_pairing(t, request.pairing_id) for t in new)
    there = event.pairing == "there"
    if there and request.answer and _done_with(request.answer.kind, nameless=nameless):
        return fail(step, "delete_refused")
    step.change(
        polled_at=step.now,
        polling_since=step.now if request.polling_since is None else request.polling_since,
        nameless_task=nameless,
        not_before=step.now + request.terms.poll_ms,
    )
    if there and polled_long_enough(step.request, step.now):
        attention(step, "outcome_unknown")
    return None


def begun_since(step: Step, event: TasksRead) -> list[TaskView]:
    """The tasks that were not in the list read just before the DELETE."""
    old = {id_key(i) for i in step.request.intent.task_ids} if step.request.intent else set()
    return [t for t in event.tasks if id_key(t.id) not in old]


def names_pairing(task: TaskView, pairing_id: str | None) -> bool:
    """`entity` is the id, or `Type:id` (vendor OpenAPI, Task)."""
    entity, wanted = _entity(task), id_key(pairing_id) or ""
    return bool(wanted) and wanted in (entity, entity.partition(":")[2])


def _may_name_pairing(task: TaskView, pairing_id: str | None) -> bool:
    """Whether it names no pairing at all, or has the id among other parts, which no document
    promises."""
    entity, wanted = _entity(task), id_key(pairing_id) or ""
    return not entity or wanted in entity.split(":")


def _entity(task: TaskView) -> str:
    return id_key(task.entity) or ""


def _done_with(answer: ProblemKind, *, nameless: bool) -> bool:
    """Whether the appliance is done with the call after this answer, so that one successful poll
    settles it. After a 404 it is. After a 500 too, unless a new task names no pairing: that may be
    our DELETE, still at work."""
    return answer is ProblemKind.NOT_FOUND or (answer is ProblemKind.SERVER_ERROR and not nameless)
