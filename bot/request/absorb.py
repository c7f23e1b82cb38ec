"""`absorb`: what one event does to a request in its present state. Nothing else changes one.

`dismissal` is for an event of a request that does not exist: it is answered and recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.request import (
    Frozen,
    after_delete,
    before_delete,
    clicks,
    following,
    new_request,
)
from bot.request.audit_chain import SYSTEM, Entry
from bot.request.event_changes import Absorbed, Step
from bot.request.events import (
    AskRefused,
    CallFailed,
    CardHeldUp,
    CardPosted,
    CardRefused,
    Clicked,
    DeleteAccepted,
    DeleteAnswered,
    DeleteNotAccepted,
    IntentStored,
    Misdirected,
    Opened,
    OperatorCancelled,
    PairingRead,
    PresenceRead,
    RightsRead,
    RightsToAskRead,
    Stored,
    TaskPolled,
    TimePassed,
)
from bot.request.messages import Answer
from bot.request.model import Intent, Request, State
from bot.request.pairing import PairingUnresolved


def absorb(request: Request, stored: Stored, now: int) -> Absorbed:
    """The new request with its audit entries and answers.

    An event that does not fit the state any more, such as an outcome that came late through the
    inbox, changes nothing and is kept in the audit trail. The cases are in the order of a life.
    """
    step, event = Step(request, stored, now), stored.event
    match request.state, event:
        case _, Clicked():
            clicks.clicked(step, event)
        case _, Opened():
            step.record("modal_opened", event.by, modal=event.action)
        case _, Misdirected():
            about = {"click": event.action, "why": event.why, "value": event.value}
            step.record("click_refused", event.by, f"{event.channel}/{event.message_ts}", **about)
        case _, OperatorCancelled():
            clicks.operator_cancelled(step, event)
        case _, CardPosted():
            new_request.card_posted(step, event)
        case _, CardRefused():
            new_request.card_refused(step, event)

        case State.CHECKING, RightsToAskRead():
            new_request.rights_to_ask_read(step, event)
        case State.CHECKING, PairingRead():
            new_request.pairing_read(step, event)
        case State.CHECKING, PairingUnresolved():
            new_request.pairing_unresolved(step, event)
        case State.CHECKING, CardHeldUp():
            new_request.card_held_up(step, event)
        case State.CHECKING, CallFailed():
            new_request.check_failed(step, event)
        case ((State.CHECKING | State.PENDING), TimePassed()):
            clicks.decision_time(step)
        case State.PENDING, RightsRead():
            clicks.rights_read_at_click(step, event)
        case State.APPROVED, RightsRead() if request.clicks:
            clicks.rights_read_at_click(step, event)

        case State.APPROVED, (PairingRead() | PresenceRead() | CallFailed()) if (
            before_delete.too_early(step, event)
        ):
            before_delete.tell_ahead(step, event)
        case State.APPROVED, RightsRead():
            before_delete.rights_read_before_intent(step, event)
        case State.APPROVED, PairingRead():
            before_delete.pairing_read_before_intent(step, event)
        case State.APPROVED, PresenceRead():
            before_delete.pairing_missing_before_intent(step, event)
        case State.APPROVED, TimePassed():
            before_delete.execution_time(step)
        case State.APPROVED, IntentStored():
            before_delete.intent_stored(step)
        case State.DELETING, DeleteNotAccepted() if after_delete.of_this_intent(step, event):
            after_delete.not_accepted(step, event)
        case State.DELETING, DeleteAccepted():
            after_delete.accepted(step, event)
        case State.DELETING, DeleteAnswered():
            after_delete.answered(step, event)
        case State.FOLLOWING, DeleteAccepted() if after_delete.found_in_list(step, event):
            after_delete.accepted(step, event)
        case State.FOLLOWING, (DeleteAnswered() | DeleteNotAccepted()) if (
            after_delete.found_in_list(step, event) and after_delete.nothing_began(step, event)
        ):
            after_delete.not_ours(step, event)
        case ((State.PENDING | State.APPROVED), DeleteAccepted(intent=Intent() as intent)):
            before_delete.intent_stored(step, intent)
            after_delete.accepted(step, event)
        case ((State.PENDING | State.APPROVED), DeleteAnswered(intent=Intent() as intent)):
            before_delete.intent_stored(step, intent)
            after_delete.answered(step, event)

        case State.DELETING, PresenceRead():
            after_delete.tasks_read(step, event)
        case State.FOLLOWING, TaskPolled():
            following.task_polled(step, event)
        case State.FOLLOWING, PresenceRead():
            following.presence_read(step, event)
        case ((State.DELETING | State.FOLLOWING), TimePassed()):
            following.attention(step, "follow_ttl")
        case ((State.APPROVED | State.DELETING | State.FOLLOWING), CallFailed()):
            before_delete.call_failed(step, event)

        case State.ATTENTION, DeleteAccepted() if after_delete.of_this_intent(step, event):
            after_delete.accepted_late(step, event)
        case State.ATTENTION, DeleteAnswered() if after_delete.refused(step, event):
            after_delete.not_accepted_late(step, event)
        case State.ATTENTION, DeleteNotAccepted() if after_delete.of_this_intent(step, event):
            after_delete.not_accepted_late(step, event)
        case (
            (State.SUCCEEDED | State.FAILED),
            (DeleteAnswered() | DeleteNotAccepted()),
        ) if after_delete.credited_wrongly(step, event):
            after_delete.not_accepted_late(step, event)
        case State.ATTENTION, RightsRead() if request.clicks:
            clicks.rights_read_after_the_end(step, event)
        case State.ATTENTION, PresenceRead():
            after_delete.looked_again(step, event)
        case State.ATTENTION, CallFailed():
            after_delete.look_failed(step, event)
        case state, _:
            step.record("came_late", event=event.kind, state=state.value)
    return step.done()


def may_stop(request: Request, waiting: Sequence[Stored], now: int) -> bool:
    """Whether one of these events, which wait in this order, changes what is decided or may do so
    once rights are read: a Withdraw, a Deny, what became of an earlier DELETE. All others, such as
    presses of people who may not, can be absorbed as well after the DELETE."""
    decided = request.state, request.clicks
    for stored in waiting:
        request = absorb(request, stored, now).request
        if (request.state, request.clicks) != decided:
            return True
    return False


class Dismissed(Frozen):
    """What such an event leaves behind; there is no row to change."""

    entries: tuple[Entry, ...]
    answers: tuple[Answer, ...] = ()


def dismissal(stored: Stored, now: int) -> Dismissed:
    match stored.event:
        case Misdirected() as event:
            # The listener has already answered whoever pressed.
            detail = {"click": event.action, "why": event.why, "value": event.value}
            return Dismissed(entries=(_click_refused(event, now, detail),))
        case AskRefused() as event:
            asked = event.model_dump(exclude={"kind", "by"}, exclude_none=True)
            entry = Entry(action="ask_refused", actor=event.by, at=now, detail=asked)
            return Dismissed(entries=(entry,))
        case Clicked() as event:
            detail = {"click": event.action, "why": "unknown_request"}
            entry = _click_refused(event, now, detail)
        case OperatorCancelled() as event:
            actor, detail = f"operator:{event.operator}", {"why": "unknown_request"}
            entry = Entry(action="cancel_refused", actor=actor, at=now, detail=detail)
        case event:
            detail = {"event": event.kind, "why": "unknown_request"}
            entry = Entry(action="came_late", actor=SYSTEM, at=now, detail=detail)
    answer = Answer(event=stored.number, code="unknown_request")
    return Dismissed(entries=(entry,), answers=(answer,))


def _click_refused(event: Clicked | Misdirected, now: int, detail: dict[str, Any]) -> Entry:
    where = f"{event.channel}/{event.message_ts}"
    return Entry(action="click_refused", actor=event.by, at=now, message=where, detail=detail)
