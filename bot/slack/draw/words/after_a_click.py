"""What one person is told after a press or a command: what came of it, and how it stands now.

Drawn when it is sent, from the row as it is then, which may be half an hour later. So what the
press led to is told in the past, and whatever is now, or can be done now, comes from the row.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.request.messages import UNEXPECTED, Answer
from bot.request.model import CANCELLABLE, Request, State
from bot.request.plan import UNREACHABLE_MS
from bot.request.who_may import Reason
from bot.slack.draw import limits
from bot.slack.draw.markup import code, mention, mentions, sentence, when
from bot.slack.draw.words.endings import ending
from bot.slack.draw.words.pairing_names import pairing
from bot.slack.draw.words.phrases import (
    BREAK_GLASS,
    DECIDE,
    HAVE_IT_CHECKED,
    LOOK,
    MAY_NOT,
    OF_A_REQUEST,
    SETTLE,
    WHERE_TO_LOOK,
    by_deadline,
    may_not,
    nothing_sent,
    slack_refuses,
    state_now,
    still_missing,
    task_words,
    vendor_words,
)

Params = dict[str, str]
Words = Callable[[Params, Request], str]

UNKNOWN_REQUEST = (
    "This request is not known here. Nothing was done. Ask again if it is still wanted."
)


def answer_words(answer: Answer, request: Request | None) -> str:
    """What one person reads. Without a row it can only say that there is no such request."""
    params = answer.params
    if answer.code == UNEXPECTED:
        tried = "It is tried again by itself; a delete is never accepted twice. If it lasts,"
        if request is not None and not request.state.open:
            tried = f"It is over now. {state_now(request)} If something is wrong with that,"
        return (
            f"Something went wrong here with request {code(params['request'])}. {tried} give "
            f"reference {code(params['reference'])} to whoever runs this app."
        )
    return UNKNOWN_REQUEST if request is None else ANSWERS[answer.code](params, request)


def _undecided(request: Request, fact: str, step: str) -> str:
    """`fact`: what a click led to. `step` is what can be done as long as nobody has decided: later
    the state is told in its place."""
    return f"{fact} {step if request.state is State.PENDING else state_now(request)}"


# ---- it counts ---------------------------------------------------------------------------------
def _refused(params: Params, request: Request) -> str:
    if request.state is not State.REFUSED or request.outcome is None:
        return state_now(request)
    end = ending(request, request.outcome)
    own = vendor_words(request, request.outcome.problem, limits.VENDOR_WORDS_IN_ANSWER)
    return "\n".join([f"🚫 {end.title}", *end.body, *own, f"*Next:* {end.next_step}"])


def _held_up(params: Params, request: Request) -> str:
    """By the appliance or by Slack, whichever it is now."""
    until, step = "", ""
    if request.state is State.CHECKING and request.card_error is not None:
        why = f"{slack_refuses(request.card_error)}."
        until, step = by_deadline(request, " until "), f"\n*Next:* {HAVE_IT_CHECKED}"
    elif request.state is State.CHECKING and request.waiting is not None:
        why = f"the appliance cannot be read. {sentence(request.waiting.text)}"
        if request.unreachable_since is not None:
            until = f" until {when(request.unreachable_since + UNREACHABLE_MS)}"
    else:  # the card has come meanwhile, or never will
        return state_now(request)
    return (
        f"{code(request.id)} waits: {why} It is tried again{until}; then the card comes by "
        f"itself, or you are told why not. Do not ask again.{step}"
    )


NO_LONGER = "Your decision was counted, but no longer counts: the right to it is gone."


def _approval_counted(params: Params, request: Request) -> str:
    """Rights are read again before the intent, which may have voided the approval already. `by` is
    whose approval it is."""
    by = params.get("by")
    if by is not None and by not in (d.by for d in request.approvals):
        return f"{NO_LONGER} {state_now(request)}"
    return f"Your approval was counted. {state_now(request)}"


def _glass_broken(params: Params, request: Request) -> str:
    """As for `approval_counted`, it may not count any more."""
    glass, by = request.glass, params.get("by")
    if request.glass_lost and (glass is None or by not in (None, glass.by)):
        return f"{NO_LONGER} {state_now(request)}"
    if glass is None:
        return state_now(request)
    unread = next((n.unread for n in reversed(request.notices) if n.code == "glass_broken"), ())
    told = "all approvers are told"
    if unread:
        told = f"approvers are told, but Slack did not say who is in {mentions(unread)}"
    return f"You have broken the glass, and {told}. {state_now(request)}"


# ---- it does not count -------------------------------------------------------------------------
def _too_late(params: Params, request: Request) -> str:
    until = f" ({when(request.decide_by)})" if request.decide_by is not None else ""
    # Another click, which came in time, may still wait to be counted.
    step = f"The card of {code(request.id)} tells how it ends."
    fact = f"The time to decide was over{until}, so your click was not counted."
    return _undecided(request, fact, step)


def _not_the_card(params: Params, request: Request) -> str:
    fact = "This copy of the card is not in use, so your click was not counted."
    if request.state in CANCELLABLE and request.card_ts is not None:
        return f"{fact} Use the other card of {code(request.id)} in the channel."
    return f"{fact} {state_now(request)}"


def _cancel_not_yours(params: Params, request: Request) -> str:
    who = mention(request.requester)
    if request.state not in CANCELLABLE:
        return f"Only {who}, who asked, could withdraw it. {state_now(request)}"
    step = "Approvers press Deny." if request.may_be_denied else "Ask them to press it."
    return f"Only {who}, who asked, can withdraw it. {step}"


# ---- it does not count, by the rights that were read at the click -------------------------------
_NOT_COUNTED = "so your click was not counted."
_AT_A_CLICK = tuple(reason for reason in MAY_NOT if reason not in OF_A_REQUEST)


def _may_not(reason: Reason, may: tuple[str, str], *, after_the_end: bool = False) -> Words:
    """Why a click was not counted, and what is to be done while nothing else has decided. `may`:
    what somebody wanted to do, and the setting that says who may."""
    slack_silent = reason in (Reason.UNREADABLE, Reason.GROUP_UNREADABLE)

    def words(params: Params, request: Request) -> str:
        step = f"Somebody of `{may[1]}` has to do it."
        if reason is Reason.OWN_REQUEST:
            step = "Somebody else must decide. To withdraw it, press Withdraw."
        if slack_silent:
            # Slack may be away, which passes. Or the token may lack a scope, which must be mended.
            step = "Try again in a minute. If it stays so, an administrator runs `vr-unpair check`."
            at = params.get("retry_at", "")  # when Slack may be asked again, ms epoch as text
            step = f"Try again after {when(int(at))}." if at.isdecimal() else step
        if reason is Reason.GROUP_UNREADABLE:
            step = f"People who are listed by name still can. {step}"
        still = request.unresolved if after_the_end else request.state is State.PENDING
        return f"{may_not(reason, *may)}, {_NOT_COUNTED} {step if still else state_now(request)}"

    return words


# ---- Look again --------------------------------------------------------------------------------
def _look(params: Params, request: Request, found: str, step: str = "") -> str:
    """What was found stays true; what to do next depends on how the request is now."""
    if params.get("superseded"):
        step = (
            "A later request for this pairing has been sent since, so this look changes nothing "
            "here."
        )
    elif request.state is not State.ATTENTION:
        step = state_now(request)
    return "\n".join(filter(None, [f"Looked again: {found}", step]))


def _look_failed(params: Params, request: Request) -> str:
    why = f" {sentence(params['text'])}" if params.get("text") else ""
    step = "Look again later." if request.state is State.ATTENTION else state_now(request)
    return f"The appliance could not be asked.{why} {step}"


def _own_settle(params: Params, request: Request) -> str:
    who = "It is your own request, so you cannot settle it: another approver can."
    return f"{who} {state_now(request)}"


# ---- the table ---------------------------------------------------------------------------------
ANSWERS: dict[str, Words] = {
    # It counts.
    "refused": _refused,
    "card_held_up": _held_up,
    "appliance_away": _held_up,
    "denied": lambda p, r: (
        f"Your denial is on the card, with your reason. {nothing_sent(r)}"
        if r.state is State.DENIED
        else state_now(r)
    ),
    "approval_counted": _approval_counted,
    "glass_broken": _glass_broken,
    "cancelled": lambda p, r: (
        f"{code(r.id)} is withdrawn. {nothing_sent(r)}"
        if r.state is State.CANCELLED
        else state_now(r)
    ),
    # Look again, and It is settled.
    "nothing_to_look_at": lambda p, r: f"There was nothing to look at. {state_now(r)}",
    "look_running": lambda p, r: _look(
        p, r, "a task for this pairing was still at work.", "Look again later."
    ),
    "look_unlisted": lambda p, r: _look(
        p,
        r,
        f"{pairing(r)} was answered 404, but the appliance's list of pairings was incomplete by "
        "its own word: it may still be there.",
        "Look again in half a minute.",
    ),
    "look_gone": lambda p, r: _look(p, r, f"{pairing(r)} was gone."),
    "look_task_failed": lambda p, r: _look(
        p,
        r,
        "\n".join(
            [
                f"a task for this pairing had not succeeded, and {pairing(r)} was still there.",
                *task_words(r, limits.VENDOR_WORDS_IN_ANSWER),
            ]
        ),
    ),
    "look_still_there": lambda p, r: _look(
        p,
        r,
        f"{pairing(r)} was still there, and no task said why.",
        f"Check in {WHERE_TO_LOOK}. If no task runs there either, ask again: the new card will "
        "mention this request.",
    ),
    "look_failed": _look_failed,
    "look_too_soon": lambda p, r: (
        "Somebody has just had the appliance asked, so nothing was read. "
        f"{'Look again in half a minute.' if r.unresolved else state_now(r)}"
    ),
    "settled": lambda p, r: (
        f"Your words are in the thread, and {code(r.id)} is no longer named. {state_now(r)}"
    ),
    "nothing_to_settle": lambda p, r: f"There was nothing to settle. {state_now(r)}",
    "settled_without_words": lambda p, r: (
        f"It was not settled, since it was not said what became of it. {state_now(r)}"
    ),
    # It does not count.
    "already_decided": lambda p, r: f"Your click changed nothing. {state_now(r)}",
    "pool_is_full": lambda p, r: _undecided(
        r,
        "The approvals that you could give are there already, so yours was not counted.",
        f"Still missing: {still_missing(r)}.",
    ),
    "already_counted": lambda p, r: f"Your approval was already counted. {state_now(r)}",
    "too_late": _too_late,
    "not_the_card": _not_the_card,
    "other_fingerprint": lambda p, r: _undecided(
        r,
        "The card was not up to date, so your click was not counted.",
        "Read it again, then press once more.",
    ),
    "own_request_approve": _may_not(Reason.OWN_REQUEST, DECIDE),
    "own_request_deny": _may_not(Reason.OWN_REQUEST, DECIDE),
    "no_glass_here": lambda p, r: (
        f"Break glass is not set up for this request (`BREAK_GLASS`), {_NOT_COUNTED} {state_now(r)}"
    ),
    "glass_without_reason": lambda p, r: _undecided(
        r, "Your click decided nothing: no reason was given.", "Press Break glass again."
    ),
    "cancel_not_yours": _cancel_not_yours,
    "own_request_settle": _own_settle,
    # By the second account of whoever asked (SAME_PERSON).
    "no_right_own_request": _may_not(Reason.OWN_REQUEST, DECIDE),
    "no_settle_own_request": _own_settle,
    **{f"no_right_{reason.value}": _may_not(reason, DECIDE) for reason in _AT_A_CLICK},
    **{f"no_glass_{reason.value}": _may_not(reason, BREAK_GLASS) for reason in _AT_A_CLICK},
    **{
        f"no_look_{reason.value}": _may_not(reason, LOOK, after_the_end=True)
        for reason in (Reason.CHANNEL, *_AT_A_CLICK)
    },
    **{
        f"no_settle_{reason.value}": _may_not(reason, SETTLE, after_the_end=True)
        for reason in _AT_A_CLICK
    },
}
