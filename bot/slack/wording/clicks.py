"""Why a click was not counted: who decided, when, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable

from bot.core.request import Request, State
from bot.core.rules import Reason
from bot.slack.markup import code, mention, when
from bot.slack.wording.phrases import approvals_so_far, request_id, who_decided
from bot.slack.wording.rights import may_not_decide
from bot.slack.wording.states import STATES

Words = Callable[[dict[str, str], Request], str]


def ended(params: dict[str, str], request: Request) -> str:
    return f"Your click came too late. {_as_it_is(request)}"


def already_decided(params: dict[str, str], request: Request) -> str:
    return f"Your click changed nothing. {_as_it_is(request)}"


def already_counted(params: dict[str, str], request: Request) -> str:
    return f"Your approval is counted already: {approvals_so_far(request)}. {_as_it_is(request)}"


def too_late(params: dict[str, str], request: Request) -> str:
    until = f" ({when(request.decide_by)})" if request.decide_by is not None else ""
    return f"The time to decide was over{until}, so your click was not counted. Ask again."


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
        cancel_not_yours,
    )
}


def no_right(reason: Reason) -> Words:
    """The rights of now said no."""

    def words(params: dict[str, str], request: Request) -> str:
        return may_not_decide(reason, params.get("retry_at", ""))

    return words


CLICK_REFUSALS |= {f"no_right_{r.value}": no_right(r) for r in Reason if r is not Reason.YES}


def _as_it_is(request: Request) -> str:
    state = STATES[request.state]
    now = f"{state.mark} {code(request.id)} {state.phrase}."
    return f"{now} {who_decided(request)}".strip()
