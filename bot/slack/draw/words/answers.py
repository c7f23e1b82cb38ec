"""Words for one person only, for every code that the core answers with.

They are drawn when they are sent, from the row as it is then, which may be half an hour later. So
what the click led to is told in the past, and whatever is now or will be comes from the row.
"""

from __future__ import annotations

from bot.request.entries import UNEXPECTED, Answer
from bot.request.model import Request, State
from bot.slack.draw.limits import VENDOR_WORDS_IN_TEXT
from bot.slack.draw.markup import code, sentence, when
from bot.slack.draw.words.clicks import CLICK_REFUSALS, Words
from bot.slack.draw.words.outcomes import ending
from bot.slack.draw.words.phrases import (
    HAVE_IT_CHECKED,
    WHERE_TO_LOOK,
    approvals_so_far,
    nothing_sent,
    pairing,
    request_id,
    slack_refuses,
)
from bot.slack.draw.words.said import said
from bot.slack.draw.words.states import state_now

UNKNOWN_REQUEST = (
    "This request is not known here. Nothing was done. Ask again if it is still wanted."
)

_SUPERSEDED = (
    "A later request for this pairing has been sent since, so this look only tells; "
    "it does not change how this one ended."
)


def refused(params: dict[str, str], request: Request) -> str:
    if request.state is not State.REFUSED or request.outcome is None:
        return state_now(request)
    end = ending(request, request.outcome)
    own = said(request, request.outcome.problem, VENDOR_WORDS_IN_TEXT)
    return "\n".join([f"🚫 {end.title}", *end.body, *own, f"*Next:* {end.next_step}"])


def waits_for_room(params: dict[str, str], request: Request) -> str:
    if request.state is not State.CHECKING or request.snapshot is not None:
        return state_now(request)  # it has been read since, or never will be
    return (
        f"{request_id(request)} waits: more is asked of the appliance just now than this app may "
        "read in a minute. The card comes by itself; do not ask again."
    )


def card_held_up(params: dict[str, str], request: Request) -> str:
    if request.state is not State.CHECKING:  # the card has come meanwhile, or never will
        return state_now(request)
    until = f" until {when(request.decide_by)}" if request.decide_by is not None else ""
    return (
        f"{request_id(request)} waits: {slack_refuses(request.card_error)}, so its card is not "
        f"here yet. It is tried again{until}; do not ask again.\n*Next:* {HAVE_IT_CHECKED}"
    )


def denied(params: dict[str, str], request: Request) -> str:
    if request.state is not State.DENIED:
        return state_now(request)
    return f"Your denial is on the card, with your reason. {nothing_sent(request)}"


def approval_counted(params: dict[str, str], request: Request) -> str:
    """Rights are read again before the intent, which may have voided the approval already. `by` is
    whose approval it is."""
    by = params.get("by")
    if by is not None and by not in (d.by for d in request.approvals):
        return _counts_no_longer("approval", request)
    so_far, missing = approvals_so_far(request), request.missing_approvals
    if request.state is State.PENDING and missing:
        return f"Your approval counts: {so_far}, {missing} more needed."
    return f"Your approval was counted: {so_far}. {_decided(request)}"


def glass_broken(params: dict[str, str], request: Request) -> str:
    """As for `approval_counted`, it may not count any more."""
    glass, by = request.glass, params.get("by")
    if request.glass_lost and (glass is None or by not in (None, glass.by)):
        return _counts_no_longer("decision", request)
    if glass is None:
        return state_now(request)
    return f"You have broken the glass, and all approvers are told. {_decided(request)}"


def cancelled(params: dict[str, str], request: Request) -> str:
    if request.state is not State.CANCELLED:
        return state_now(request)
    return f"{request_id(request)} is withdrawn. {nothing_sent(request)}"


def nothing_to_look_at(params: dict[str, str], request: Request) -> str:
    return f"There was nothing to look at. {state_now(request)}"


def look_running(params: dict[str, str], request: Request) -> str:
    return _look(params, request, f"{_task(params)} was still at work.", "Look again later.")


def look_unlisted(params: dict[str, str], request: Request) -> str:
    found = (
        f"{pairing(request)} was answered 404, but the appliance's list of pairings was not whole "
        "by its own word, so whether it is gone could not be told."
    )
    return _look(params, request, found, "Look again in half a minute.")


def look_gone(params: dict[str, str], request: Request) -> str:
    return _look(params, request, f"{pairing(request)} was gone.")


def look_task_failed(params: dict[str, str], request: Request) -> str:
    own = said(request, None, VENDOR_WORDS_IN_TEXT)
    found = f"{_task(params)} had not succeeded, and {pairing(request)} was still there."
    return _look(params, request, "\n".join([found, *own]))


def look_still_there(params: dict[str, str], request: Request) -> str:
    found = f"{pairing(request)} was still there, and no task said why."
    step = (
        f"Check in {WHERE_TO_LOOK}. If no task runs there either, ask again: the new card will "
        "mention this request."
    )
    return _look(params, request, found, step)


def look_failed(params: dict[str, str], request: Request) -> str:
    why = f" {sentence(params['text'])}" if params.get("text") else ""
    step = "Look again later." if request.state is State.ATTENTION else state_now(request)
    return f"The appliance could not be asked.{why} {step}"


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
        look_unlisted,
        look_gone,
        look_task_failed,
        look_still_there,
        look_failed,
    )
} | CLICK_REFUSALS


def answer_words(answer: Answer, request: Request | None) -> str:
    """What one person reads. Without a row it can only say that there is no such request."""
    if answer.code == UNEXPECTED:
        return _unexpected(answer.params, request)
    if request is None:
        return UNKNOWN_REQUEST
    words = ANSWERS.get(answer.code)
    if words is not None:
        return words(answer.params, request)
    return f"Answer {code(answer.code)}, which this version has no words for."


def _unexpected(params: dict[str, str], request: Request | None) -> str:
    if request is not None and not request.state.open:
        tried = f"It is over now. {state_now(request)} If something is wrong with that,"
    else:
        tried = "It is kept and tried again by itself; nothing is sent twice. If it lasts,"
    return (
        f"Something went wrong here with request {code(params['request'])}. {tried} give "
        f"reference {code(params['reference'])} to whoever runs this app."
    )


def _task(params: dict[str, str]) -> str:
    """`by_signs`: no answer to the DELETE has named the task."""
    if params.get("by_signs"):
        return "a task that was new since the delete, and names this pairing,"
    return "the task"


def _counts_no_longer(what: str, request: Request) -> str:
    """Only somebody who has lost the right loses a decision that was counted."""
    return (
        f"Your {what} was counted, and does not count any more: the right to it is gone. "
        f"{state_now(request)}"
    )


def _decided(request: Request) -> str:
    """What comes of it, for whoever has decided."""
    if request.state is not State.APPROVED or request.terms.dry_run or request.waiting:
        return state_now(request)
    return (
        f"{request_id(request)} is decided: rights and pairing are read once more, then the delete "
        "is sent; the thread tells the rest."
    )


def _look(params: dict[str, str], request: Request, found: str, step: str = "") -> str:
    """What was found stays true; what to do next depends on how the request is now."""
    if params.get("superseded"):
        step = _SUPERSEDED
    elif request.state is not State.ATTENTION:
        step = state_now(request)
    return "\n".join(filter(None, [f"Looked again: {found}", step]))
