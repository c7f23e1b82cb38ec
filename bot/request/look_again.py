"""What corrects an end that nobody could confirm: Look again, which only reads, and an answer to
the DELETE that comes late."""

from __future__ import annotations

from bot.request.absorbing import Step
from bot.request.after_delete import begun_since, names_pairing, never_left
from bot.request.events import (
    CallFailed,
    DeleteAccepted,
    DeleteAnswered,
    DeleteNotAccepted,
    TasksRead,
)
from bot.request.following import is_gone
from bot.request.model import Outcome, Request, State, TaskView
from bot.request.pairing import same_id


def looked_again(step: Step, event: TasksRead) -> None:
    """Somebody pressed Look again on a request in `attention`. It may bring one correction, and
    never sends anything."""
    request = step.request
    clicks = tuple(c for c in request.clicks if c.action == "look")
    step.change(clicks=tuple(c for c in request.clicks if c not in clicks))
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
    signs = "yes" if by_signs else ""
    superseded = "yes" if event.superseded else ""
    for click in clicks:
        step.record("looked", click.by, found=code)
        step.answer(code, event=click.event, superseded=superseded, by_signs=signs)
    if _news(request, code) and not (state and not event.superseded):
        people = tuple(dict.fromkeys(click.by for click in clicks))
        step.notice("looked", text=code, who=people)
    if state and not event.superseded:
        step.change(task=task or request.task, task_adopted=by_signs)
        by_404s = state is State.SUCCEEDED and step.request.gone_since is not None
        _correct(step, state, Outcome(code=code, by_404s=by_404s))


def _news(request: Request, code: str) -> bool:
    """Whether the thread has not heard that yet. Whoever called for a person has mostly said that
    the pairing is still there."""
    told = [notice.text for notice in request.notices if notice.code == "looked"]
    if told:
        return told[-1] != code
    open_end = request.outcome is None or request.outcome.code in ("follow_ttl", "accepted_late")
    return open_end or code != "look_still_there"


def look_failed(step: Step, event: CallFailed) -> None:
    request = step.request
    clicks = tuple(c for c in request.clicks if c.action == "look")
    step.change(clicks=tuple(c for c in request.clicks if c not in clicks))
    for click in clicks:
        step.answer("look_failed", event=click.event, text=event.problem.text)


def _correct(step: Step, state: State, outcome: Outcome) -> None:
    step.answer_waiting_clicks()  # a look that still waits
    step.change(state=state, correction=outcome)
    step.record("corrected", why=outcome.code)


def _task_of(step: Step, event: TasksRead) -> TaskView | None:
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
    late = Outcome(code="accepted_late")
    step.change(task=event.task, task_adopted=False, outcome=late, deletes_accepted=1)
    step.record("accepted", task=event.task.id, status=event.task.status)


def not_accepted_late(step: Step, event: DeleteAnswered | DeleteNotAccepted) -> None:
    """The same, and it says that nothing was done: refused, or not accepted."""
    refused = isinstance(event, DeleteAnswered)
    never_left(step, event.problem)
    state = State.FAILED if refused else State.EXPIRED
    _correct(step, state, Outcome(code="not_accepted_late", problem=event.problem))
    action = "answered" if refused else "not_accepted"
    step.record(action, problem=event.problem.model_dump(exclude_none=True))
