"""Why a click was not counted: who decided, when, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable

from bot.core.request import Request, State
from bot.core.who_may import Reason
from bot.slack.markup import code, mention, when
from bot.slack.wording.phrases import approvals_so_far, nothing_sent, request_id, who_decided
from bot.slack.wording.rights import may_not_break, may_not_decide
from bot.slack.wording.states import STATES

Words = Callable[[dict[str, str], Request], str]


def ended(params: dict[str, str], request: Request) -> str:
    return f"It was decided before your click, which changed nothing. {_as_it_is(request)}"


def already_decided(params: dict[str, str], request: Request) -> str:
    return f"Your click changed nothing. {_as_it_is(request)}"


def already_counted(params: dict[str, str], request: Request) -> str:
    return f"Your approval is already counted: {approvals_so_far(request)}. {_as_it_is(request)}"


def too_late(params: dict[str, str], request: Request) -> str:
    until = f" ({when(request.decide_by)})" if request.decide_by is not None else ""
    by = f" It had {approvals_so_far(request)}." if request.approvals else ""
    return (
        f"The time to decide was over{until}, so your click was not counted.{by} "
        f"{nothing_sent(request)} {_ASK_AGAIN}"
    )


def not_the_card(params: dict[str, str], request: Request) -> str:
    return (
        f"This copy of the card is not in use, so your click was not counted. "
        f"Use the other card of {request_id(request)} in the channel."
    )


def other_fingerprint(params: dict[str, str], request: Request) -> str:
    return (
        "The card was not up to date, so your click was not counted. "
        "Read it again, then press once more."
    )


def own_request_approve(params: dict[str, str], request: Request) -> str:
    return may_not_decide(Reason.OWN_REQUEST, "")


def own_request_deny(params: dict[str, str], request: Request) -> str:
    return "It is your own request. To take it back, press Cancel."


def no_glass_here(params: dict[str, str], request: Request) -> str:
    return (
        "Break glass is not set up for this request (`BREAK_GLASS`), so nothing was decided. "
        f"{_as_it_is(request)}"
    )


def glass_without_reason(params: dict[str, str], request: Request) -> str:
    return "Nothing was decided, since no reason was given. Press Break glass again."


def cancel_not_yours(params: dict[str, str], request: Request) -> str:
    step = "Approvers press Deny." if request.state is State.PENDING else "Ask them to press it."
    return f"Only {mention(request.requester)}, who asked, can take it back. {step}"


CLICK_REFUSALS: dict[str, Words] = {
    f.__name__: f
    for f in (
        ended,
        already_decided,
        already_counted,
        too_late,
        not_the_card,
        other_fingerprint,
        own_request_approve,
        own_request_deny,
        no_glass_here,
        glass_without_reason,
        cancel_not_yours,
    )
}


def no_right(reason: Reason) -> Words:
    """By the rights that were just read, the person may not decide."""

    def words(params: dict[str, str], request: Request) -> str:
        return may_not_decide(reason, params.get("retry_at", ""))

    return words


def no_glass(reason: Reason) -> Words:
    def words(params: dict[str, str], request: Request) -> str:
        return may_not_break(reason, params.get("retry_at", ""))

    return words


CLICK_REFUSALS |= {f"no_glass_{r.value}": no_glass(r) for r in Reason if r is not Reason.YES}
CLICK_REFUSALS |= {f"no_right_{r.value}": no_right(r) for r in Reason if r is not Reason.YES}


_NO_WAY_BACK = "It can no longer be stopped; the thread tells how it ends."
_ASK_AGAIN = "If it is still wanted, it must be asked for again."
_IN_THE_THREAD = "Its thread says what happened."
_MEANS: dict[State, str] = {
    State.PENDING: "Others can still decide.",
    State.APPROVED: "Whoever asked can take it back until it is sent.",
    State.DELETING: _NO_WAY_BACK,
    State.FOLLOWING: _NO_WAY_BACK,
    State.SUCCEEDED: _IN_THE_THREAD,
    State.FAILED: _IN_THE_THREAD,
    State.ATTENTION: _IN_THE_THREAD,
    State.REFUSED: _ASK_AGAIN,
    State.DENIED: _ASK_AGAIN,
    State.CANCELLED: _ASK_AGAIN,
    State.EXPIRED: _ASK_AGAIN,
    State.CHANGED: _ASK_AGAIN,
    State.REHEARSED: _ASK_AGAIN,
}
"""What each state means for somebody who clicks after the decision."""


def _as_it_is(request: Request) -> str:
    """The state, who decided and when, when it ended, and what that means for whoever clicked."""
    state = STATES[request.state]
    # A denial or a cancellation is named with its time, which is also the end.
    told = request.denial is not None or request.cancellation is not None
    end = "" if told or request.ended_at is None else f"It ended {when(request.ended_at)}."
    means = _MEANS.get(request.state, "")
    if means == _ASK_AGAIN:
        means = f"{nothing_sent(request)} {means}"
    parts = (
        f"{state.mark} {code(request.id)} {state.phrase}.",
        who_decided(request),
        end,
        means,
    )
    return " ".join(part for part in parts if part)
