"""The appliance refused, or its task failed. Each answer has its own next step."""

from __future__ import annotations

from collections.abc import Callable

from bot.request.model import Outcome, Request
from bot.request.problem import Problem, ProblemKind
from bot.slack.draw.words.ending import Ending
from bot.slack.draw.words.phrases import WHERE_TO_LOOK, pairing

PRIVILEGE = "`HmsRemote.com.vmware.vcHms.Hms.Manage`"


def delete_refused(request: Request, outcome: Outcome) -> Ending:
    problem = outcome.problem
    if problem is None:
        return _refused(request, None)
    if problem.status == 403:
        return _forbidden(request, problem)
    return _BY_KIND.get(problem.kind, _refused)(request, problem)


def task_error(request: Request, outcome: Outcome) -> Ending:
    return Ending(
        title=f"{_task(request)} ended in an error.",
        body=(f"The work on {pairing(request)} did not succeed.",),
        next_step=remove_cause(bool(request.task and request.task.error_message)),
    )


def task_cancelled(request: Request, outcome: Outcome) -> Ending:
    return Ending(
        title=f"{_task(request)} was cancelled there.",
        body=(f"Somebody, or the appliance itself, stopped the work on {pairing(request)}.",),
        next_step="Find out in the vSphere Client, under recent tasks, who cancelled it and why.",
    )


def _task(request: Request) -> str:
    if request.task_adopted:
        return "The task that is taken for ours"
    return "The appliance took the delete, and its task"


def _forbidden(request: Request, problem: Problem) -> Ending:
    return Ending(
        title="The appliance refused: the bot's account may not do this.",
        body=(f"{pairing(request)} was not touched.",),
        next_step=f"Give the bot's account the privilege {PRIVILEGE}, then ask again.",
    )


def _refused(request: Request, problem: Problem | None) -> Ending:
    return Ending(
        title="The appliance refused the delete.",
        body=(f"{pairing(request)} was not touched.",),
        next_step=remove_cause(problem is not None and bool(problem.message)),
    )


def _unauthorized(request: Request, problem: Problem) -> Ending:
    return Ending(
        title="The appliance answered the delete with 401 twice, before and after a new log-in.",
        body=(f"{pairing(request)} was not touched.",),
        next_step="Have `vr-unpair check` run, and the appliance's log read where it finds "
        "nothing, then ask again.",
    )


def _server_error(request: Request, problem: Problem) -> Ending:
    return Ending(
        title="The appliance failed while it handled the delete.",
        body=(f"No task for it can be seen, and {pairing(request)} is still there.",),
        next_step="Have the appliance's log read before anybody asks again."
        + (" Its support wants the op_id." if problem.op_id else ""),
    )


def _not_found(request: Request, problem: Problem) -> Ending:
    return Ending(
        title="The appliance says that the pairing is not there, and yet it still shows it.",
        body=(f"The delete was answered 404; asked afterwards, {pairing(request)} is there.",),
        next_step=f"Look at the pairing in {WHERE_TO_LOOK} before anybody asks again.",
    )


def remove_cause(named: bool) -> str:
    """The step after a refusal. `named`: the appliance has given a cause."""
    if named:
        return "Remove the cause that the appliance names, then ask again."
    return "Look for the cause in the appliance's log, then ask again."


_BY_KIND: dict[ProblemKind, Callable[[Request, Problem], Ending]] = {
    ProblemKind.UNAUTHORIZED: _unauthorized,
    ProblemKind.SERVER_ERROR: _server_error,
    ProblemKind.NOT_FOUND: _not_found,
}
