"""The appliance's answer to the DELETE, and where that was lost: tasks and pairing are looked at,
and nothing is ever sent again."""

from __future__ import annotations

from bot.request.before_delete import again_at, pause_ms
from bot.request.event_changes import Step
from bot.request.events import (
    CallFailed,
    DeleteAccepted,
    DeleteAnswered,
    DeleteNotAccepted,
    DeleteOutcome,
    PresenceRead,
)
from bot.request.following import attention, fail, is_gone, succeed, watch
from bot.request.model import NOTHING_BEGAN, Outcome, State, WaitingClick
from bot.request.pairing import id_key, same_id
from bot.request.plan import (
    LIMITED_MS,
    polled_long_enough,
)
from bot.request.problem import Problem, ProblemKind
from bot.request.task import TaskView


def of_this_intent(step: Step, event: DeleteOutcome) -> bool:
    """Whether it is about the intent that the row has. Yes where either does not say which."""
    about, intent = event.intent, step.request.intent
    return about is None or intent is None or about.at == intent.at


def found_in_list(step: Step, event: DeleteOutcome) -> bool:
    """Whether the task is one that was found in the list. It may be somebody else's, which names
    this pairing and was begun after the last listing; only the answer tells."""
    return of_this_intent(step, event) and step.request.task_adopted


def nothing_began(step: Step, event: DeleteAnswered | DeleteNotAccepted) -> bool:
    """Whether whoever sent this DELETE says that no task can be its own."""
    kind = event.problem.kind
    no_task = kind in (ProblemKind.REFUSED, ProblemKind.NOT_FOUND)
    return of_this_intent(step, event) and (isinstance(event, DeleteNotAccepted) or no_task)


def credited_wrongly(step: Step, event: DeleteAnswered | DeleteNotAccepted) -> bool:
    """Whether the end tells of a task that is not ours, or leaves open whether the pairing is gone
    by this call. Not after a 404, which leaves that open too, nor when it is corrected already."""
    request, known = step.request, step.request.correction
    untold = request.state is State.SUCCEEDED and request.task is None and request.answer is None
    untold = untold and event.problem.kind is not ProblemKind.NOT_FOUND
    corrected = known is not None and known.code in NOTHING_BEGAN
    return nothing_began(step, event) and not corrected and (request.task_adopted or untold)


def refused(step: Step, event: DeleteAnswered) -> bool:
    """Whether the appliance refused this very DELETE, so that nothing was done."""
    return event.problem.kind is ProblemKind.REFUSED and of_this_intent(step, event)


def accepted(step: Step, event: DeleteAccepted) -> None:
    step.went_on()
    step.change(
        state=State.FOLLOWING,
        task=event.task,
        task_adopted=False,
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


def not_ours(step: Step, event: DeleteAnswered | DeleteNotAccepted) -> None:
    """The task that is followed is somebody else's, since nothing of ours began: from here on it is
    as if it had never been found. Another DELETE goes out only as after any that was not accepted:
    in the old time, with rights and pairing read again."""
    task = step.request.task
    step.went_on()
    step.change(state=State.DELETING, task=None, task_adopted=False, gone_since=None)
    step.change(polling_since=None, not_before=None)
    step.notice("not_ours", text=task.id if task else "")
    step.record("task_not_ours", task=task.id if task else None)
    if isinstance(event, DeleteNotAccepted):
        return not_accepted(step, event)
    return answered(step, event)


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
    step.change(
        state=State.APPROVED,
        intent=None,
        follow_by=None,
        unauthorized=unauthorized,
        nameless_task=False,
    )
    if problem.kind is ProblemKind.UNAUTHORIZED:
        return None  # at once: logging in again is all there is to do
    untold = problem.kind is ProblemKind.LIMITED and problem.retry_at is None
    wait = LIMITED_MS if untold else pause_ms(request, problem)
    return step.wait_for(problem, again_at(step, problem, wait))


def never_left(step: Step, problem: Problem) -> None:
    """Take back what the intent had counted, where nothing left the process."""
    if problem.kind in (ProblemKind.UNSENT, ProblemKind.TOO_LATE, ProblemKind.UNWITNESSED):
        step.change(deletes_sent=max(0, step.request.deletes_sent - 1))


def tasks_read(step: Step, event: PresenceRead) -> None:
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
            task=mine,
            task_adopted=True,
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
        polling_since=step.now if request.polling_since is None else request.polling_since,
        nameless_task=nameless,
        not_before=step.now + request.terms.poll_ms,
    )
    if there and polled_long_enough(step.request, step.now):
        attention(step, "outcome_unknown")
    return None


def begun_since(step: Step, event: PresenceRead) -> list[TaskView]:
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


# ---- an end that nobody could confirm is corrected ----------------------------------------------
# By Look again, which only reads, and by an answer to the DELETE that comes late.


def looked_again(step: Step, event: PresenceRead) -> None:
    """Somebody pressed Look again on a request in `attention`. It may bring one correction, and
    never sends anything."""
    request, clicks = step.request, _looks_done(step)
    task = _task_of(step, event)
    if task and not task.ended:
        code, state = "look_running", None
    elif is_gone(step, event.pairing):
        code, state = "look_gone", State.SUCCEEDED
    elif event.pairing == "unlisted":
        code, state = "look_unlisted", None
    elif task and task.status != "SUCCESS":
        code, state = "look_task_failed", State.FAILED
    else:
        code, state = "look_still_there", None
    by_signs = request.task_adopted or (task is not None and request.task is None)
    superseded = "yes" if event.superseded else ""
    for click in clicks:
        step.record("looked", click.by, found=code)
        step.answer(code, event=click.event, superseded=superseded)
    if state and not event.superseded:
        step.change(task=task or request.task, task_adopted=by_signs)
        by_404s = state is State.SUCCEEDED and step.request.gone_since is not None
        _correct(step, state, Outcome(code=code, by_404s=by_404s))


def look_failed(step: Step, event: CallFailed) -> None:
    for click in _looks_done(step):
        step.answer("look_failed", event=click.event, text=event.problem.text)


def _looks_done(step: Step) -> tuple[WaitingClick, ...]:
    """The presses that this look answers: all those whose right had been read."""
    clicks = tuple(c for c in step.request.clicks if c.may)
    left = tuple(c for c in step.request.clicks if not c.may)
    step.change(clicks=left, looked_at=step.now)
    return clicks


def _correct(step: Step, state: State, outcome: Outcome) -> None:
    step.answer_waiting_clicks()  # a look that still waits
    step.change(state=state, correction=outcome)
    step.record("corrected", why=outcome.code)


def _task_of(step: Step, event: PresenceRead) -> TaskView | None:
    request = step.request
    if request.task:
        known = request.task.id
        return next((t for t in event.tasks if same_id(t.id, known)), None)
    if request.intent is None:
        return None  # lost with the database's last commits, so any task may be an old one
    mine = (t for t in begun_since(step, event) if names_pairing(t, request.pairing_id))
    return next(mine, None)


def accepted_late(step: Step, event: DeleteAccepted) -> None:
    """The process that has had the answer in hand all the time names the task that nobody could
    find. The final reply says so, and Look again asks for that task by its id."""
    step.change(task=event.task, task_adopted=False, outcome=Outcome(code="accepted_late"))
    step.record("accepted", task=event.task.id, status=event.task.status)


def not_accepted_late(step: Step, event: DeleteAnswered | DeleteNotAccepted) -> None:
    """The same, and it says that nothing was done: refused, or not accepted. An end that is final
    stays; what is corrected is whose work it was."""
    never_left(step, event.problem)
    problem, state = event.problem, step.request.state
    answered = isinstance(event, DeleteAnswered)
    if state is not State.ATTENTION:
        _correct(step, state, Outcome(code="not_ours", problem=problem))
    elif answered:
        _correct(step, State.FAILED, Outcome(code="delete_refused", problem=problem))
    else:
        _correct(step, State.EXPIRED, Outcome(code="not_begun", problem=problem))
    action = "answered" if answered else "not_accepted"
    step.record(action, problem=problem.model_dump(exclude_none=True))
