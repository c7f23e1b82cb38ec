"""What the page of words is made of: requests with each end, each wait and each warning, by name.
Tests that must hold for each message go through these rows too."""

from __future__ import annotations

import re

from bot.request.model import Decision, Notice, Outcome, Request, State, Witness
from bot.request.pairing import IssueLine, Near
from bot.request.problem import Problem, ProblemKind
from bot.slack.draw.words.check_refused import TIMES
from tests.slack.cards.samples import (
    APPROVED,
    BY_STATE,
    CUT_OFF,
    ENDED_BADLY,
    ENDED_WELL,
    FIRST,
    FORBIDDEN,
    HARD,
    MINUTE,
    NOW,
    RUNNING,
    SECOND,
    SNAPSHOT,
    TERMS,
    changed,
    decided,
    named,
    over,
    sample,
)
from tests.support.world import one_pool


def problem(kind: ProblemKind, status: int | None = None, **said: object) -> Problem:
    return Problem.model_validate({"kind": kind, "text": "vr said no", "status": status, **said})


NOT_THERE = problem(ProblemKind.NOT_FOUND, 404)
TURNED_AWAY = problem(ProblemKind.LIMITED, 429)
UNREAD = problem(ProblemKind.SERVER_ERROR, 500, message="no database")
DRY = changed(TERMS, dry_run=True)
WITH_GLASS = changed(TERMS, break_glass=True)
SEVERAL = changed(TERMS, several=True)
NONE = changed(SNAPSHOT, count=0, replications=(), protected=0)
LOST = {"problem": CUT_OFF, "answer": CUT_OFF}
GLASS = Decision(by="UCHIEF", at=NOW + MINUTE, reason="Oslo burns\nINC0815")
AT = NOW + 6 * 60 * MINUTE
TIMED = {"at": "22:00", "zone": "Europe/Berlin", "scheduled_at": AT}
WAITS = changed(APPROVED, **TIMED, execute_by=AT + 10 * MINUTE)
WITNESS = Witness(number=1204, hash="0123456789abcdef" * 4)


def snap(**changes: object) -> Request:
    return sample(snapshot=changed(SNAPSHOT, **changes))


# ---- cards -------------------------------------------------------------------------------------
CARDS = {
    "undecided": BY_STATE[State.PENDING],
    "all that an approver must be warned of": HARD,
    "an ordinary break with the other site away": changed(HARD, force=False, terms=TERMS),
    "one-sided, the other site reachable, several appliances": sample(force=True, terms=SEVERAL),
    "not before a time, with break glass": sample(**TIMED, terms=WITH_GLASS),
    "too few approvers: only break glass": sample(
        terms=WITH_GLASS, only_glass=True, glass_lost=GLASS
    ),
    "the appliance not read": sample(snapshot=None, fingerprint=None, card_ts=None),
    "no replications": sample(snapshot=NONE, terms=changed(TERMS, pools=one_pool(1))),
    "no recovery plan": snap(protected=0, count=6),
    "more replications than have a place": snap(
        count=1_200,
        complete=False,
        protected=0,
        replications=named(*(f"vm-{n:02d}" for n in range(10))),
        issues=(IssueLine(entity=None, description=None, status=None),) * 4,
        issue_count=4,
        partial=("one away", "two away.", "three away", "four away"),
    ),
    "approved": APPROVED,
    "approved, and waits until its time": WAITS,
    "being carried out": BY_STATE[State.FOLLOWING],
    "glass broken": changed(APPROVED, glass=GLASS, approvals=(), terms=WITH_GLASS),
    "glass broken, and waits until its time": changed(WAITS, glass=GLASS, approvals=(FIRST,)),
    "done": BY_STATE[State.SUCCEEDED],
    "denied": BY_STATE[State.DENIED],
    "failed": BY_STATE[State.FAILED],
}
"""Each is shown whole."""

# ---- the final reply ---------------------------------------------------------------------------
FINALS = {
    "proved": BY_STATE[State.SUCCEEDED],
    **{
        name: decided(re.split("[ ,]", name)[0], **changes)
        for name, changes in {
            "proved, one-sided": {"task": ENDED_WELL, "force": True},
            "proved, nothing replicated": {"task": ENDED_WELL, "snapshot": NONE},
            "proved, one replication": {
                "task": ENDED_WELL,
                "snapshot": changed(SNAPSHOT, count=1),
            },
            "proved, the task unknown by then": {"task": RUNNING},
            "proved, the answer lost": {"task": ENDED_WELL, "task_adopted": True, **LOST},
            "gone_untold": LOST,
            "gone_untold, one-sided": {"force": True, **LOST},
            "proved, after a break glass": {"task": ENDED_WELL, "glass": GLASS},
            "gone_untold, two deletes": {"deletes_sent": 2},
            "gone_untold after a 404": {"problem": NOT_THERE, "answer": NOT_THERE},
            "delete_refused, 403": {"problem": FORBIDDEN},
            "delete_refused, 400": {"problem": changed(FORBIDDEN, status=400, op_id=None)},
            "delete_refused, no cause named": {},
            "delete_refused, 401 twice": {"problem": problem(ProblemKind.UNAUTHORIZED, 401)},
            "delete_refused, 404": {"problem": NOT_THERE},
            "delete_refused, 500": {
                "problem": changed(FORBIDDEN, kind=ProblemKind.SERVER_ERROR, status=500)
            },
            "task_error": {"task": ENDED_BADLY},
            "task_error without words": {"task": changed(RUNNING, status="ERROR")},
            "task_cancelled": {"task": changed(RUNNING, status="CANCELLED")},
            "outcome_unknown": LOST,
            "outcome_unknown, a new task": {"nameless_task": True},
            "accepted_late": {"task": RUNNING},
            "end_unknown": {"task": RUNNING},
            "follow_ttl": {"task": RUNNING},
            "follow_ttl, the last look refused": {
                "task": RUNNING,
                "problem": UNREAD,
                "terms": changed(TERMS, follow_ttl_ms=90_500),
            },
            "follow_ttl, the answer lost": LOST,
            "not_begun": {},
            "not_begun, with a reason": {"problem": CUT_OFF},
            "not_begun, at a time": TIMED,
            "changed": {"lines": ("number of replications: was 12, is now 13",)},
            "changed, once turned away": {
                "lines": tuple(f"difference {n}" for n in range(10)),
                "turned_away": TURNED_AWAY,
            },
            "changed_gone": {},
            "changed_gone, once turned away": {"turned_away": changed(TURNED_AWAY, status=None)},
        }.items()
    },
    "proved by 404s, the second delete accepted": changed(
        decided("proved", task=ENDED_WELL, deletes_sent=2),
        outcome=Outcome(code="proved", by_404s=True),
    ),
    "denied": BY_STATE[State.DENIED],
    "cancelled": BY_STATE[State.CANCELLED],
    "cancelled after a break glass": changed(BY_STATE[State.CANCELLED], glass=GLASS),
    "cancelled, once turned away": over("cancelled", turned_away=TURNED_AWAY),
    "not_decided": BY_STATE[State.EXPIRED],
    "not_decided, rights lost": changed(
        BY_STATE[State.EXPIRED], notices=(Notice(code="rights_lost", at=NOW, who=("USECOND",)),)
    ),
    "rehearsed": BY_STATE[State.REHEARSED],
}
CORRECTIONS = {
    "look_gone": changed(
        BY_STATE[State.ATTENTION],
        state=State.SUCCEEDED,
        correction=Outcome(code="look_gone"),
        corrected_in=WITNESS,
    ),
    "look_gone, by our task": changed(
        BY_STATE[State.ATTENTION],
        state=State.SUCCEEDED,
        task=RUNNING,
        correction=Outcome(code="look_gone"),
    ),
    "look_task_failed": changed(
        BY_STATE[State.ATTENTION],
        state=State.FAILED,
        task=ENDED_BADLY,
        task_adopted=True,
        correction=Outcome(code="look_task_failed"),
    ),
    "delete_refused, said late": changed(
        BY_STATE[State.ATTENTION],
        state=State.FAILED,
        correction=Outcome(code="delete_refused", problem=TURNED_AWAY),
    ),
    "not_begun, said late": changed(
        BY_STATE[State.ATTENTION],
        state=State.EXPIRED,
        outcome=Outcome(code="end_unknown"),
        task=ENDED_WELL,
        task_adopted=True,
        correction=Outcome(code="not_begun", problem=TURNED_AWAY),
    ),
    "not_ours, gone": changed(
        decided("proved", task=ENDED_WELL, task_adopted=True),
        correction=Outcome(code="not_ours", problem=TURNED_AWAY),
    ),
    "not_ours, failed": changed(
        decided("task_error", task=ENDED_BADLY, task_adopted=True),
        correction=Outcome(code="not_ours", problem=FORBIDDEN),
    ),
}
WHOLE_FINALS = {
    "a success, with the head of the audit trail": changed(
        BY_STATE[State.SUCCEEDED], ended_in=WITNESS
    ),
    "an unknown outcome": BY_STATE[State.ATTENTION],
    "its first reply, once it was corrected": CORRECTIONS["look_gone"],
    "after a break glass, at one of several appliances": decided(
        "proved", task=ENDED_WELL, glass=GLASS, terms=SEVERAL
    ),
}


# ---- refused: only the asker is told -------------------------------------------------------------
def refused(code: str, *lines: str, **changes: object) -> Request:
    return over(
        code, lines=lines, **{"snapshot": None, "fingerprint": None, "card_ts": None, **changes}
    )


NEAR = (Near(pairing_id="0b7ff9a4-1d2e", title="lyon.example.com → oslo.example.com"),)
BOTH = ("lyon.example.com → oslo.example.com", "oslo.example.com → rome.example.com")
REFUSALS = {
    "people_unreadable": refused("people_unreadable"),
    "requester_not_allowed": refused("requester_not_allowed", "not_listed"),
    "channel_not_allowed": refused("channel_not_allowed", "C0DROPERATIONS"),
    **{
        f"time_not_taken, {why}": refused("time_not_taken", why, "Europe/Berlin", **TIMED)
        for why in TIMES
    },
    "too_few_approvers": refused("too_few_approvers", "", "1", "2"),
    "pairing_none": refused("pairing_none"),
    "pairing_none, one is near": refused("pairing_none", near=NEAR),
    "pairing_several": refused("pairing_several", *BOTH),
    "pairing_several, of several appliances": refused(
        "pairing_several", *(f"lyon/{n}" for n in range(10)), terms=SEVERAL
    ),
    "pairing_self": refused("pairing_self", BOTH[0]),
    "pairing_unread": refused("pairing_unread", "rome", "oslo"),
    "pairing_partial": refused("pairing_partial"),
    "pairing_partial, one is near": refused("pairing_partial", near=NEAR),
    "pairing_no_site": refused("pairing_no_site"),
    "pairing_taken": refused("pairing_taken", "BBBB-CCCC"),
    "pairing_taken, at its other end": refused("pairing_taken", "BBBB-CCCC", "rome"),
    **{
        f"check_failed, {each.kind} {each.status or ''}".strip(): refused(
            "check_failed", problem=each
        )
        for each in (
            FORBIDDEN,
            problem(ProblemKind.UNAUTHORIZED, 401),
            problem(ProblemKind.LOGIN_REFUSED),
            problem(ProblemKind.LOGIN_REST, retry_at=NOW),
            problem(ProblemKind.SERVER_ERROR, 500),
            problem(ProblemKind.NOT_UNDERSTOOD),
            problem(ProblemKind.REFUSED, 400),
        )
    },
    "check_failed, login_rest, until when is not known": refused(
        "check_failed", problem=problem(ProblemKind.LOGIN_REST)
    ),
    "unreachable": refused("unreachable"),
    "unreachable, two log-ins": refused("unreachable", problem=problem(ProblemKind.UNPROVEN)),
    "unreachable, the own limit": refused("unreachable", problem=problem(ProblemKind.OVER_BUDGET)),
    **{
        f"card_refused, {error}": refused("card_refused", error)
        for error in ("not_in_channel", "is_archived", "restricted_action", "msg_too_long")
    },
    "card_refused, the answer lost": refused("card_refused", "answer_lost"),
    "card_not_posted": refused("card_not_posted"),
    "card_not_posted, the token": refused("card_not_posted", "invalid_auth"),
}

# ---- the thread meanwhile ----------------------------------------------------------------------
PROGRESS = {
    "approved": APPROVED,
    "approved, cannot be sent": changed(APPROVED, waiting=CUT_OFF),
    "approved, turned away": changed(APPROVED, turned_away=TURNED_AWAY, waiting=CUT_OFF),
    "approved, sent again": changed(APPROVED, turned_away=TURNED_AWAY),
    "approved, waits until its time": WAITS,
    "glass broken": changed(APPROVED, glass=SECOND),
    "deleting": BY_STATE[State.DELETING],
    "deleting, no clear answer": changed(BY_STATE[State.DELETING], answer=CUT_OFF),
    "deleting, no answer known": changed(BY_STATE[State.DELETING], polling_since=NOW),
    "deleting, cannot look": changed(BY_STATE[State.DELETING], waiting=CUT_OFF),
    "following": BY_STATE[State.FOLLOWING],
    "following, no task known": changed(BY_STATE[State.FOLLOWING], task=None),
    "following, taken for ours": changed(BY_STATE[State.FOLLOWING], task_adopted=True),
    "following, task ended": changed(BY_STATE[State.FOLLOWING], task=ENDED_WELL),
    "following, task missing": changed(BY_STATE[State.FOLLOWING], polling_since=NOW),
    "following, cannot ask": changed(BY_STATE[State.FOLLOWING], waiting=CUT_OFF),
    "pending again": sample(),
    "succeeded": BY_STATE[State.SUCCEEDED],
}
REMINDERS = {
    "undecided": sample(approvals=(FIRST,)),
    "not before a time, nobody to call": sample(
        **TIMED, terms=changed(TERMS, notify=(), pools=one_pool(1))
    ),
}
_AWAY = {"at": NOW, "text": CUT_OFF.text, "who": ("UPERSON",)}
QUIET = changed(TERMS, notify=())


def _told(code: str, row: Request = APPROVED, **notice: object) -> Request:
    told = Notice.model_validate({**_AWAY, "code": code, **notice})
    return changed(row, notices=(told,))


_UNTOLD = _told(
    "glass_broken",
    changed(APPROVED, glass=GLASS),
    text="Oslo burns",
    called=("UANN", "SLEADS"),
    told=("UANN",),
    unread=("SLEADS",),
)
NOTICES_TOLD = {
    "rights_lost": _told("rights_lost"),
    "rights_lost, nobody to call": _told("rights_lost", changed(APPROVED, terms=QUIET)),
    "more_approvals": _told("more_approvals", text="2"),
    "asked_unseen": _told("asked_unseen", text="", told=("UANN", "UBEN"), unread=("SLEADS",)),
    "asked_unseen, the channel unread": _told("asked_unseen", text="unread", told=("UANN",)),
    "approved_unseen": _told("approved_unseen", text="", told=("UANN",)),
    "glass_broken": _UNTOLD,
    "glass_broken, own request, dry run, at a time": _told(
        "glass_broken", changed(WAITS, terms=DRY), text="Oslo burns", who=("UASKER",)
    ),
    "glass_lost": _told("glass_lost"),
    "waits_to_send": _told("waits_to_send"),
    "waits_to_look": _told("waits_to_look"),
    "waits_to_follow": _told("waits_to_follow", text=""),
    "waits_to_follow, again": _told("waits_to_follow", text="", times=2),
    "goes_on": _told("goes_on", text=""),
    "goes_on, again": _told("goes_on", text="", times=12),
    "not_ours": _told("not_ours", text="task-8"),
    "ahead": _told("ahead", WAITS, text="12"),
    "ahead, what differs": _told(
        "ahead", changed(WAITS, terms=DRY), text="1", lines=("number: was 2, is now 1",)
    ),
    "ahead_unread": _told("ahead_unread", WAITS),
    "settled": _told("settled", BY_STATE[State.ATTENTION], text="Gone: done by hand"),
}

# ---- answers to one person ---------------------------------------------------------------------
_CHECKED = sample(state=State.CHECKING, card_ts=None)
_UNCHECKED = sample(state=State.CHECKING, snapshot=None, card_ts=None)
_DONE = BY_STATE[State.SUCCEEDED]
_LOOKED = BY_STATE[State.ATTENTION]
ANSWERED: list[tuple[str, str, Request, dict[str, str]]] = [
    ("card_held_up", "", changed(_CHECKED, card_error="missing_scope"), {}),
    ("card_held_up", "the card has come", sample(), {}),
    ("appliance_away", "", changed(_UNCHECKED, waiting=CUT_OFF, unreachable_since=NOW), {}),
    ("appliance_away", "read since", _CHECKED, {}),
    ("denied", "", BY_STATE[State.DENIED], {}),
    ("approval_counted", "", sample(approvals=(FIRST,)), {"by": "UFIRST"}),
    ("approval_counted", "the last one", APPROVED, {"by": "UFIRST"}),
    ("approval_counted", "right lost since", sample(), {"by": "UFIRST"}),
    ("glass_broken", "", changed(APPROVED, glass=GLASS), {}),
    ("glass_broken", "a group unread", _UNTOLD, {}),
    ("glass_broken", "right lost since", sample(glass_lost=GLASS), {}),
    ("cancelled", "", BY_STATE[State.CANCELLED], {}),
    ("nothing_to_look_at", "", _DONE, {}),
    ("look_running", "", _LOOKED, {}),
    ("look_running", "a later request", _LOOKED, {"superseded": "yes"}),
    ("look_unlisted", "", _LOOKED, {}),
    ("look_gone", "", _DONE, {}),
    ("look_task_failed", "", BY_STATE[State.FAILED], {}),
    ("look_still_there", "", _LOOKED, {}),
    ("look_failed", "", _LOOKED, {"text": "The appliance does not answer"}),
    ("look_failed", "over since", _DONE, {}),
    ("settled", "", changed(_LOOKED, settled=FIRST), {}),
    ("nothing_to_settle", "", _DONE, {}),
    ("settled_without_words", "", _LOOKED, {}),
    *(("already_decided", state.value, row, {}) for state, row in BY_STATE.items()),
    ("already_decided", "dry run", changed(APPROVED, terms=DRY), {}),
    ("already_decided", "waits until its time", WAITS, {}),
    ("already_decided", "at its time", changed(WAITS, time_came=True, waiting=CUT_OFF), {}),
    ("already_decided", "glass", changed(APPROVED, glass=GLASS), {}),
    ("already_counted", "", sample(approvals=(FIRST,)), {}),
    ("too_late", "", BY_STATE[State.EXPIRED], {}),
    ("too_late", "still to be counted", sample(), {}),
    ("not_the_card", "", sample(), {}),
    ("not_the_card", "no card yet", _CHECKED, {}),
    ("not_the_card", "over", _DONE, {}),
    ("other_fingerprint", "decided since", APPROVED, {}),
    ("cancel_not_yours", "approved", APPROVED, {}),
    ("cancel_not_yours", "over", _DONE, {}),
    ("unexpected", "over", _DONE, {}),
    ("no_right_unreadable", "until when is known", sample(), {"retry_at": str(NOW)}),
]
"""The code of the answer, when, how the request stands then, and what the answer carries. A code
that is not here, or not without a when, is shown with an undecided request as well."""
