"""Turns the errors of a call into the core's problems, and into the events of a DELETE."""

from __future__ import annotations

from collections.abc import Callable

from bot.appliance.errors import (
    ApplianceError,
    Limited,
    LoginRefused,
    LoginRest,
    NoSuchPairing,
    NotSent,
    NotUnderstood,
    OverBudget,
    Refused,
    TooLate,
    Unanswered,
    Unauthorized,
    Unavailable,
    Unproven,
)
from bot.request.events import DeleteAnswered, DeleteNotAccepted
from bot.request.problem import Problem, ProblemKind

Clock = Callable[[], int]
"""Now, in ms epoch."""

_KINDS: tuple[tuple[type[ApplianceError], ProblemKind], ...] = (
    (TooLate, ProblemKind.TOO_LATE),
    (NotSent, ProblemKind.UNSENT),
    (Unanswered, ProblemKind.UNANSWERED),
    (OverBudget, ProblemKind.OVER_BUDGET),
    (Unproven, ProblemKind.UNPROVEN),
    (LoginRest, ProblemKind.LOGIN_REST),
    (LoginRefused, ProblemKind.LOGIN_REFUSED),
    (Unauthorized, ProblemKind.UNAUTHORIZED),
    (NoSuchPairing, ProblemKind.NOT_FOUND),
    (Limited, ProblemKind.LIMITED),
    (Unavailable, ProblemKind.UNAVAILABLE),
    (NotUnderstood, ProblemKind.NOT_UNDERSTOOD),
)
"""The first that fits counts, so subclasses stand before their base."""

REFUSALS = frozenset({400, 403})
"""The statuses with which a DELETE is refused (vendor OpenAPI, DELETE /pairings/{id})."""

NOT_ACCEPTED = frozenset(
    {
        ProblemKind.TOO_LATE,
        ProblemKind.UNSENT,
        ProblemKind.UNAUTHORIZED,
        ProblemKind.LIMITED,
        ProblemKind.UNAVAILABLE,
    }
)
"""After these the DELETE may be sent again: the appliance has provably not accepted it."""


def problem(error: ApplianceError, now: Clock) -> Problem:
    """The problem, with the vendor's code, message and op_id unchanged."""
    wait = error.retry_after_seconds
    return Problem(
        kind=_kind(error),
        text=str(error),
        status=error.status,
        error_code=error.error_code,
        message=error.message,
        op_id=error.op_id,
        retry_at=None if wait is None else now() + int(wait * 1000) + 1,
    )


def after_delete(error: ApplianceError, now: Clock) -> DeleteAnswered | DeleteNotAccepted:
    """What an error of the DELETE itself means. If in doubt, it may have been accepted."""
    found = problem(error, now)
    if found.kind in NOT_ACCEPTED:
        return DeleteNotAccepted(problem=found)
    return DeleteAnswered(problem=found)


def _kind(error: ApplianceError) -> ProblemKind:
    for family, kind in _KINDS:
        if isinstance(error, family):
            return kind
    if isinstance(error, Refused) and error.status in REFUSALS:
        return ProblemKind.REFUSED
    if isinstance(error, Refused) and error.status == 500:
        return ProblemKind.SERVER_ERROR
    return ProblemKind.NOT_UNDERSTOOD
