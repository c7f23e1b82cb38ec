"""One request in each state and with each ending, as the core would have stored it."""

from __future__ import annotations

from typing import Any

from bot.request.fingerprint import fingerprint
from bot.request.model import Decision, Intent, Outcome, Request, State
from bot.request.pairing import IssueLine, Replication, Server, Snapshot, digest_of
from bot.request.pools import ALL
from bot.request.problem import Problem, ProblemKind
from bot.request.task import TaskView
from bot.request.terms import Terms
from bot.slack.receive.payload import View
from tests.support.world import one_pool

NOW = 1_700_000_000_000
MINUTE = 60_000
PAIRING_ID = "0b7ff9a4-1d2e-4f5a-8a51-8a0f3d1c2b3a"


def named(*names: str, protected: int = 0) -> tuple[Replication, ...]:
    """Replications with these names, each with an id of its own; the first are protected."""
    return tuple(
        Replication(id=f"r-{n}", name=name, protected=n < protected) for n, name in enumerate(names)
    )


SNAPSHOT = Snapshot(
    id=PAIRING_ID,
    local_vc=Server(id="vc-1", name="lyon.example.com", status="OK"),
    remote_vc=Server(id="vc-2", name="oslo.example.com", status="OK"),
    local_vrms=Server(id="vr-1", name="vr-lyon", status="OK"),
    remote_vrms=Server(id="vr-2", name="vr-oslo", status="OK"),
    count=12,
    complete=True,
    replications_digest=digest_of(["a", "b"]),
    replications=named("db-01", "db-02", "web-01", "web-02", "mail", "ldap", protected=4),
    protected=4,
    read_at=NOW,
)

TERMS = Terms(
    pools=one_pool(2),
    approval_ttl_ms=60 * MINUTE,
    execution_ttl_ms=10 * MINUTE,
    follow_ttl_ms=24 * 60 * MINUTE,
    remind_after_ms=15 * MINUTE,
    poll_ms=5_000,
    timeout_ms=10_000,
    dry_run=False,
    notify=("UNOTIFY1", "SNIGHTS"),
    label="production",
    appliance="vr.example.com",
)

FIRST = Decision(by="UFIRST", at=NOW + MINUTE, pools={ALL: "U0X"})
SECOND = Decision(by="USECOND", at=NOW + 2 * MINUTE, pools={ALL: "U0X"})

DECIDED: dict[str, Any] = {
    "approvals": (FIRST, SECOND),
    "approved_at": NOW + 2 * MINUTE,
    "execute_by": NOW + 12 * MINUTE,
}

RUNNING = TaskView(id="HmsTask:42:0b7f", status="RUNNING", progress=42, entity=PAIRING_ID)
ENDED_WELL = RUNNING.model_copy(update={"status": "SUCCESS", "progress": 100})
ENDED_BADLY = RUNNING.model_copy(
    update={
        "status": "ERROR",
        "error_message": "Cannot <break> & leave",
        "error_details": "server `vr-oslo` said no",
    }
)

FORBIDDEN = Problem(
    kind=ProblemKind.REFUSED,
    text="the appliance refused",
    status=403,
    error_code="NO_PERMISSION",
    message="Permission to perform this operation was denied.",
    op_id="6f1c9a52-op",
)
CUT_OFF = Problem(kind=ProblemKind.UNANSWERED, text="the appliance did not answer within 10 s")


def sample(**changes: Any) -> Request:
    """A pending request with nothing decided, changed as told."""
    base: dict[str, Any] = {
        "id": "K7QM-3XPD",
        "state": State.PENDING,
        "site": "lyon",
        "asked": "oslo",
        "force": False,
        "reason": "CHG1234567 Oslo moves out",
        "requester": "UASKER",
        "channel": "C0PS",
        "terms": TERMS,
        "asked_by_event": 1,
        "created_at": NOW - 1_000,
        "updated_at": NOW,
        "pairing_id": PAIRING_ID,
        "snapshot": SNAPSHOT,
        "rights_to_ask_read": True,
        "card_ts": "1700000001.000100",
        "decide_by": NOW + 60 * MINUTE,
        "pending_since": NOW,
    }
    made = {**base, **changes}
    shown: Snapshot | None = made["snapshot"]
    terms: Terms = made["terms"]
    if shown is not None:
        made.setdefault(
            "fingerprint", fingerprint(shown, force=made["force"], dry_run=terms.dry_run)
        )
    return Request(**made)


def changed(request: Request, **changes: object) -> Request:
    return request.model_copy(update=changes)


ENDS = {
    State.SUCCEEDED: ("proved", "gone_untold"),
    State.FAILED: ("delete_refused", "task_error", "task_cancelled"),
    State.ATTENTION: ("outcome_unknown", "accepted_late", "end_unknown", "follow_ttl"),
    State.DENIED: ("denied",),
    State.CANCELLED: ("cancelled",),
    State.EXPIRED: ("not_decided", "not_begun"),
    State.CHANGED: ("changed", "changed_gone"),
    State.REHEARSED: ("rehearsed",),
}
STATE_OF = {code: state for state, codes in ENDS.items() for code in codes}


def over(code: str, **changes: Any) -> Request:
    """Over before anything was approved; refused with a code that is no end of an open one."""
    said = {name: changes.pop(name) for name in ("problem", "lines", "near") if name in changes}
    state = STATE_OF.get(code, State.REFUSED)
    outcome = Outcome(code=code, **said)
    return sample(state=state, outcome=outcome, ended_at=NOW + 3 * MINUTE, **changes)


def decided(code: str, **changes: Any) -> Request:
    """Approved by two, and over."""
    return over(code, **DECIDED, intent=Intent(at=NOW + 2 * MINUTE, task_ids=()), **changes)


APPROVED = sample(state=State.APPROVED, **DECIDED)
DENIED = over(
    "denied",
    denial=Decision(by="UNO", at=NOW + MINUTE, reason="Backups still run\nuntil 5"),
)
CANCELLED = over("cancelled", cancellation=Decision(by="operator:alice", at=NOW + MINUTE))
BY_STATE: dict[State, Request] = {
    State.CHECKING: sample(state=State.CHECKING, card_ts=None, pending_since=None),
    State.PENDING: sample(approvals=(FIRST,)),
    State.APPROVED: APPROVED,
    State.DELETING: changed(APPROVED, state=State.DELETING, intent=Intent(at=NOW, task_ids=())),
    State.FOLLOWING: changed(
        APPROVED, state=State.FOLLOWING, intent=Intent(at=NOW, task_ids=()), task=RUNNING
    ),
    State.SUCCEEDED: decided("proved", task=ENDED_WELL),
    State.FAILED: decided("task_error", task=ENDED_BADLY),
    State.REFUSED: over("pairing_taken", card_ts=None, lines=("BBBB-CCCC",), snapshot=None),
    State.DENIED: DENIED,
    State.CANCELLED: CANCELLED,
    State.EXPIRED: over("not_decided", approvals=(FIRST,)),
    State.CHANGED: decided("changed", lines=("number of replications: was 12, is now 13",)),
    State.REHEARSED: decided("rehearsed", terms=TERMS.model_copy(update={"dry_run": True})),
    State.ATTENTION: decided("outcome_unknown", problem=CUT_OFF, answer=CUT_OFF),
}

HARD = sample(
    force=True,
    reason="",
    earlier_attention="DDDD-FFFF",
    terms=TERMS.model_copy(update={"dry_run": True, "notify": ()}),
    snapshot=SNAPSHOT.model_copy(
        update={
            "complete": False,
            "count": 1,
            "protected": 1,
            "replications": (),
            "remote_vrms": Server(id="vr-2", name="vr-oslo", status="ERROR"),
            "partial": ("remote site: not reachable",),
            "issues": (IssueLine(entity="vr-oslo", description="no heartbeat", status="ERROR"),),
            "issue_count": 3,
        }
    ),
)
"""Everything an approver must be warned of, at once."""


def sent(view: dict[str, Any]) -> View:
    """A modal as Slack sends it back."""
    return View.model_validate(view)
