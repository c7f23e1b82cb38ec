"""The one place that sends a DELETE: prepared, then its intent committed, then sent, once.

Where AUDIT_BEFORE_ACT is set, a witness outside has the intent before that: whatever goes wrong
there, this process knows that it has sent nothing, and says so.

Rule 2: for one approval at most one DELETE that could have been accepted. Whatever may take time
(log-in, remote session, connection) comes before the intent. Then the process has one second to
send. If it freezes in between it must not send any more: another process may have found the intent,
looked at the appliance, and concluded that nothing was sent.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.request.absorb import absorb
from bot.request.events import CallFailed, DeleteNotAccepted, DeleteOutcome, IntentStored, Stored
from bot.request.model import Request
from bot.request.plan import SendDelete, plan
from bot.request.problem import Problem, ProblemKind
from bot.store.faults import StoreError
from bot.store.requests import Requests
from bot.store.saving import Claim, SaveRefused
from bot.worker.effects import Effects

SEND_WITHIN_SECONDS = 1.0
"""Between the intent and the bytes on the wire (design, rule 2)."""

HELD_UP = "The process was held up between deciding to send and sending, so it did not send."
NOT_TOLD = "The database did not say whether the decision to send was stored, so it was not sent."


class DryRunForbids(Exception):
    """A DELETE was about to be sent although DRY_RUN is on, in the row or in this process.

    This cannot happen as long as `absorb` is right. If it ever is not, nothing is sent all the
    same.
    """


class IntentUnanswered(Exception):
    """The database did not say whether the intent is stored, so nothing was sent. Only this process
    knows that: anybody else who found the intent would have to call a person."""

    def __init__(self, outcome: DeleteNotAccepted) -> None:
        super().__init__(NOT_TOLD)
        self.outcome = outcome


def send_delete(
    claim: Claim, by: float, effects: Effects, requests: Requests, stopping: Callable[[], bool]
) -> tuple[Claim, DeleteOutcome | CallFailed | None]:
    """The claim as it is after it, and what came of it; None where nothing was sent and the row has
    to be looked at again. `by`: the monotonic second by which it must be over. Raises ClaimLost,
    IntentUnanswered or DryRunForbids."""
    request, pairing = claim.request, claim.request.pairing_id
    if effects.policy.dry_run or request.terms.dry_run:
        raise DryRunForbids(request.id)
    appliance = effects.appliance_of(request)
    if isinstance(appliance, Problem):
        return claim, CallFailed(problem=appliance)
    if pairing is None:
        raise ValueError(f"request {request.id} has no pairing")
    # All but the intent itself, since within the second there is time for one record alone. Without
    # a witness there is no intent either.
    if unwitnessed := effects.witness(by - effects.monotonic()):
        return claim, CallFailed(problem=unwitnessed)
    if unprepared := appliance.prepare_delete(pairing, by):
        return claim, unprepared
    try:
        intended_at = effects.monotonic()
        now = requests.now()
        if stopping():
            # The answer would come after this process has ended, where nobody could ever read it.
            return claim, None
        if intended_at > by or not isinstance(plan(request, now), SendDelete):
            # Preparing took so long that the readings have grown old: read again. Checked both by
            # the clock that all copies share and by our own, which nobody can set.
            return claim, None
        intended = absorb(request, Stored(at=now, event=IntentStored()), now)
        intent = intended.request.intent
        if intent is None:
            raise ValueError(f"request {request.id} has no intent")
        try:
            claim = requests.save_intent(claim, intended)
        except SaveRefused:
            return claim, None  # an event waits, or it is too late: the next round sees which
        except StoreError as error:
            raise IntentUnanswered(_unsent(intended.request, NOT_TOLD)) from error
        send_by = intended_at + SEND_WITHIN_SECONDS
        if unwitnessed := effects.witness(send_by - effects.monotonic()):
            return claim, DeleteNotAccepted(problem=unwitnessed, intent=intent)
        if effects.monotonic() > send_by:
            return claim, _unsent(claim.request, HELD_UP)
        outcome = appliance.delete(pairing, force=request.force, send_by=send_by, by=by)
        return claim, outcome.model_copy(update={"intent": intent})
    finally:
        appliance.end_delete(pairing)


def _unsent(request: Request, text: str) -> DeleteNotAccepted:
    problem = Problem(kind=ProblemKind.TOO_LATE, text=text)
    return DeleteNotAccepted(problem=problem, intent=request.intent)
