"""Clicks, break glass and deadlines. Of two clicks in a race both get an answer."""

from __future__ import annotations

from bot.request.event_changes import Step
from bot.request.events import CardPosted, Clicked, OperatorCancelled, RightsRead
from bot.request.model import CANCELLABLE, Decision, Outcome, State, WaitingClick
from bot.request.new_request import card_posted, refuse
from bot.request.plan import next_reminder
from bot.request.pools import stricter
from bot.request.who_may import UNREADABLE, Verdict

LOOK_PAUSE_MS = 10_000
"""Between two looks at the same request, whoever presses: each costs calls of the appliance."""


def clicked(step: Step, event: Clicked) -> None:
    """Check the click against what the row knows. One that may count waits until an effect has read
    the rights of whoever pressed; for a look, the appliance."""
    click = WaitingClick(
        event=step.stored.number,
        action=event.action,
        by=event.by,
        team=event.team,
        at=step.stored.at,
        reason=event.reason,
        message=f"{event.channel}/{event.message_ts}",
    )
    if event.action not in ("look", "settle"):
        _adopt(step, event)
    why = _why_not(step, event)
    if why == "not_the_card":
        _stray(step, event)
    if why is not None:
        return step.turn_away(click, why, why)
    if event.action == "cancel":
        step.answer("cancelled")
        return _withdraw(step, click.decision)
    step.change(clicks=(*step.request.clicks, click))
    if event.action == "look":
        step.record("look_asked", click.by, click.message)
    return None


def _why_not(step: Step, event: Clicked) -> str | None:
    """Why it does not count, whatever the rights of whoever pressed; None where it may."""
    request = step.request
    if event.action == "look":
        if not request.unresolved:
            return "nothing_to_look_at"
        early = request.looked_at is not None and step.stored.at < request.looked_at + LOOK_PAUSE_MS
        return "look_too_soon" if early else None
    if event.action == "settle":  # on the final reply, or a copy of it: no card is asked about
        if not request.unresolved:
            return "nothing_to_settle"
        if not event.ours or event.fingerprint != (request.fingerprint or event.fingerprint):
            return "other_fingerprint"
        if event.by == request.requester:
            return "own_request_settle"
        return None if event.reason else "settled_without_words"
    if event.channel != request.channel or event.message_ts != request.card_ts or not event.ours:
        return "not_the_card"
    if event.action == "cancel":
        if event.by != request.requester:
            return "cancel_not_yours"
        return None if request.state in CANCELLABLE else "already_decided"
    if event.fingerprint != request.fingerprint:
        return "other_fingerprint"
    still = request.may_be_denied if event.action == "deny" else request.state is State.PENDING
    if not still:
        return "already_decided"
    if event.action == "break_glass":
        if not request.terms.break_glass:
            return "no_glass_here"
    elif event.by == request.requester:
        return f"own_request_{event.action}"
    if event.action == "approve" and any(d.by == event.by for d in request.approvals):
        return "already_counted"
    too_late = request.decide_by is not None and step.stored.at >= request.decide_by
    return "too_late" if too_late and request.state is State.PENDING else None


def rights_read_at_click(step: Step, event: RightsRead) -> None:
    """Decide the first waiting click, by the rights that its owner has now. Of what waits for its
    time only a denial can be left to decide: whoever approved takes it back by one too."""
    if step.request.state is State.PENDING:
        policy_of_now(step, event)
    if not step.request.clicks:
        return None
    click, *rest = step.request.clicks
    step.change(clicks=tuple(rest))
    if click.action == "break_glass":
        return _glass_right_read(step, event, click)
    verdict = event.verdicts.get(click.by, UNREADABLE)
    if not verdict.yes:
        code = f"no_right_{verdict.reason.value}"
        return step.turn_away(click, verdict.reason.value, code, verdict.retry_at)
    if click.action == "deny":
        step.change(denial=click.decision)
        step.end(State.DENIED, Outcome(code="denied"))
        step.record("denied", click.by, click.message, reason=click.reason)
        return step.answer("denied", event=click.event)
    drop_lost_approvals(step, event)
    approval = _approval(click.decision, verdict, event)
    if any(d.somebody == approval.somebody for d in step.request.approvals):
        return step.turn_away(click, "already_counted", "already_counted")
    if not step.request.would_count(tuple(approval.pools)):
        return step.turn_away(click, "pool_is_full", "pool_is_full")
    step.change(approvals=(*step.request.approvals, approval))
    pool = step.request.counted[click.by]
    step.record(
        "approved_by",
        click.by,
        click.message,
        fingerprint=step.request.fingerprint,
        pool=pool or None,
        through=verdict.pools[pool],
    )
    step.answer("approval_counted", event=click.event, by=click.by)
    if not step.request.missing:
        step.approve()
        # Somebody of two pools may stand for the other one by now.
        now = step.request
        step.record("approved", people=list(now.counted), pools=now.counted_in_pools)
        _tell_who_cannot_see(step)
        step.answer_waiting_clicks(approved=True)
    return None


def _approval(decision: Decision, verdict: Verdict, event: RightsRead) -> Decision:
    """With the pools of now. What Slack did not tell about a pool stays as it was: no loss yet."""
    kept = {pool: who for pool, who in decision.pools.items() if pool in verdict.unsaid}
    pools = {**kept, **verdict.pools}
    return decision.model_copy(update={"pools": pools, "person": event.persons.get(decision.by)})


def _glass_right_read(step: Step, event: RightsRead, click: WaitingClick) -> None:
    """Break glass: one person of BREAK_GLASS decides alone, by a form that was sent, or by a press
    where no form was shown. Everybody is told: the channel, and each approver by a direct message,
    since the channel may be one that nobody else is in.

    Worst case: one person who was not meant to breaks a pairing alone. So this right is one of its
    own, is read here and once more before the intent, and counts as a no when it cannot be read.
    """
    verdict = event.glass.get(click.by, UNREADABLE)
    if not step.request.terms.break_glass:
        return step.turn_away(click, "no_glass_here", "no_glass_here")
    if not verdict.yes:
        code = f"no_glass_{verdict.reason.value}"
        return step.turn_away(click, verdict.reason.value, code, verdict.retry_at)
    if not click.reason:
        return step.turn_away(click, "no_reason", "glass_without_reason")
    request = step.request
    decided = click.decision.model_copy(update={"through": verdict.through})
    step.change(glass=decided, glass_lost=None)
    step.approve()
    step.record(
        "glass_broken",
        click.by,
        click.message,
        reason=click.reason,
        through=verdict.through,
        own_request=click.by == request.requester,
        approvals=[d.by for d in request.approvals],
        approvals_required=request.approvals_required,
        fingerprint=request.fingerprint,
        dry_run=request.terms.dry_run,
        unread_groups=list(event.unread_groups) or None,
    )
    step.notice(
        "glass_broken",
        text=click.reason,
        who=(click.by,),
        called=event.approvers,
        told=tuple(each for each in event.approving if each != click.by),
        unread=event.unread_groups,
    )
    step.answer("glass_broken", event=click.event, by=click.by)
    step.answer_waiting_clicks(approved=True)
    return None


def _tell_who_cannot_see(step: Step) -> None:
    """Whoever was told of the request by a direct message is told of its approval too. Worst case
    without it: two people agree in a private channel, and no other approver ever hears of it."""
    people = tuple(d.by for d in step.request.approvals)
    told = [n.told for n in step.request.notices if n.code == "asked_unseen"]
    left = tuple(who for each in told for who in each if who not in people)
    if left:
        step.notice("approved_unseen", who=people, told=left)


def drop_lost_approvals(step: Step, event: RightsRead) -> None:
    """An approval counts only as long as its giver has the right, and for the pools that they are
    in. One whose rights could not be read is kept: that is no loss yet."""
    lost: list[Decision] = []
    kept: list[Decision] = []
    for decision in step.request.approvals:
        verdict = event.verdicts.get(decision.by)
        if verdict is None or verdict.unread:
            kept.append(decision)
        elif verdict.yes:
            kept.append(_approval(decision, verdict, event))
        else:
            lost.append(decision)
    if tuple(kept) != step.request.approvals:
        step.change(approvals=tuple(kept))
    if lost:
        step.notice("rights_lost", who=tuple(d.by for d in lost))
        step.record("rights_lost", people={d.by: event.verdicts[d.by].reason.value for d in lost})


def policy_of_now(step: Step, event: RightsRead) -> None:
    # A policy that has become stricter counts at once. One that has become laxer does not: the
    # card promised more approvals.
    terms = step.request.terms
    terms = terms.model_copy(update={"pools": stricter(terms.pools, event.pools)})
    if terms.break_glass and not event.glass_there:
        terms = terms.model_copy(update={"break_glass": False})
    if terms != step.request.terms:
        step.change(terms=terms)


def operator_cancelled(step: Step, event: OperatorCancelled) -> None:
    if step.request.state not in CANCELLABLE:
        step.record("cancel_refused", f"operator:{event.operator}", why=step.request.state.value)
        return
    _withdraw(step, Decision(by=f"operator:{event.operator}", at=step.now))


def decision_time(step: Step) -> None:
    """The deadline of a pending or checking request, or its next reminder."""
    request = step.request
    if request.state is State.CHECKING:
        code = "card_not_posted" if request.snapshot else "unreachable"
        lines = (request.card_error,) if request.card_error else ()
        return refuse(step, code, request.waiting, lines)
    if request.decide_by is not None and step.now >= request.decide_by:
        step.end(State.EXPIRED, Outcome(code="not_decided"))
        step.record("expired", why="not_decided")
        return None
    due = next_reminder(request)
    if due is not None and step.now >= due:
        # After an outage several may be due: people are reminded once, not in a burst.
        while due is not None and step.now >= due:
            step.change(reminders=step.request.reminders + 1)
            due = next_reminder(step.request)
        step.record("reminded", number=step.request.reminders)
    return None


def _withdraw(step: Step, decision: Decision) -> None:
    step.change(cancellation=decision)
    unseen = step.request.snapshot is None
    step.end(State.CANCELLED, Outcome(code="cancelled"))
    step.record("cancelled", decision.by, decision.message)
    if unseen:  # no card, and so no thread to say it in
        step.answer("cancelled", event=step.request.asked_by_event, matters=True)


def rights_read_after_the_end(step: Step, event: RightsRead) -> None:
    """For It is settled and Look again, on a request whose outcome is unknown."""
    if step.request.clicks[0].action == "settle":
        return _right_to_settle_read(step, event)
    kept = []
    for click in step.request.clicks:
        verdict = event.asking.get(click.by)
        if click.action != "look" or verdict is None:
            kept.append(click)
        elif verdict.yes:
            kept.append(click.model_copy(update={"may": True}))
        else:
            code = f"no_look_{verdict.reason.value}"
            step.turn_away(click, verdict.reason.value, code, verdict.retry_at)
    return step.change(clicks=tuple(kept))


def _right_to_settle_read(step: Step, event: RightsRead) -> None:
    """Approvers may, but not whoever asked: it takes the warning from the next card, which names
    only who settled it and with which words."""
    click, *rest = step.request.clicks
    step.change(clicks=tuple(rest))
    verdict = event.verdicts.get(click.by, UNREADABLE)
    if not verdict.yes:
        code = f"no_settle_{verdict.reason.value}"
        return step.turn_away(click, verdict.reason.value, code, verdict.retry_at)
    others = step.request.clicks
    step.change(settled=click.decision, clicks=())
    for other in others:
        looks = other.action == "look"
        step.turn_away(
            other, "already_settled", "nothing_to_look_at" if looks else "nothing_to_settle"
        )
    step.notice("settled", text=click.reason or "", who=(click.by,))
    step.record("settled", click.by, click.message, words=click.reason)
    return step.answer("settled", event=click.event)


def _adopt(step: Step, event: Clicked) -> None:
    """Take the clicked message for the card while the row knows of none: the click was quicker than
    Slack's answer to the post, or that answer was lost. Also when the request is over, so that
    its final words find a thread."""
    request = step.request
    unposted = request.card_ts is None and request.snapshot is not None
    if unposted and event.ours and event.channel == request.channel:
        card_posted(step, CardPosted(ts=event.message_ts))


def _stray(step: Step, event: Clicked) -> None:
    """Turn our own second copy of the card into a pointer to the first; touch no other message."""
    request = step.request
    known = event.message_ts in request.strays or request.card_ts is None
    if event.ours and event.channel == request.channel and not known:
        step.change(strays=(*request.strays, event.message_ts))
