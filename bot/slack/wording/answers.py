"""Words for one person only, for every code that the core answers with."""

from __future__ import annotations

from bot.core.entries import UNEXPECTED, Answer
from bot.core.request import Request, State
from bot.slack.limits import VENDOR_WORDS_IN_TEXT
from bot.slack.markup import code, sentence, when
from bot.slack.wording.clicks import CLICK_REFUSALS, Words
from bot.slack.wording.outcomes import ending
from bot.slack.wording.phrases import (
    HAVE_IT_CHECKED,
    WHERE_TO_LOOK,
    approvals_so_far,
    nothing_sent,
    pairing,
    request_id,
    slack_refuses,
)
from bot.slack.wording.said import said
from bot.slack.wording.states import STATES

UNKNOWN_REQUEST = (
    "This request is not known here. Nothing was done. Ask again if it is still wanted."
)

_SENT_NEXT = (
    "Rights and pairing are read once more, then the delete is sent; the thread tells the rest."
)

_SUPERSEDED = (
    "A later request for this pairing has been sent since, so this look only tells; "
    "it does not change how this one ended."
)


def refused(params: dict[str, str], request: Request) -> str:
    if request.outcome is None:
        return f"{request_id(request)} {STATES[request.state].phrase}."
    end = ending(request, request.outcome)
    own = said(request, request.outcome.problem, VENDOR_WORDS_IN_TEXT)
    return "\n".join([f"🚫 {end.title}", *end.body, *own, f"*Next:* {end.next_step}"])


def waits_for_room(params: dict[str, str], request: Request) -> str:
    return (
        f"{request_id(request)} waits: more is asked of the appliance just now than this app may "
        "read in a minute. The card comes by itself; do not ask again."
    )


def card_held_up(params: dict[str, str], request: Request) -> str:
    if request.state is not State.CHECKING:  # the card has come meanwhile, or never will
        return f"{request_id(request)} {STATES[request.state].phrase}."
    until = f" until {when(request.decide_by)}" if request.decide_by is not None else ""
    return (
        f"{request_id(request)} waits: {slack_refuses(request.card_error)}, so its card is not "
        f"here yet. It is tried again{until}; do not ask again.\n*Next:* {HAVE_IT_CHECKED}"
    )


def denied(params: dict[str, str], request: Request) -> str:
    return f"Your denial is on the card, with your reason. {nothing_sent(request)}"


def approval_counted(params: dict[str, str], request: Request) -> str:
    """`request` is the row at the time when this is said. Rights are read again before the intent,
    which may have voided the approval already. `by` is whose approval it is."""
    by = params.get("by")
    if by is not None and by not in (d.by for d in request.approvals):
        return _counts_no_longer("approval was counted")
    missing = request.missing_approvals
    counts = f"Your approval counts: {approvals_so_far(request)}"
    if missing:
        return f"{counts}, {missing} more needed."
    if request.terms.dry_run:
        return f"{counts}. This is a dry run: nothing will be deleted."
    return f"{counts}. {_SENT_NEXT}"


def glass_broken(params: dict[str, str], request: Request) -> str:
    """As for `approval_counted`, it may not count any more."""
    if request.glass is None and request.glass_lost is not None:
        return _counts_no_longer("decision was counted")
    told = "You have broken the glass: it counts as decided, and everybody is told."
    if request.terms.dry_run:
        return f"{told} This is a dry run: nothing will be deleted."
    return f"{told} {_SENT_NEXT}"


def cancelled(params: dict[str, str], request: Request) -> str:
    return f"{request_id(request)} is taken back. {nothing_sent(request)}"


def nothing_to_look_at(params: dict[str, str], request: Request) -> str:
    return f"There is nothing to look at: {request_id(request)} {STATES[request.state].phrase}."


def look_running(params: dict[str, str], request: Request) -> str:
    status = f" It says {code(request.task.status)}." if request.task else ""
    return _look(params, f"The task is still at work.{status} Look again later.")


def look_gone(params: dict[str, str], request: Request) -> str:
    return _look(params, f"{pairing(request)} is gone.")


def look_task_failed(params: dict[str, str], request: Request) -> str:
    own = said(request, None, VENDOR_WORDS_IN_TEXT)
    found = f"The task did not succeed, and {pairing(request)} is still there."
    return _look(params, "\n".join([found, *own]))


def look_still_there(params: dict[str, str], request: Request) -> str:
    return _look(
        params,
        f"{pairing(request)} is still there, and no task says why. Check in {WHERE_TO_LOOK}. "
        "If no task runs there either, ask again: the new card will mention this request.",
    )


def look_failed(params: dict[str, str], request: Request) -> str:
    why = f"{sentence(params['text'])} " if params.get("text") else ""
    return f"The appliance could not be asked. {why}Look again later."


ANSWERS: dict[str, Words] = {
    f.__name__: f
    for f in (
        refused,
        waits_for_room,
        card_held_up,
        denied,
        approval_counted,
        glass_broken,
        cancelled,
        nothing_to_look_at,
        look_running,
        look_gone,
        look_task_failed,
        look_still_there,
        look_failed,
    )
} | CLICK_REFUSALS


def answer_words(answer: Answer, request: Request | None) -> str:
    """What one person reads. Without a row it can only say that there is no such request."""
    if answer.code == UNEXPECTED:
        return _unexpected(answer.params)
    if request is None:
        return UNKNOWN_REQUEST
    words = ANSWERS.get(answer.code)
    if words is not None:
        return words(answer.params, request)
    return f"Answer {code(answer.code)}, which this version has no words for."


def _unexpected(params: dict[str, str]) -> str:
    return (
        f"Something went wrong here with request {code(params['request'])}. It is kept and tried "
        "again by itself; nothing is sent twice. If it lasts, give reference "
        f"{code(params['reference'])} to whoever runs this app."
    )


def _counts_no_longer(what: str) -> str:
    return f"Your {what} and no longer counts: the right to it is gone. The thread tells the rest."


def _look(params: dict[str, str], found: str) -> str:
    superseded = [_SUPERSEDED] if params.get("superseded") else []
    return "\n".join(["Looked again.", found, *superseded])
