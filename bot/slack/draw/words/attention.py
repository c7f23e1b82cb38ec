"""For ends where it is not known what happened. A person must look, and this says where."""

from __future__ import annotations

from bot.request.model import Outcome, Request, State
from bot.slack.draw.markup import code
from bot.slack.draw.words.ending import Ending
from bot.slack.draw.words.phrases import WHERE_TO_LOOK, duration, pairing, show


def unknown_fate(request: Request, outcome: Outcome) -> Ending:
    seen = f"No task for it can be seen, and {pairing(request)} is still there."
    if request.answer is None:
        unknown = _look(
            request,
            "It cannot be told whether the delete was sent.",
            "It may have gone out: the process that was to send it was stopped or held up, and no "
            f"answer is known. {seen} Nothing is sent a second time.",
        )
    else:
        unknown = _look(
            request,
            "It cannot be told whether the delete arrived.",
            f"Its answer was lost or not understood. {seen} The delete was not sent a second time.",
        )
    return _taken_after_all(request) or unknown


def nameless_task(request: Request, outcome: Outcome) -> Ending:
    return _taken_after_all(request) or _look(
        request,
        "A new task on the appliance may be ours: it does not say what it works on.",
        f"No answer to the delete settles it, and {pairing(request)} is still there. Nothing is "
        "sent a second time.",
    )


def task_lost(request: Request, outcome: Outcome) -> Ending:
    return _look(
        request,
        "The appliance no longer knows the task, and the pairing is still there.",
        f"How the work on {pairing(request)} ended cannot be told.",
    )


def success_but_there(request: Request, outcome: Outcome) -> Ending:
    return _look(
        request,
        "The task says SUCCESS, and yet the pairing is still there.",
        f"The appliance still shows {pairing(request)}, after several looks.",
    )


def follow_ttl(request: Request, outcome: Outcome) -> Ending:
    time = duration(request.terms.follow_ttl_ms)
    if request.task:
        found = f"The task last said {code(request.task.status)}; the bot has stopped waiting."
    else:
        found = f"What became of the delete of {pairing(request)} could not be found out."
    # If the DELETE had no answer, the reason is that of a look that failed. It must not read as if
    # the DELETE was refused.
    if outcome.problem is not None and request.answer is None:
        found += " The last look failed, for the reason that is given here."
    return _look(request, f"It has not ended after {time}.", found)


def _taken_after_all(request: Request) -> Ending | None:
    if request.task is None:
        return None
    return _look(
        request,
        "The appliance has taken the delete, and how it ended is not known.",
        f"Its answer came late. The work on {pairing(request)} was not followed.",
    )


def _look(request: Request, title: str, found: str) -> Ending:
    if request.state is not State.ATTENTION:
        step = "See the correction below."
    else:
        step = f"Check in {WHERE_TO_LOOK} whether the pairing is there, then press Look again."
    return Ending(
        title=title,
        body=(found, f"Its history, on the command line: {show(request)}"),
        next_step=step,
    )
