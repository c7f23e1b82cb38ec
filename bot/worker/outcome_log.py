"""What an effect brought back, for the log."""

from __future__ import annotations

import structlog

from bot.request.events import Event
from bot.request.model import Request
from bot.request.problem import Problem, ProblemKind

log = structlog.get_logger(__name__)


def log_outcome(request: Request, outcome: Event) -> None:
    """A failed call is logged with all that the vendor needs to find it."""
    about: dict[str, object] = {"request": request.id, "state": request.state.value}
    about["outcome"] = outcome.kind
    problem: Problem | None = getattr(outcome, "problem", None)
    if problem is None:
        log.debug("effect", **about)
        return
    about |= {
        "pairing": request.pairing_id,
        "problem": problem.kind.value,
        "http_status": problem.status,
        "error_code": problem.error_code,
        "op_id": problem.op_id,
        "words": problem.text,
    }
    # A request that is waiting already would log the same failure every few seconds.
    if request.unreachable_since is not None or problem.kind is ProblemKind.OVER_BUDGET:
        log.debug("effect_failed", **about)
    else:
        log.warning("effect_failed", **about)
