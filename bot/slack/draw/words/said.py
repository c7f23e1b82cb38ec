"""What the appliance said, in its own words: nothing reworded or left out, only cut if too long.

A task's `status`, `id`, `error.message` and `error.details`; for a refused call the HTTP status and
the ResponseError's `error_code`, `message` and `op_id` (vendor OpenAPI, Task and ResponseError).
"""

from __future__ import annotations

from bot.request.model import Request, TaskView
from bot.request.problem import Problem
from bot.slack.draw.limits import ID, VENDOR_WORDS
from bot.slack.draw.markup import code, fence, sentence

_BEFORE_THE_TASK = "This came back for the delete, before the task was found:"


def said(request: Request, problem: Problem | None, limit: int = VENDOR_WORDS) -> tuple[str, ...]:
    """Paragraphs that each fit into a section. `limit` applies to each of the vendor's texts."""
    task = _task(request.task, limit) if request.task else []
    answer = _answer(problem, limit) if problem else []
    if task and answer and problem == request.answer:
        # In the order in which they came. Otherwise a success would end with an earlier error.
        answer[0] = f"{_BEFORE_THE_TASK}\n{answer[0]}"
        return (*answer, *task)
    return (*task, *answer)


def problem_said(problem: Problem, limit: int = VENDOR_WORDS) -> tuple[str, ...]:
    """The same for a call that belongs to no request."""
    return tuple(_answer(problem, limit))


def _task(task: TaskView, limit: int) -> list[str]:
    lines = [f"Task status {code(task.status, ID)}, id {code(task.id, ID)}"]
    if task.error_message:
        lines.append(f"Task error message:\n{fence(task.error_message, limit)}")
    if task.error_details:
        lines.append(f"Task error details:\n{fence(task.error_details, limit)}")
    if task.status == "ERROR" and not (task.error_message or task.error_details):
        lines.append("The task came without an error message.")
    return lines


def _answer(problem: Problem, limit: int) -> list[str]:
    if problem.status is None:
        return [sentence(problem.text)]
    words = [f"The appliance answered HTTP {code(str(problem.status), ID)}"]
    if problem.error_code:
        words.append(f"error_code {code(problem.error_code, ID)}")
    if problem.op_id:
        words.append(f"op_id {code(problem.op_id, ID)}")
    lines = [", ".join(words)]
    if problem.message:
        lines.append(f"The appliance's message:\n{fence(problem.message, limit)}")
    elif not problem.error_code:
        lines.append(sentence(problem.text))  # our words, since there are none of the vendor's
    return lines
