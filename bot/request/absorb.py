"""`absorb`: what one event does to a request in its present state. Nothing else changes one."""

from __future__ import annotations

from bot.request import checking as asking
from bot.request import deciding, following
from bot.request import sending as deleting
from bot.request.entries import Absorbed
from bot.request.events import (
    CallFailed,
    CardHeldUp,
    CardPosted,
    CardRefused,
    Clicked,
    DeleteAccepted,
    DeleteAnswered,
    DeleteNotAccepted,
    IntentStored,
    Looked,
    Misdirected,
    Opened,
    OperatorCancelled,
    PairingLooked,
    PairingRead,
    PairingTaken,
    PairingUnresolved,
    RightsRead,
    StandingRead,
    Stored,
    TaskSeen,
    TimePassed,
)
from bot.request.model import Intent, Request, State
from bot.request.step import Step


def absorb(request: Request, stored: Stored, now: int) -> Absorbed:
    """The new request with its audit entries and answers.

    An event that does not fit the state any more, such as an outcome that came late through the
    inbox, changes nothing and is kept in the audit trail.
    """
    step = Step(request, stored, now)
    if not _dispatch(step, request.state):
        step.record("came_late", event=stored.event.kind, state=request.state.value)
    return step.done()


def _dispatch(step: Step, state: State) -> bool:
    """Whether the event means anything in this state. The cases are in the order of a life."""
    event = step.stored.event
    match state, event:
        case _, Clicked():
            deciding.clicked(step, event)
        case _, Opened():
            step.record("modal_opened", event.by, modal=event.action)
        case _, Misdirected():
            deciding.misdirected(step, event)
        case _, OperatorCancelled():
            deciding.operator_cancelled(step, event)
        case _, CardPosted():
            asking.card_posted(step, event)
        case _, CardRefused():
            asking.card_refused(step, event)

        case State.CHECKING, StandingRead():
            asking.standing_read(step, event)
        case State.CHECKING, PairingRead():
            asking.pairing_read(step, event)
        case State.CHECKING, PairingUnresolved():
            asking.pairing_unresolved(step, event)
        case State.CHECKING, CardHeldUp():
            asking.card_held_up(step, event)
        case State.CHECKING, PairingTaken():
            asking.pairing_taken(step, event)
        case State.CHECKING, CallFailed():
            asking.check_failed(step, event)
        case ((State.CHECKING | State.PENDING), TimePassed()):
            deciding.decision_time(step)
        case State.PENDING, RightsRead():
            deciding.rights_read_at_click(step, event)

        case State.APPROVED, RightsRead():
            deleting.rights_read_before_intent(step, event)
        case State.APPROVED, PairingRead():
            deleting.pairing_read_before_intent(step, event)
        case State.APPROVED, PairingLooked():
            deleting.pairing_missing_before_intent(step, event)
        case State.APPROVED, TimePassed():
            deleting.execution_time(step)
        case State.APPROVED, IntentStored():
            deleting.intent_stored(step)
        case State.DELETING, DeleteNotAccepted() if deleting.of_this_intent(step, event):
            deleting.not_accepted(step, event)
        case State.DELETING, DeleteAccepted():
            deleting.accepted(step, event)
        case State.DELETING, DeleteAnswered():
            deleting.answered(step, event)
        case State.FOLLOWING, DeleteAccepted() if deleting.found_by_looking(step, event):
            deleting.accepted(step, event)
        case ((State.PENDING | State.APPROVED), DeleteAccepted(intent=Intent() as intent)):
            deleting.lost_intent(step, intent)
            deleting.accepted(step, event)
        case ((State.PENDING | State.APPROVED), DeleteAnswered(intent=Intent() as intent)):
            deleting.lost_intent(step, intent)
            deleting.answered(step, event)

        case State.DELETING, Looked():
            following.looked(step, event)
        case State.FOLLOWING, TaskSeen():
            following.task_seen(step, event)
        case State.FOLLOWING, PairingLooked():
            following.pairing_looked(step, event)
        case ((State.DELETING | State.FOLLOWING), TimePassed()):
            following.follow_time(step)
        case ((State.APPROVED | State.DELETING | State.FOLLOWING), CallFailed()):
            deleting.call_failed(step, event)

        case State.ATTENTION, DeleteAccepted() if deleting.of_this_intent(step, event):
            following.accepted_late(step, event)
        case State.ATTENTION, DeleteAnswered() if deleting.refused(step, event):
            following.refused_late(step, event)
        case State.ATTENTION, DeleteNotAccepted() if deleting.of_this_intent(step, event):
            following.not_accepted_late(step, event)
        case State.ATTENTION, Looked():
            following.looked_again(step, event)
        case State.ATTENTION, CallFailed():
            following.look_failed(step, event)
        case _:
            return False
    return True
