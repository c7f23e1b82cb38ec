"""The pairing is gone: by our delete, or it is not known by whose."""

from __future__ import annotations

from bot.request.model import Outcome, Request
from bot.slack.draw.words.ending import Ending
from bot.slack.draw.words.phrases import count_of, local_site, pairing, remote_site


def proved(request: Request, outcome: Outcome) -> Ending:
    found = f"{_task(request)} ended well, and the appliance no longer knows {pairing(request)}."
    return _gone(request, "The pairing is gone.", found)


def gone_untold(request: Request, outcome: Outcome) -> Ending:
    found = f"The appliance no longer knows {pairing(request)}. " + _why_untold(request)
    return _gone(request, "The pairing is gone; whether by this call cannot be told.", found)


def gone_task_lost(request: Request, outcome: Outcome) -> Ending:
    found = (
        f"The appliance no longer knows {pairing(request)}. {_task(request)} had not "
        "said how it ended when the appliance forgot it."
    )
    return _gone(request, "The pairing is gone.", found)


def after_gone(request: Request) -> str:
    """The next step once the pairing is gone."""
    if request.force:
        return (
            f"Do the same on the appliance of {remote_site(request)}: it still keeps its half of "
            "the pairing."
        )
    count = request.snapshot.count if request.snapshot else 0
    if not count:
        return "Nothing to do. To use these two sites together again, make a new site pair."
    return (
        "To replicate between these two sites again, make a new site pair and configure the "
        f"{count_of(count, 'replication')} anew."
    )


def _task(request: Request) -> str:
    return "The task that is taken for ours" if request.task_adopted else "The appliance's task"


def _why_untold(request: Request) -> str:
    answer = request.answer
    if answer is None:
        return "The delete may have gone out: no answer to it is known."
    if answer.status == 404:
        return "The delete was answered 404, as if it had been gone before."
    return "The answer to the delete did not come back clearly."


def _gone(request: Request, title: str, found: str) -> Ending:
    one_sided = (
        f"This was a one-sided break: only {local_site(request)} has let go. "
        f"{remote_site(request)} keeps its half."
    )
    body = (found, one_sided) if request.force else (found,)
    return Ending(title=title, body=body, next_step=after_gone(request))
