"""From the approval to the intent: rights and pairing are read again and compared, a dry run ends,
and the intent is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.request.clicks import drop_lost_approvals, policy_of_now
from bot.request.event_changes import Step
from bot.request.events import (
    CallFailed,
    PairingRead,
    PresenceRead,
    RightsRead,
)
from bot.request.fingerprint import differences, identified
from bot.request.following import is_gone
from bot.request.model import Intent, Outcome, Readings, Request, State
from bot.request.pairing import Snapshot
from bot.request.plan import told_ahead
from bot.request.pools import missing
from bot.request.problem import Problem, ProblemKind
from bot.request.who_may import UNREADABLE, Verdict

REST_LOOK_MS = 60_000
"""How often an approved request looks whether the login rest is over."""

UNREAD_AGAIN_MS = 15_000
"""Between two readings, some calls each, of which the first was partial: most such outages last for
minutes, and the budget of calls is for all requests."""

UNREAD_REASONS = 2

RIGHTS_UNREAD = Problem(
    kind=ProblemKind.UNANSWERED,
    text="Slack does not say whether everybody who approved still has the right to.",
)


def rights_read_before_intent(step: Step, event: RightsRead) -> None:
    """The rights of all who approved, once more. If too few are left: back to `pending`, with the
    old deadline."""
    request = step.request
    if request.waits_for_its_time:
        step.change(time_came=True)
    if event.dry_run != request.terms.dry_run:
        was, now = ("on", "off") if request.terms.dry_run else ("off", "on")
        return _changed(step, (f"DRY_RUN: was {was}, is now {now}",))
    if request.glass:
        policy_of_now(step, event)
        return _glass_right_before_intent(step, event)
    # First those who are known to have lost the right: if too few are left, there is no need to
    # wait for what Slack says of the others.
    drop_lost_approvals(step, event)
    policy_of_now(step, event)
    if step.request.missing:
        step.back_to_pending()
        if step.request.approvals_required > request.approvals_required:
            step.notice("more_approvals", text=str(step.request.approvals_required))
        return step.record("approval_void", missing=step.request.missing_approvals)
    verdicts = {d.by: event.verdicts.get(d.by, UNREADABLE) for d in step.request.approvals}
    # Only what Slack has just said counts here: each pool must be full of it.
    said = {d.somebody: tuple(verdicts[d.by].pools) for d in step.request.approvals}
    if missing(said, step.request.terms.pools):
        return _wait_for_rights(step, list(verdicts.values()))
    return _rights_known(step, event)


def _glass_right_before_intent(step: Step, event: RightsRead) -> None:
    """The right of the one who decided, once more. If lost: back to `pending`, old deadline."""
    glass = step.request.glass
    if glass is None:
        raise ValueError(f"{step.request.id} has no broken glass to ask about")
    verdict = event.glass.get(glass.by, UNREADABLE)
    if verdict.unread:
        return _wait_for_rights(step, [verdict])
    if verdict.yes:
        step.change(glass=glass.model_copy(update={"through": verdict.through}))
        return _rights_known(step, event)
    step.change(glass=None, glass_lost=glass)
    step.back_to_pending()
    step.notice("glass_lost", who=(glass.by,))
    return step.record("glass_lost", people={glass.by: verdict.reason.value})


def too_early(step: Step, event: PairingRead | PresenceRead | CallFailed) -> bool:
    """Whether this was read before the time that was asked for. It tells people what is there by
    then, and decides nothing: at the time everything is read again."""
    at = step.request.scheduled_at
    begun = event.read_at if isinstance(event, PairingRead) else None
    return at is not None and (step.now if begun is None else begun) < at


def tell_ahead(step: Step, event: PairingRead | PresenceRead | CallFailed) -> None:
    """Some minutes before its time, once: that it will be done, and what differs already."""
    request, at = step.request, step.request.scheduled_at or 0
    if step.now >= at or told_ahead(request):
        return None
    people = tuple(dict.fromkeys((request.requester, *request.deciders)))
    if isinstance(event, CallFailed):
        if event.problem.kind is ProblemKind.OVER_BUDGET:
            # Our own limit says nothing about the appliance: it is read a little later.
            return step.change(not_before=again_at(step, event.problem, request.terms.poll_ms))
        return _ahead_unread(step, event.problem, people)
    count = ""
    found: tuple[str, ...] = ("the appliance answers 404 for the pairing",)
    if isinstance(event, PairingRead) and request.snapshot:
        count = str(event.snapshot.count)
        found = differences(request.snapshot, event.snapshot, force=request.force)
        problem = _unread(request.snapshot, event.snapshot)
        if problem and not found:
            return _ahead_unread(step, problem, people)
    step.notice("ahead", text=count, lines=found, who=people)
    return step.record("told_ahead", replications=count or None, differences=list(found))


def _ahead_unread(step: Step, problem: Problem, people: tuple[str, ...]) -> None:
    step.notice("ahead_unread", text=problem.text, who=people)
    step.record("told_ahead", problem=problem.model_dump(exclude_none=True))


def pairing_read_before_intent(step: Step, event: PairingRead) -> None:
    """Compare what is there now with what was approved."""
    request = step.request
    shown = request.snapshot
    if shown is None:
        raise ValueError(f"{request.id} is approved and was never shown")
    found = differences(shown, event.snapshot, force=request.force)
    if found:
        return _changed(step, found, identified(event.snapshot))
    if problem := _unread(shown, event.snapshot):
        step.change(gone_since=None)
        pause = max(UNREAD_AGAIN_MS, request.terms.poll_ms)
        return step.wait_for(problem, step.now + pause)
    if request.terms.dry_run:
        step.end(State.REHEARSED, Outcome(code="rehearsed"))
        return step.record("rehearsed")
    step.change(
        readings=Readings(
            rights_at=request.readings.rights_at,
            appliance_at=step.read_at(event),
            task_ids=event.task_ids,
        ),
        gone_since=None,
    )
    return None


def _unread(shown: Snapshot, now: Snapshot) -> Problem | None:
    """What is missing from a reading that was whole for the card: behind equal numbers may be other
    replications, or one that is in a recovery plan by now. A remote site that has gone down makes
    this the usual reading, of a one-sided break too."""
    if now.complete or not shown.complete:
        return None
    why = "; ".join(now.partial[:UNREAD_REASONS]) or "the appliance does not say why"
    text = f"Not all replications can be read now, as they could be for the card: {why}."
    return Problem(kind=ProblemKind.NOT_UNDERSTOOD, text=text)


def pairing_missing_before_intent(step: Step, event: PresenceRead) -> None:
    """Its id was answered 404. Gone is `changed`; until that is proved it is read again."""
    if is_gone(step, event.pairing):
        by_404s = step.request.gone_since is not None
        step.end(State.CHANGED, Outcome(code="changed_gone", by_404s=by_404s))
        return step.record("changed", differences=["the pairing is gone"])
    listed = "still has it" if event.pairing == "there" else "is not whole by its own word"
    text = f"The appliance answers 404 for the pairing, and its list of pairings {listed}."
    problem = Problem(kind=ProblemKind.NOT_UNDERSTOOD, text=text, status=404)
    return step.wait_for(problem, step.now + step.request.terms.poll_ms)


def intent_stored(step: Step, lost: Intent | None = None) -> None:
    """The last thing written before the DELETE goes out. `lost`: the one of an answer to a DELETE
    that the row knows nothing of, since the database came back without its last commits. To believe
    the row instead would send the DELETE a second time."""
    request = step.request
    intent = lost or Intent(at=step.now, task_ids=request.readings.task_ids)
    step.answer_waiting_clicks()
    step.change(
        state=State.DELETING,
        intent=intent,
        deletes_sent=request.deletes_sent + 1,
        approved_at=request.approved_at or intent.at,
        readings=Readings(),
        follow_by=intent.at + request.terms.follow_ttl_ms,
        answer=None,
        polling_since=None,
        gone_since=None,
        not_before=None,
    )
    step.record(
        "intent",
        pairing_id=request.pairing_id,
        force=request.force,
        people=list(request.through),
        through=request.through,
        pools=None if request.glass else request.counted_in_pools,
        scheduled_at=request.scheduled_at,
        break_glass=True if request.glass else None,
        fingerprint=request.fingerprint,
    )


def execution_time(step: Step) -> None:
    """EXECUTION_TTL: an approval not begun by then is void."""
    waited_for = step.request.waiting
    step.end(State.EXPIRED, Outcome(code="not_begun", problem=waited_for))
    step.record("expired", why="not_begun")


def call_failed(step: Step, event: CallFailed) -> None:
    """A reading or a poll that did not work, after the approval."""
    problem = event.problem
    return step.wait_for(problem, again_at(step, problem, pause_ms(step.request, problem)))


def again_at(step: Step, problem: Problem, pause_ms: int) -> int:
    """When to try again: at the time we were given, and never before the pause, since a Retry-After
    of 0 must not make us ask in a tight loop. The time that the bot's own budget gives is exact."""
    if problem.kind is ProblemKind.OVER_BUDGET and problem.retry_at is not None:
        return problem.retry_at
    again = max(problem.retry_at or 0, step.now + pause_ms)
    if problem.kind in {ProblemKind.LOGIN_REFUSED, ProblemKind.LOGIN_REST}:
        # A password that is changed meanwhile ends the rest; while it is not, nothing is sent.
        return min(again, step.now + REST_LOOK_MS)
    return again


def pause_ms(request: Request, problem: Problem) -> int:
    """No pause after the first DELETE that came too late to be sent: the process was frozen, and is
    not any more. From the second on there is one, since a disk or a server may always be slow."""
    first = problem.kind is ProblemKind.TOO_LATE and request.waiting is None
    return 0 if first else request.terms.poll_ms


def _wait_for_rights(step: Step, unread: Sequence[Verdict]) -> None:
    """Read them again when Slack says, or soon, until EXECUTION_TTL is over."""
    retry = max((v.retry_at for v in unread if v.retry_at), default=None)
    step.wait_for(RIGHTS_UNREAD, retry or step.now + step.request.terms.poll_ms)


def _rights_known(step: Step, event: RightsRead) -> None:
    """All who approved still have the right. What was read of the pairing stays valid: if that took
    so long that the rights grew old, reading both again could go on for ever."""
    readings = step.request.readings.model_copy(update={"rights_at": step.read_at(event)})
    step.change(readings=readings, not_before=None)


def _changed(step: Step, found: tuple[str, ...], compared: dict[str, Any] | None = None) -> None:
    """`compared` is for the audit trail: people are told names, and those may change."""
    step.end(State.CHANGED, Outcome(code="changed", lines=found))
    step.record("changed", differences=list(found), compared=compared)
