"""Each state as people see it: a mark, the heading of the card, and the end of a sentence."""

from __future__ import annotations

from bot.request import Frozen
from bot.request.model import Request, State
from bot.slack.draw.markup import when
from bot.slack.draw.words.phrases import may_stop_it, nothing_sent, request_id, who_decided


class StateWords(Frozen):
    """`heading` is at the top of the card; `phrase` completes "the request …"."""

    mark: str
    heading: str
    phrase: str


_NOTHING_SENT = "nothing was sent"
_SEE_THREAD = ": see the thread"

UNDER_WAY = "Approved: under way"
"""While it is sent and carried out. The card looks the same for both, since they are often a second
apart and each edit is a call to Slack. The thread says how far it is."""

STATES: dict[State, StateWords] = {
    State.CHECKING: StateWords(mark="⏳", heading="Break the pairing?", phrase="is being checked"),
    State.PENDING: StateWords(
        mark="⏳", heading="Break the pairing?", phrase="waits for a decision"
    ),
    State.APPROVED: StateWords(
        mark="🔵", heading="Approved: about to be sent", phrase="is approved and about to be sent"
    ),
    State.DELETING: StateWords(
        mark="🔵", heading=UNDER_WAY, phrase="is being sent to the appliance"
    ),
    State.FOLLOWING: StateWords(mark="🔵", heading=UNDER_WAY, phrase="is being carried out"),
    State.SUCCEEDED: StateWords(
        mark="✅", heading="Done: the pairing is gone", phrase="is done: the pairing is gone"
    ),
    State.FAILED: StateWords(
        mark="❌", heading=f"Failed{_SEE_THREAD}", phrase="has failed: its thread says why"
    ),
    State.REFUSED: StateWords(mark="🚫", heading="Rejected", phrase="was rejected"),
    State.DENIED: StateWords(mark="⛔", heading=f"Denied: {_NOTHING_SENT}", phrase="was denied"),
    State.CANCELLED: StateWords(
        mark="↩️", heading=f"Withdrawn: {_NOTHING_SENT}", phrase="was withdrawn"
    ),
    State.EXPIRED: StateWords(mark="⌛", heading="Out of time", phrase="ran out of time"),
    State.CHANGED: StateWords(
        mark="🔀",
        heading=f"Changed meanwhile: {_NOTHING_SENT}",
        phrase="ended: the pairing changed after approval",
    ),
    State.REHEARSED: StateWords(
        mark="🧪", heading=f"Dry run done: {_NOTHING_SENT}", phrase="was a dry run and is over"
    ),
    State.ATTENTION: StateWords(
        mark="⚠️",
        heading=f"Outcome unknown{_SEE_THREAD}",
        phrase="has no confirmed outcome: somebody must look",
    ),
}


def state_now(request: Request) -> str:
    """How the request is at this moment, for one person: the state, who decided and when, when it
    ended, and what that means for them. It names the time of each thing that lies ahead, so that it
    is still true when it is read late."""
    state = STATES[request.state]
    # A denial or a cancellation is named with its time, which is also the end.
    told = request.denial is not None or request.cancellation is not None
    end = "" if told or request.ended_at is None else f"It ended {when(request.ended_at)}."
    parts = (
        f"{state.mark} {request_id(request)} {phrase(request)}.",
        who_decided(request),
        end,
        _means(request),
    )
    return " ".join(part for part in parts if part)


def while_undecided(request: Request, fact: str, step: str) -> str:
    """`fact`: what a click led to. `step` is what can be done as long as nobody has decided: later
    the state is told in its place."""
    return f"{fact} {step if request.state is State.PENDING else state_now(request)}"


def phrase(request: Request) -> str:
    """How it is, as the end of a sentence."""
    if request.waits_for_its_time and request.scheduled_at is not None:
        return f"is approved, and waits until {when(request.scheduled_at)}"
    if request.state is State.APPROVED and request.terms.dry_run:
        return "is approved, as a dry run: nothing will be deleted"
    if request.state is State.APPROVED and request.waiting:
        return "is approved, and cannot be sent yet"
    if request.outcome is not None and request.outcome.code == "pairing_taken":
        return "was rejected: another request is open"
    return STATES[request.state].phrase


def _means(request: Request) -> str:
    match request.state:
        case State.PENDING if request.decide_by is not None:
            return f"It can be decided until {when(request.decide_by)}."
        case State.APPROVED if request.may_be_denied:
            return f"{may_stop_it(request)}."
        case State.APPROVED:
            return "It can be withdrawn until it is sent."
        case State.DELETING | State.FOLLOWING:
            return "It can no longer be stopped. Its thread tells how it ends."
        case State.SUCCEEDED | State.ATTENTION:
            return "Its thread says what happened."
        case State.CHANGED:
            return f"{nothing_sent(request)} Its thread says what differs."
        case State.REFUSED | State.DENIED | State.CANCELLED | State.EXPIRED | State.REHEARSED:
            return f"{nothing_sent(request)} Ask again if it is still wanted."
        case _:
            return ""
