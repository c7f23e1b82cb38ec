"""What a second look or a late answer has shown, after it was not known what happened."""

from __future__ import annotations

from bot.request.model import Outcome, Request
from bot.slack.draw.markup import code
from bot.slack.draw.words.ending import Ending
from bot.slack.draw.words.failed import remove_cause
from bot.slack.draw.words.phrases import pairing
from bot.slack.draw.words.succeeded import after_gone


def look_gone(request: Request, outcome: Outcome) -> Ending:
    """Without a task that the appliance has named in its answer it is not known whether our delete
    arrived: somebody else may have deleted the pairing."""
    known = request.task and not request.task_adopted
    untold = "" if known else "; whether by this call cannot be told"
    return Ending(
        title=f"Looked again: the pairing is gone{untold}.",
        body=(f"The appliance no longer knows {pairing(request)}.",),
        next_step=after_gone(request),
    )


def heard_refused(request: Request, outcome: Outcome) -> Ending:
    return Ending(
        title="The answer has come after all: the appliance refused the delete.",
        body=(f"The process that sent it was held up. {pairing(request)} was not touched.",),
        next_step=remove_cause(outcome.problem is not None and bool(outcome.problem.message)),
    )


def heard_not_accepted(request: Request, outcome: Outcome) -> Ending:
    return Ending(
        title="Found out after all: the appliance has not taken the delete.",
        body=(f"The process that was to send it was held up. {pairing(request)} was not touched.",),
        next_step="If the pairing is still to be broken, ask again.",
    )


def look_task_failed(request: Request, outcome: Outcome) -> Ending:
    status = f" with {code(request.task.status)}" if request.task else ""
    return Ending(
        title=f"Looked again: the task ended{status}, and the pairing is still there.",
        body=(f"{pairing(request)} was not broken.",),
        next_step="Look for the cause in what the task says, then ask again.",
    )
