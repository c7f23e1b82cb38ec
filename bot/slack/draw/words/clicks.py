"""Why a click was not counted: who decided, when, and what to do instead.

Like every answer, drawn when it is sent: what the click led to is in the past, and what is now, or
can be done now, is from the row.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.request.model import CANCELLABLE, Request, State
from bot.request.who_may import Reason
from bot.slack.draw.markup import mention, when
from bot.slack.draw.words.phrases import request_id
from bot.slack.draw.words.rights import may_not_break, may_not_decide
from bot.slack.draw.words.states import state_now, while_undecided

Words = Callable[[dict[str, str], Request], str]

_WITHDRAW = "To withdraw it, press Withdraw."


def ended(params: dict[str, str], request: Request) -> str:
    return f"Your click changed nothing. {state_now(request)}"


already_decided = ended
"""One is said where somebody else was quicker by a moment, the other where all was over."""


def already_counted(params: dict[str, str], request: Request) -> str:
    return f"Your approval was already counted. {state_now(request)}"


def too_late(params: dict[str, str], request: Request) -> str:
    until = f" ({when(request.decide_by)})" if request.decide_by is not None else ""
    # Another click, which came in time, may still wait to be counted.
    step = f"The card of {request_id(request)} tells how it ends."
    fact = f"The time to decide was over{until}, so your click was not counted."
    return while_undecided(request, fact, step)


def not_the_card(params: dict[str, str], request: Request) -> str:
    fact = "This copy of the card is not in use, so your click was not counted."
    if request.state in CANCELLABLE and request.card_ts is not None:
        return f"{fact} Use the other card of {request_id(request)} in the channel."
    return f"{fact} {state_now(request)}"


def other_fingerprint(params: dict[str, str], request: Request) -> str:
    fact = "The card was not up to date, so your click was not counted."
    return while_undecided(request, fact, "Read it again, then press once more.")


def own_request_approve(params: dict[str, str], request: Request) -> str:
    return may_not_decide(Reason.OWN_REQUEST, request)


def own_request_deny(params: dict[str, str], request: Request) -> str:
    fact = "It is your own request, so your click was not counted."
    return while_undecided(request, fact, _WITHDRAW)


def no_glass_here(params: dict[str, str], request: Request) -> str:
    return (
        "Break glass is not set up for this request (`BREAK_GLASS`), so your click decided "
        f"nothing. {state_now(request)}"
    )


def glass_without_reason(params: dict[str, str], request: Request) -> str:
    fact = "Your click decided nothing, since no reason was given."
    return while_undecided(request, fact, "Press Break glass again.")


def cancel_not_yours(params: dict[str, str], request: Request) -> str:
    who = mention(request.requester)
    if request.state not in CANCELLABLE:
        return f"Only {who}, who asked, could withdraw it. {state_now(request)}"
    step = "Approvers press Deny." if request.state is State.PENDING else "Ask them to press it."
    return f"Only {who}, who asked, can withdraw it. {step}"


CLICK_REFUSALS: dict[str, Words] = {
    "ended": ended,
    "already_decided": already_decided,
    "already_counted": already_counted,
    "too_late": too_late,
    "not_the_card": not_the_card,
    "other_fingerprint": other_fingerprint,
    "own_request_approve": own_request_approve,
    "own_request_deny": own_request_deny,
    "no_glass_here": no_glass_here,
    "glass_without_reason": glass_without_reason,
    "cancel_not_yours": cancel_not_yours,
}


def no_right(reason: Reason) -> Words:
    """By the rights that were read at the click, the person could not decide."""
    return lambda params, request: may_not_decide(reason, request, params.get("retry_at", ""))


def no_glass(reason: Reason) -> Words:
    return lambda params, request: may_not_break(reason, request, params.get("retry_at", ""))


CLICK_REFUSALS |= {f"no_glass_{r.value}": no_glass(r) for r in Reason if r is not Reason.YES}
CLICK_REFUSALS |= {f"no_right_{r.value}": no_right(r) for r in Reason if r is not Reason.YES}
