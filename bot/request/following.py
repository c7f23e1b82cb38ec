"""After the DELETE: read the tasks when its outcome is unknown, follow its task, prove the end."""

from __future__ import annotations

from bot.request.events import (
    CallFailed,
    DeleteAccepted,
    DeleteAnswered,
    DeleteNotAccepted,
    PresenceRead,
    TaskPolled,
    TasksRead,
)
from bot.request.model import Outcome, Request, State, TaskView
from bot.request.pairing import Presence, id_key, same_id
from bot.request.plan import LAST_POLLS_TIMEOUTS, POLLS_OVER_TIMEOUTS, polled_long_enough
from bot.request.problem import Problem, ProblemKind
from bot.request.step import Step


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


def _begun_since(step: Step, event: TasksRead) -> list[TaskView]:
    """The tasks that were not in the list read just before the DELETE."""
    old = {id_key(i) for i in step.request.intent.task_ids} if step.request.intent else set()
    return [t for t in event.tasks if id_key(t.id) not in old]


def _done_with(answer: ProblemKind, *, nameless: bool) -> bool:
    """Whether the appliance is done with the call after this answer, so that one successful poll
    settles it. After a 404 it is. After a 500 too, unless a new task names no pairing: that may be
    our DELETE, still at work."""
    return answer is ProblemKind.NOT_FOUND or (answer is ProblemKind.SERVER_ERROR and not nameless)


def is_gone(step: Step, pairing: Presence) -> bool:
    """Whether that is proved: by the list of pairings, or where that is not whole by answers of 404
    that have gone on for long enough. Then `gone_since` tells by which."""
    if pairing != "unlisted":
        step.change(gone_since=None)
        return pairing == "gone"
    since = step.now if step.request.gone_since is None else step.request.gone_since
    step.change(gone_since=since)
    return step.now - since >= POLLS_OVER_TIMEOUTS * step.request.terms.timeout_ms


def tasks_read(step: Step, event: TasksRead) -> None:
    """Tasks and pairing, after a DELETE that nobody knows the outcome of. Never leads to another
    DELETE."""
    step.went_on()
    request = step.request
    if request.intent is None:
        raise ValueError(f"{request.id} has no intent to follow")
    new = _begun_since(step, event)
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


def task_polled(step: Step, event: TaskPolled) -> None:
    """What the task says of itself, or that the appliance does not know it."""
    step.went_on()
    step.change(polled_at=step.now)
    if event.task is not None:
        step.change(polling_since=None)
        return watch(step, event.task, event.pause_ms)
    since = step.request.polling_since
    step.change(polling_since=step.now if since is None else since)
    enough = polled_long_enough(step.request, step.now)
    pause_ms = max(event.pause_ms, step.request.terms.poll_ms)
    step.change(not_before=None if enough else step.now + pause_ms)
    return None


def watch(step: Step, task: TaskView, pause_ms: int = 0) -> None:
    """Take over what the task says. SUCCESS is not yet the end of the request: that needs proof."""
    known = step.request.task
    step.change(task=task)
    if known is None or known.status != task.status:
        step.record("task", task=task.id, status=task.status, progress=task.progress)
    if not task.ended:
        step.change(not_before=step.now + max(pause_ms, step.request.terms.poll_ms))
    elif task.status == "SUCCESS":
        step.change(polling_since=None, not_before=None)
    else:
        fail(step, f"task_{task.status.lower()}")


def presence_read(step: Step, event: PresenceRead) -> None:
    """The proof: gone ends the request. Still there: polled again, then a person is called."""
    step.went_on()
    request = step.request
    success = request.task is not None and request.task.status == "SUCCESS"
    if is_gone(step, event.pairing):
        return succeed(step, "proved")
    there = event.pairing == "there"
    if there and not success:
        return attention(step, "task_lost")
    since = step.now if request.polling_since is None else request.polling_since
    not_before = step.now + request.terms.poll_ms
    step.change(polled_at=step.now, polling_since=since, not_before=not_before)
    if there and polled_long_enough(step.request, step.now):
        attention(step, "success_but_there")
    return None


def follow_time(step: Step) -> None:
    """FOLLOW_TTL is over. If nothing was polled just before, because the bot was away or many tasks
    are followed, the task may have ended long ago: then there is some more time, once, to
    poll first. A person is not called for what the appliance itself can tell."""
    request, terms = step.request, step.request.terms
    ends_at = (request.intent.at if request.intent else 0) + terms.follow_ttl_ms
    polled = request.polled_at is not None and request.polled_at >= ends_at - 2 * terms.poll_ms
    if not polled and request.follow_by == ends_at:
        # A pause between polls may last longer than that; one that the appliance asked for stays.
        pause = request.not_before if request.waiting else None
        last = step.now + LAST_POLLS_TIMEOUTS * terms.timeout_ms
        return step.change(follow_by=last, not_before=pause)
    return attention(step, "follow_ttl")


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


def never_left(step: Step, problem: Problem) -> None:
    """Take back what the intent had counted, where nothing left the process."""
    if problem.kind in (ProblemKind.UNSENT, ProblemKind.TOO_LATE):
        step.change(deletes_sent=max(0, step.request.deletes_sent - 1))


def look_failed(step: Step, event: CallFailed) -> None:
    request = step.request
    clicks = tuple(c for c in request.clicks if c.action == "look")
    step.change(clicks=tuple(c for c in request.clicks if c not in clicks))
    for click in clicks:
        step.answer("look_failed", event=click.event, text=event.problem.text)


def succeed(step: Step, code: str) -> None:
    by_404s = step.request.gone_since is not None
    outcome = Outcome(code=code, problem=step.request.answer, by_404s=by_404s)
    step.end(State.SUCCEEDED, outcome)
    step.record("succeeded", why=code, by_404s=by_404s or None)


def fail(step: Step, code: str) -> None:
    step.end(State.FAILED, Outcome(code=code, problem=step.request.answer))
    step.record("failed", why=code)


def attention(step: Step, code: str) -> None:
    problem = step.request.answer or step.request.waiting
    step.end(State.ATTENTION, Outcome(code=code, problem=problem))
    step.record("attention", why=code)


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
    mine = (t for t in _begun_since(step, event) if names_pairing(t, request.pairing_id))
    return next(mine, None)
