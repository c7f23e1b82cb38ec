"""The words for every code with which the core can end a request."""

from __future__ import annotations

from collections.abc import Callable

from bot.request.model import Outcome, Request
from bot.slack.draw.markup import code
from bot.slack.draw.words import attention, corrected, failed, refused, succeeded, unsent
from bot.slack.draw.words.ending import Ending
from bot.slack.draw.words.phrases import show, shown_by_404s, signs_of_ours

OUTCOMES: dict[str, Callable[[Request, Outcome], Ending]] = {
    f.__name__: f
    for f in (
        succeeded.proved,
        succeeded.gone_untold,
        succeeded.gone_task_lost,
        failed.delete_refused,
        failed.task_error,
        failed.task_cancelled,
        attention.unknown_fate,
        attention.nameless_task,
        attention.task_lost,
        attention.success_but_there,
        attention.follow_ttl,
        unsent.denied,
        unsent.cancelled,
        unsent.not_decided,
        unsent.not_begun,
        unsent.changed,
        unsent.changed_gone,
        unsent.rehearsed,
        corrected.look_gone,
        corrected.look_task_failed,
        corrected.heard_refused,
        corrected.heard_not_accepted,
        refused.people_unreadable,
        refused.requester_not_allowed,
        refused.channel_not_allowed,
        refused.reason_missing,
        refused.reason_does_not_fit,
        refused.too_few_approvers,
        refused.pairing_none,
        refused.pairing_several,
        refused.pairing_self,
        refused.pairing_unread,
        refused.pairing_partial,
        refused.pairing_no_site,
        refused.pairing_taken,
        refused.check_failed,
        refused.unreachable,
        refused.card_refused,
        refused.card_not_posted,
    )
}
"""Each code of the core is the name of the function that has its words."""


def ending(request: Request, outcome: Outcome) -> Ending:
    """The words for one outcome. A code of another version of this program is named unchanged: a
    dry final reply is better than none."""
    words = OUTCOMES.get(outcome.code)
    if words is not None:
        end = words(request, outcome)
        found = (signs_of_ours(request), shown_by_404s(request, outcome))
        return end.model_copy(update={"body": (*end.body, *filter(None, found))})
    return Ending(
        title=f"It ended with {code(outcome.code)}, which this version has no words for.",
        next_step=f"Read the history: {show(request)}",
    )
