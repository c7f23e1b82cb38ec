"""The one place that sends a DELETE: prepared before its intent is stored, sent once after that.

Rule 2: for one approval at most one DELETE that could have been accepted. Whatever may take time
(log-in, remote session, budget) comes before the intent. Then the process has one second to send.
If it freezes in between it must not send any more: another process may have found the intent,
looked at the appliance, and concluded that nothing was sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.request.events import CallFailed, DeleteNotAccepted, DeleteOutcome
from bot.request.model import Request
from bot.request.plan import AppliancePort
from bot.request.problem import Problem, ProblemKind
from bot.request.who_may import Policy

SEND_WITHIN_SECONDS = 1.0
"""Between the intent and the bytes on the wire (design, rule 2)."""

HELD_UP = "The process was held up between deciding to send and sending, so it did not send."
NOT_TOLD = "The database did not say whether the decision to send was stored, so it was not sent."


class DryRunForbids(Exception):
    """A DELETE was about to be sent although DRY_RUN is on, in the row or in this process.

    This cannot happen as long as `absorb` is right. If it ever is not, nothing is sent all the
    same.
    """


@dataclass(frozen=True)
class Sender:
    """Sends for one site. Between `prepare` and `send` the caller commits the intent."""

    policy: Policy
    appliance: AppliancePort
    monotonic: Callable[[], float] = time.monotonic

    def prepare(self, request: Request, by: float) -> CallFailed | None:
        if self.policy.dry_run or request.terms.dry_run:
            raise DryRunForbids(request.id)
        return self.appliance.prepare_delete(_pairing(request), by)

    def send(self, request: Request, intended_at: float, by: float) -> DeleteOutcome:
        """`intended_at`: the monotonic second just before the intent was committed. Raises
        ValueError, and sends nothing, for a request without an intent."""
        if request.intent is None:
            raise ValueError(f"request {request.id} has no intent")
        send_by = intended_at + SEND_WITHIN_SECONDS
        if self.monotonic() > send_by:
            return _unsent(request, HELD_UP)
        outcome = self.appliance.delete(
            _pairing(request), force=request.force, send_by=send_by, by=by
        )
        return outcome.model_copy(update={"intent": request.intent})


def not_told(request: Request) -> DeleteNotAccepted:
    """The database did not say whether it has stored this intent, so nothing was sent."""
    return _unsent(request, NOT_TOLD)


def _unsent(request: Request, text: str) -> DeleteNotAccepted:
    problem = Problem(kind=ProblemKind.TOO_LATE, text=text)
    return DeleteNotAccepted(problem=problem, intent=request.intent)


def _pairing(request: Request) -> str:
    if request.pairing_id is None:
        raise ValueError(f"request {request.id} has no pairing")
    return request.pairing_id
