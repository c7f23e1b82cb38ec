"""How a request ended: for every code of the core a title, what is known, and the next step.

One table for the final reply, the card, `status`, `vr-unpair show`, and the correction after Look
again. The rows for requests that the check refused are in `check_refused.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.request.model import Outcome, Request, State
from bot.request.plan import POLLS_OVER_TIMEOUTS
from bot.request.problem import ProblemKind
from bot.slack.draw import limits
from bot.slack.draw.markup import code, fence, line, mention, mentions, when
from bot.slack.draw.words.check_refused import REFUSED
from bot.slack.draw.words.pairing_names import pairing, sites
from bot.slack.draw.words.phrases import (
    WHERE_TO_LOOK,
    Ending,
    approvals_so_far,
    by_deadline,
    duration,
    nothing_sent,
    signs_of_ours,
)

Words = Callable[[Request, Outcome], Ending]

UNCLEAR = frozenset({"outcome_unknown", "accepted_late", "end_unknown", "follow_ttl"})
"""Outcomes of `attention`, whatever a correction has made of it."""

PRIVILEGE = "`HmsRemote.com.vmware.vcHms.Hms.Manage`"
TAKEN = "The appliance took the delete, and its task"
ASK_AGAIN = "Ask again if it is still wanted."
CAUSE_NAMED = "Remove the cause that the appliance names, then ask again."
CAUSE_IN_LOG = "Look for the cause in the appliance's log, then ask again."


def ending(request: Request, outcome: Outcome) -> Ending:
    """The words for one outcome."""
    end = OUTCOMES[outcome.code](request, outcome)
    body = [*end.body]
    if request.deletes_sent > 1:  # at most one of them can have been accepted
        taken = "one of them was" if request.deletes_accepted else "none is known as"
        body.append(
            f"{request.deletes_sent} deletes were sent, {taken} accepted: each was sent again only "
            "after the appliance had said that it did not take the one before."
        )
    if request.task and request.task_of_another and outcome is request.correction:
        task = code(request.task.id, limits.ID)
        body.append(f"Task {task}, which was taken for ours, is somebody else's.")
    else:
        body.append(signs_of_ours(request))
    if outcome.by_404s:
        time = duration(POLLS_OVER_TIMEOUTS * request.terms.timeout_ms)
        body.append(
            "The appliance's list of pairings is incomplete by its own word; that the pairing is "
            f"gone is shown by its id alone, which was answered 404 for {time} and more."
        )
    return end._replace(body=tuple(filter(None, body)))


# ---- the pairing is gone -----------------------------------------------------------------------
def _gone(request: Request, outcome: Outcome) -> Ending:
    """The heading says all that the title says, and what a one-sided break leaves behind. Without a
    task that the appliance has named in its answer it is not known whether our delete arrived:
    somebody else may have deleted the pairing."""
    here, there = sites(request)
    looked, proved = outcome.code == "look_gone", outcome.code == "proved"
    told = proved or (looked and request.task is not None and not request.task_adopted)
    found = f"The appliance no longer knows {pairing(request)}."
    if proved:
        found = f"{_ended_task(request)}, and the appliance no longer knows {pairing(request)}."
    elif not looked:
        found += (
            " The delete was answered 404, as if it had been gone before."
            if request.answer is not None and request.answer.status == 404
            else " The delete had no clear answer."
        )
    count = request.snapshot.count if request.snapshot else 0
    body = [found]
    if request.force:
        body.append(
            f"One-sided break: only {here} dropped the pairing; {there} still has its half."
        )
        step = f"Do the same on {there}'s appliance."
    elif not count:
        step = "Nothing to do. To use these sites together again, pair them again."
    else:
        anew = f"all {count:,} replications" if count > 1 else "its replication"
        step = (
            f"To replicate between these sites again, pair them again and reconfigure {anew}. "
            "Reconnect does not bring the pairing back."
        )
    untold = "" if told else "; whether by this call cannot be told"
    title = f"{'Looked again: the' if looked else 'The'} pairing is gone{untold}."
    heading = "Done: the pairing is gone" if told else f"Gone{untold}"
    if request.force:
        done = f"Done at {here}" if told else f"Gone at {here},{untold[1:]}"
        heading = f"{done}; {there} still has its half"
    return Ending(title, tuple(body), step, heading)


def _task(request: Request, ours: str = "The appliance's task") -> str:
    return "The task that is taken for ours" if request.task_adopted else ours


def _ended_task(request: Request) -> str:
    done = request.task is not None and request.task.status == "SUCCESS"
    return f"{_task(request)} {'ended well' if done else 'is no longer known there'}"


# ---- the appliance refused, or its task failed -------------------------------------------------
def _delete_refused(request: Request, outcome: Outcome) -> Ending:
    """Each kind of answer has its own next step."""
    problem = outcome.problem
    untouched = (f"{pairing(request)} was not touched.",)
    if problem is not None and problem.status == 403:
        return Ending(
            "The appliance refused: the bot's account may not do this.",
            untouched,
            f"Give the bot's account the privilege {PRIVILEGE}, then ask again.",
        )
    match problem.kind if problem is not None else None:
        case ProblemKind.UNAUTHORIZED:
            return Ending(
                "The appliance answered the delete with 401 twice, before and after a new log-in.",
                untouched,
                "Have `vr-unpair check` run, and the appliance's log read where it finds nothing, "
                "then ask again.",
            )
        case ProblemKind.SERVER_ERROR:
            support = " Its support wants the op_id." if problem and problem.op_id else ""
            return Ending(
                "The appliance failed while it handled the delete.",
                (f"No task for it can be seen, and {pairing(request)} is still there.",),
                f"Have the appliance's log read before asking again.{support}",
            )
        case ProblemKind.NOT_FOUND:
            return Ending(
                "The appliance answered the delete with 404, but the pairing is still there.",
                (f"Asked again afterwards, it still shows {pairing(request)}.",),
                f"Look at the pairing in {WHERE_TO_LOOK} before anybody asks again.",
            )
        case _:
            step = CAUSE_NAMED if problem is not None and problem.message else CAUSE_IN_LOG
            return Ending("The appliance refused the delete.", untouched, step)


# ---- the outcome is unknown: a person must look, and this says where ---------------------------
def _unknown(request: Request, title: str, found: str) -> Ending:
    step = f"Check in {WHERE_TO_LOOK} whether the pairing is there, then press Look again."
    if request.state is not State.ATTENTION:
        step = "See the correction below."
    return Ending(title, (found, f"Its history: `vr-unpair show {request.id}`"), step)


def _outcome_unknown(request: Request, outcome: Outcome) -> Ending:
    seen = "No task for it can be seen"
    if request.nameless_task:
        seen = "A new task there may be ours: it does not say what it works on"
    return _unknown(
        request,
        "It cannot be told whether the delete arrived.",
        f"The delete had no clear answer. {seen}, and {pairing(request)} is still there. It was "
        "not sent again: that takes the appliance's word that it did not take the first.",
    )


def _follow_ttl(request: Request, outcome: Outcome) -> Ending:
    found = f"What became of the delete of {pairing(request)} is not known."
    if request.task:
        found = f"The task last said {code(request.task.status)}; the bot has stopped waiting."
    # If the DELETE had no answer, the reason is that of a look that failed. It must not read as if
    # the DELETE was refused.
    if outcome.problem is not None and request.answer is None:
        found += " The last look failed, for the reason that is given here."
    time = duration(request.terms.follow_ttl_ms)
    return _unknown(request, f"It has not ended after {time}.", found)


# ---- the appliance accepted nothing ------------------------------------------------------------
def _denied(request: Request, outcome: Outcome) -> Ending:
    denial = request.denial
    by = mention(denial.by) if denial else "somebody"
    why = denial.reason if denial else None
    reason = (fence(why, limits.DECISION_REASON_SHOWN),) if why else ()
    step = f"Settle it with {by} before asking again."
    return Ending(f"Denied by {by}.", (*reason, nothing_sent(request)), step)


def _withdrawn(request: Request, outcome: Outcome) -> Ending:
    by = f" by {mention(request.cancellation.by)}" if request.cancellation else ""
    body = (nothing_sent(request),)
    return Ending(f"Withdrawn{by}.", body, ASK_AGAIN)


def _not_decided(request: Request, outcome: Outcome) -> Ending:
    counted = f"It had {approvals_so_far(request)}{by_deadline(request)}."
    gone = [n for n in request.notices if n.code in ("rights_lost", "glass_lost")]
    if gone:
        people = mentions(who for notice in gone for who in notice.who)
        counted += f" What {people} had decided no longer counted: the right to it was gone."
    body = (counted, nothing_sent(request))
    return Ending("The time to decide ran out.", body, ASK_AGAIN, "Out of time: not decided")


def _not_begun(request: Request, outcome: Outcome) -> Ending:
    title = "The approval ran out before the delete could be carried out."
    time = duration(request.terms.execution_ttl_ms)
    found = f"An approval is good for {time}. The appliance accepted nothing."
    if request.scheduled_at is not None:
        title = "The time that was asked for passed before the delete could be carried out."
        found = (
            f"It was to be sent at {when(request.scheduled_at)}, or within {time} after that. The "
            "appliance accepted nothing."
        )
        if outcome.problem is None:
            found += " Nothing that stood in the way is known: the bot was not running, or held up."
    if outcome.problem is None:
        return Ending(title, (found,), ASK_AGAIN)
    return Ending(title, (found, "This stood in the way:"), "Have that put right, then ask again.")


def _changed(request: Request, outcome: Outcome) -> Ending:
    # Few lines may be long: they name which replications came and which went.
    lines = outcome.lines[: limits.DIFFERENCES_SHOWN]
    room = max(limits.LINE, 2_400 // max(1, len(lines)))
    left = len(outcome.lines) - len(lines)
    differs = [f"• {line(each, room)}" for each in lines]
    differs += [f"• and {left} more"] if left else []
    body = ("\n".join(differs), nothing_sent(request))
    step = "Ask again: the new card shows what is there now."
    heading = "The pairing changed after approval; nothing was sent"
    return Ending("The pairing changed after approval.", body, step, heading)


def _changed_gone(request: Request, outcome: Outcome) -> Ending:
    step = "Nothing is left to break here; the vSphere Client may name who removed it."
    title, body = "The pairing was gone before anything was sent", [nothing_sent(request)]
    if request.turned_away is not None:
        title = "The pairing is gone, before the delete could be sent again"
        body.insert(0, "Whether by that call cannot be told.")
    return Ending(f"{title}.", tuple(body), step, title)


def _not_ours(request: Request, outcome: Outcome) -> Ending:
    """Only who sent the delete could tell, and its word came when the rest had been told."""
    late = "The answer to the delete has come late: nothing of it began."
    if request.state is State.SUCCEEDED:
        title = "Correction: the pairing is gone, but not by this delete."
        step = "See in the task list of the vSphere Client who broke it."
        return Ending(title, (late,), step, "Gone, but not by this delete")
    return Ending("Correction: the delete was not carried out.", (late,), ASK_AGAIN)


# ---- the table ---------------------------------------------------------------------------------
OUTCOMES: dict[str, Words] = {
    "proved": _gone,
    "gone_untold": _gone,
    # The appliance refused, or its task failed.
    "delete_refused": _delete_refused,
    "task_error": lambda r, o: Ending(
        f"{_task(r, TAKEN)} ended in an error.",
        (f"The work on {pairing(r)} did not succeed.",),
        CAUSE_NAMED if r.task and r.task.error_message else CAUSE_IN_LOG,
    ),
    "task_cancelled": lambda r, o: Ending(
        f"{_task(r, TAKEN)} was cancelled there.",
        (f"Somebody, or the appliance itself, stopped the work on {pairing(r)}.",),
        "See in the task list of the vSphere Client who cancelled it, and find out why.",
    ),
    # It is not known what happened.
    "outcome_unknown": _outcome_unknown,
    "accepted_late": lambda r, o: _unknown(
        r,
        "The appliance has taken the delete, and how it ended is not known.",
        f"Its answer came late. The work on {pairing(r)} was not followed.",
    ),
    "end_unknown": lambda r, o: _unknown(
        r,
        "How the delete ended cannot be told.",
        f"{_ended_task(r)}, and {pairing(r)} is still there, after several looks.",
    ),
    "follow_ttl": _follow_ttl,
    # The appliance accepted nothing.
    "denied": _denied,
    "cancelled": _withdrawn,
    "not_decided": _not_decided,
    "not_begun": _not_begun,
    "changed": _changed,
    "changed_gone": _changed_gone,
    "rehearsed": lambda r, o: Ending(
        "Dry run: all was right up to the delete, which was not sent.",
        ("`DRY_RUN` is on; the pairing is untouched.",),
        "For the real thing, have `DRY_RUN` switched off, then ask again.",
        "Dry run done: nothing was sent",
    ),
    # What Look again, or a late answer, has shown.
    "not_ours": _not_ours,
    "look_gone": _gone,
    "look_task_failed": lambda r, o: Ending(
        f"Looked again: the task ended{f' with {code(r.task.status)}' if r.task else ''}, and the "
        "pairing is still there.",
        (f"{pairing(r)} was not broken.",),
        "Look for the cause in what the task says, then ask again.",
    ),
    **REFUSED,
}
