"""What went wrong with a call to the appliance: one kind for each different next step."""

from __future__ import annotations

from enum import StrEnum

from bot.request import Frozen


class ProblemKind(StrEnum):
    """Each kind is one row, or half a row, of the contract's table of answers to the DELETE."""

    UNSENT = "unsent"  # name lookup, connect or TLS failed: nothing reached the appliance
    TOO_LATE = "too_late"  # the second between intent and send had passed: not sent
    UNWITNESSED = "unwitnessed"  # the witness of the audit trail did not get the intent: not sent
    UNANSWERED = "unanswered"  # cut or timed out after sending: it may have been received
    REFUSED = "refused"  # 400, 403 and other 4xx, with the ResponseError as it came
    SERVER_ERROR = "server_error"  # 500, with the ResponseError as it came
    UNAUTHORIZED = "unauthorized"  # 401: the session was not accepted
    NOT_FOUND = "not_found"  # 404, which never has a body
    LIMITED = "limited"  # 429
    UNAVAILABLE = "unavailable"  # 503 that names when to come back
    NOT_UNDERSTOOD = "not_understood"  # HTML, broken JSON, a redirect, 502, 504, plain 503
    LOGIN_REFUSED = "login_refused"
    LOGIN_REST = "login_rest"  # a log-in was refused; no other before retry_at
    UNPROVEN = "unproven"  # two log-ins, and no call worked after them; no other before retry_at
    OVER_BUDGET = "over_budget"  # our own limit of calls


class Problem(Frozen):
    """`text` is our sentence; `error_code`, `message`, `op_id` are the vendor's, untouched.

    `retry_at` is when to try again (ms epoch of our clock), where somebody said so.
    """

    kind: ProblemKind
    text: str
    status: int | None = None
    error_code: str | None = None
    message: str | None = None
    op_id: str | None = None
    retry_at: int | None = None

    @property
    def passes(self) -> bool:
        """Whether waiting can help, because the appliance has not decided anything."""
        return self.kind in _PASSES


_PASSES = frozenset(
    {
        ProblemKind.UNSENT,
        ProblemKind.TOO_LATE,
        ProblemKind.UNWITNESSED,
        ProblemKind.UNANSWERED,
        ProblemKind.LIMITED,
        ProblemKind.UNAVAILABLE,
        ProblemKind.OVER_BUDGET,
        ProblemKind.UNPROVEN,
    }
)
