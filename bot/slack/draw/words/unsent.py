"""Endings where the appliance accepted nothing: denied, too late, withdrawn, changed, dry run."""

from __future__ import annotations

from bot.request.model import Outcome, Request
from bot.slack.draw.limits import DECISION_REASON_SHOWN, DIFFERENCES_SHOWN
from bot.slack.draw.markup import fence, line, mention, when
from bot.slack.draw.words.ending import Ending
from bot.slack.draw.words.phrases import approvals_so_far, duration, nothing_sent

_RAN_OUT = "The approval ran out before the delete could be carried out."


def denied(request: Request, outcome: Outcome) -> Ending:
    denial = request.denial
    if denial is None:
        return _ended(request, "Denied.", next_step="Ask again if it is still wanted.")
    reason = (fence(denial.reason, DECISION_REASON_SHOWN),) if denial.reason else ()
    return _ended(
        request,
        f"Denied by {mention(denial.by)}.",
        *reason,
        next_step=f"Settle it with {mention(denial.by)} before asking again.",
    )


def cancelled(request: Request, outcome: Outcome) -> Ending:
    by = f" by {mention(request.cancellation.by)}" if request.cancellation else ""
    return _ended(request, f"Withdrawn{by}.", next_step="Ask again if it is wanted after all.")


def not_decided(request: Request, outcome: Outcome) -> Ending:
    until = f" by {when(request.decide_by)}" if request.decide_by is not None else ""
    return _ended(
        request,
        "The time to decide ran out.",
        f"It had {approvals_so_far(request)}{until}.",
        next_step="Ask again if it is still wanted.",
    )


def not_begun(request: Request, outcome: Outcome) -> Ending:
    time = duration(request.terms.execution_ttl_ms)
    found = f"An approval is good for {time}. The appliance accepted nothing."
    if outcome.problem is None:
        return Ending(title=_RAN_OUT, body=(found,), next_step="Ask again if it is still wanted.")
    return Ending(
        title=_RAN_OUT,
        body=(found, "This stood in the way:"),
        next_step="Have that put right, then ask again.",
    )


def changed_gone(request: Request, outcome: Outcome) -> Ending:
    if request.turned_away is not None:
        return _ended(
            request,
            "The pairing is gone, before the delete could be sent again.",
            "Whether by that call cannot be told.",
            next_step="Nothing is left to break here; the vSphere Client may name who removed it.",
        )
    return _ended(
        request,
        "The pairing was gone before anything was sent.",
        next_step="Nothing is left to break here; the vSphere Client may name who removed it.",
    )


def changed(request: Request, outcome: Outcome) -> Ending:
    shown = [f"• {line(each)}" for each in outcome.lines[:DIFFERENCES_SHOWN]]
    left = len(outcome.lines) - len(shown)
    if left:
        shown.append(f"• and {left} more")
    return _ended(
        request,
        "What is there now is not what was approved.",
        "\n".join(shown) or "• it is not known what differs",
        next_step="Ask again: the new card shows what is there now.",
    )


def rehearsed(request: Request, outcome: Outcome) -> Ending:
    return Ending(
        title="Dry run: everything was right up to the delete, which was not sent.",
        body=("`DRY_RUN` is on, so the pairing is untouched.",),
        next_step="To do it for real, have `DRY_RUN` switched off, then ask again.",
    )


def _ended(request: Request, title: str, *body: str, next_step: str) -> Ending:
    return Ending(title=title, body=(*body, nothing_sent(request)), next_step=next_step)
