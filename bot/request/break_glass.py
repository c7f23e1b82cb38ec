"""Break glass: one person of BREAK_GLASS decides alone, and everybody is told: the channel, and
each approver by a direct message, since the channel may be one that nobody else is in.

Worst case: one person who was not meant to breaks a pairing alone. So this right is one of its own,
is read when the form is sent and once more before the intent, and counts as a no when it cannot be
read.
"""

from __future__ import annotations

from bot.request.events import RightsRead
from bot.request.model import Decision, WaitingClick
from bot.request.step import Step
from bot.request.waiting import rights_known, wait_for_rights
from bot.request.who_may import UNREADABLE


def rights_read_at_click(step: Step, event: RightsRead, click: WaitingClick) -> None:
    """Decide the click: a form that was sent, or a press by somebody who was shown no form."""
    verdict = event.glass.get(click.by, UNREADABLE)
    if not step.request.terms.break_glass:
        return step.turn_away(click, "no_glass_here", "no_glass_here")
    if not verdict.yes:
        code = f"no_glass_{verdict.reason.value}"
        return step.turn_away(click, verdict.reason.value, code, verdict.retry_at)
    if not click.reason:
        return step.turn_away(click, "no_reason", "glass_without_reason")
    request = step.request
    decision = Decision(by=click.by, at=click.at, reason=click.reason, message=click.message)
    step.change(glass=decision, glass_lost=None)
    step.approve()
    step.record(
        "glass_broken",
        click.by,
        click.message,
        reason=click.reason,
        own_request=click.by == request.requester,
        approvals=[d.by for d in request.approvals],
        approvals_required=request.terms.approvals_required,
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
    step.answer_waiting_clicks()
    return None


def rights_read_before_intent(step: Step, event: RightsRead) -> None:
    """The right of the one who decided, once more. If lost: back to `pending`, old deadline."""
    glass = step.request.glass
    if glass is None:
        raise ValueError(f"{step.request.id} has no broken glass to ask about")
    verdict = event.glass.get(glass.by, UNREADABLE)
    if verdict.unread:
        return wait_for_rights(step, [verdict])
    if verdict.yes:
        return rights_known(step, event)
    step.change(glass=None, glass_lost=glass)
    step.back_to_pending()
    step.notice("glass_lost", who=(glass.by,))
    return step.record("glass_lost", people={glass.by: verdict.reason.value})
