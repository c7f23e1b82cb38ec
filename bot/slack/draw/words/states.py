"""Each state as people see it: a mark, the heading of the card, and the end of a sentence."""

from __future__ import annotations

from typing import NamedTuple

from bot.request.model import Request, State
from bot.slack.draw.markup import code, when
from bot.slack.draw.words.phrases import may_stop_it, nothing_sent, who_decided


class StateWords(NamedTuple):
    """`heading` is at the top of the card; `phrase` completes "the request …"."""

    mark: str
    heading: str
    phrase: str


UNDER_WAY = "Approved: under way"
"""While it is sent and carried out. The card looks the same for both, since they are often a second
apart and each edit is a call to Slack. The thread says how far it is."""

STATES: dict[State, StateWords] = {
    State.CHECKING: StateWords("⏳", "Break the pairing?", "is being checked"),
    State.PENDING: StateWords("⏳", "Break the pairing?", "waits for a decision"),
    State.APPROVED: StateWords(
        "🔵", "Approved: about to be sent", "is approved and about to be sent"
    ),
    State.DELETING: StateWords("🔵", UNDER_WAY, "is being sent to the appliance"),
    State.FOLLOWING: StateWords("🔵", UNDER_WAY, "is being carried out"),
    State.SUCCEEDED: StateWords("✅", "Done: the pairing is gone", "is done: the pairing is gone"),
    State.FAILED: StateWords("❌", "Failed: see the thread", "has failed: its thread says why"),
    State.REFUSED: StateWords("🚫", "Rejected", "was rejected"),
    State.DENIED: StateWords("⛔", "Denied: nothing was sent", "was denied"),
    State.CANCELLED: StateWords("↩️", "Withdrawn: nothing was sent", "was withdrawn"),
    State.EXPIRED: StateWords("⌛", "Out of time", "ran out of time"),
    State.CHANGED: StateWords(
        "🔀",
        "Changed meanwhile: nothing was sent",
        "ended: the pairing changed after approval",
    ),
    State.REHEARSED: StateWords(
        "🧪", "Dry run done: nothing was sent", "was a dry run and is over"
    ),
    State.ATTENTION: StateWords(
        "⚠️",
        "Outcome unknown: see the thread",
        "has no confirmed outcome: somebody must look",
    ),
}


def state_now(request: Request) -> str:
    """How the request is at this moment, for one person: the state, who decided and when, when it
    ended, and what that means for them. It names the time of each thing that lies ahead, so that it
    is still true when it is read late."""
    # A denial or a cancellation is named with its time, which is also the end.
    told = request.denial is not None or request.cancellation is not None
    end = "" if told or request.ended_at is None else f"It ended {when(request.ended_at)}."
    parts = (
        f"{STATES[request.state].mark} {code(request.id)} {phrase(request)}.",
        who_decided(request),
        end,
        _means(request),
    )
    return " ".join(part for part in parts if part)


def phrase(request: Request) -> str:
    """How it is, as the end of a sentence."""
    if request.scheduled_at is not None and request.waits_for_its_time:
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
