"""For requests that the check refused. Only the asker is told, once; the channel saw nothing."""

from __future__ import annotations

from collections.abc import Callable

from bot.request.delivery import ANSWER_LOST
from bot.request.model import Outcome, Request
from bot.request.problem import Problem, ProblemKind
from bot.request.who_may import Reason
from bot.slack.draw.limits import CANDIDATES_SHOWN, ID, NAME, PAIRING_TYPED, SENTENCE
from bot.slack.draw.markup import channels, code, when
from bot.slack.draw.words.ending import Ending
from bot.slack.draw.words.phrases import (
    FOUND_BY_ID,
    HAVE_IT_CHECKED,
    NOT_ALL_LISTED,
    count_of,
    slack_refuses,
)
from bot.slack.draw.words.rights import MAY_NOT_ASK


def people_unreadable(request: Request, outcome: Outcome) -> Ending:
    return Ending(
        title="Slack did not say who may ask and who may approve.",
        next_step="Ask again in a few minutes.",
    )


def requester_not_allowed(request: Request, outcome: Outcome) -> Ending:
    known = [r for r in Reason if r.value in outcome.lines and r in MAY_NOT_ASK]
    title = MAY_NOT_ASK[known[0]] if known else "You may not ask here."
    return Ending(title=title, next_step="Have a colleague ask who is allowed to.")


def channel_not_allowed(request: Request, outcome: Outcome) -> Ending:
    named = channels(outcome.lines) if outcome.lines else "a channel that is meant for it"
    return Ending(
        title="Requests are not taken in this channel.",
        next_step=f"Ask in {named} (`CHANNELS` in the settings).",
    )


def reason_missing(request: Request, outcome: Outcome) -> Ending:
    return Ending(
        title="A request needs a reason here.",
        next_step="Ask again, with the reason after the pairing.",
    )


def reason_does_not_fit(request: Request, outcome: Outcome) -> Ending:
    pattern = code(outcome.lines[0], SENTENCE) if outcome.lines else "what `REASON_PATTERN` names"
    return Ending(
        title=f"The reason must contain {pattern} (a regular expression), and this one does not.",
        next_step="Ask again with such a reason.",
    )


def too_few_approvers(request: Request, outcome: Outcome) -> Ending:
    title = "There are too few people who could approve this."
    next_step = "Have more people put into `APPROVERS` or its user groups, then ask again."
    if len(outcome.lines) < 2:
        return Ending(title=title, next_step=next_step)
    there, needed = outcome.lines[:2]
    counted = f"Needed besides you: {code(needed, ID)}. There are: {code(there, ID)}."
    return Ending(title=title, body=(counted,), next_step=next_step)


def pairing_none(request: Request, outcome: Outcome) -> Ending:
    return Ending(
        title=f"There is no pairing {_asked(request)}.",
        body=_candidates(outcome, "These exist:"),
        next_step="Check the name, then ask again.",
    )


def pairing_several(request: Request, outcome: Outcome) -> Ending:
    step = "Ask again with the id of the one you mean."
    if request.terms.several:
        step = (
            "Ask again with the appliance and the id, as they stand here: `SITE/ID`. Two ends of "
            "one pairing need one request."
        )
    return Ending(
        title=f"More than one pairing matches {_asked(request)}.",
        body=_candidates(outcome, "They are:"),
        next_step=step,
    )


def pairing_unread(request: Request, outcome: Outcome) -> Ending:
    away = ", ".join(code(site, NAME) for site in outcome.lines)
    return Ending(
        title=f"It cannot be told which pairing {_asked(request)} is.",
        body=(f"Of the appliances, these could not be read: {away}.",),
        next_step="Ask again as `SITE/PAIRING`: one that is away is then tried for some minutes.",
    )


def pairing_partial(request: Request, outcome: Outcome) -> Ending:
    return Ending(
        title=f"It cannot be told which pairing {_asked(request)} is.",
        body=(NOT_ALL_LISTED, *_candidates(outcome, "These are listed:")),
        next_step=f"Ask again with the id: {FOUND_BY_ID}.",
    )


def pairing_no_site(request: Request, outcome: Outcome) -> Ending:
    return Ending(
        title=f"There is no appliance {code(request.site, NAME)} in this bot's settings any more.",
        next_step="Have it put back, or ask for a pairing of another one.",
    )


def pairing_self(request: Request, outcome: Outcome) -> Ending:
    return Ending(
        title=f"{_asked(request)} pairs a site with itself, and is never broken by this bot.",
        body=_candidates(outcome, "It is:"),
        next_step="Name the other site of the pairing you mean.",
    )


def pairing_taken(request: Request, outcome: Outcome) -> Ending:
    other = code(outcome.lines[0], ID) if outcome.lines else "another one"
    end = f", made at its other end, {code(outcome.lines[1], NAME)}" if outcome.lines[1:] else ""
    return Ending(
        title=f"There is an open request for this pairing: {other}{end}.",
        next_step="Wait for that one, or have it decided on its card.",
    )


def check_failed(request: Request, outcome: Outcome) -> Ending:
    problem = outcome.problem
    if problem is None:
        return Ending(title="The appliance could not be read.", next_step=HAVE_IT_CHECKED)
    if problem.status == 403:
        return Ending(
            title="The bot's account may not read this pairing.",
            next_step="Have the account's privileges on the appliance checked, then ask again.",
        )
    return _CHECKS.get(problem.kind, _unread)(problem)


def unreachable(request: Request, outcome: Outcome) -> Ending:
    problem = outcome.problem
    if problem is not None and problem.kind is ProblemKind.UNPROVEN:
        return _unproven(problem)
    if problem is not None and problem.kind is ProblemKind.OVER_BUDGET:
        return Ending(
            title="This app's own limit of calls left no room to read the appliance.",
            next_step="Ask again when fewer requests are checked and carried out.",
        )
    return Ending(
        title="The appliance could not be reached, although it was tried for some time.",
        next_step="See what `vr-unpair check` says of the appliance, then ask again.",
    )


def card_refused(request: Request, outcome: Outcome) -> Ending:
    error = outcome.lines[0] if outcome.lines else "no reason given"
    if error == ANSWER_LOST:
        return Ending(
            title="Slack was sent the card three times, and never said whether it took it.",
            body=("Copies of it may stand in the channel: nothing can be decided on them.",),
            next_step="Ask again when Slack works as usual.",
        )
    step = _CARD_STEPS.get(error, f"{_INVITE} If the bot is in it already, {_TELL_ADMIN}")
    return Ending(title=f"Slack did not take the card: {code(error, ID)}.", next_step=step)


def card_not_posted(request: Request, outcome: Outcome) -> Ending:
    title = "Slack did not take the card in time, or did not say so: nobody could decide."
    if outcome.lines:
        why = f"{slack_refuses(outcome.lines[0])}."
        return Ending(title=title, body=(why,), next_step=f"{HAVE_IT_CHECKED} Then ask again.")
    return Ending(
        title=title,
        next_step="Ask again when Slack works as usual.",
    )


_INVITE = "Type `/invite` in this channel, choose the bot, then ask again."
_TELL_ADMIN = "an administrator must look this error up."
_CARD_STEPS = {
    "not_in_channel": _INVITE,
    "channel_not_found": _INVITE,
    "is_archived": "This channel is archived: ask in another one.",
    "restricted_action": "Ask in another channel, or have apps allowed to post in this one.",
}


def _asked(request: Request) -> str:
    return code(request.asked, PAIRING_TYPED)


def _candidates(outcome: Outcome, words: str) -> tuple[str, ...]:
    if not outcome.lines:
        return ()
    shown = [f"• {code(each, PAIRING_TYPED)}" for each in outcome.lines[:CANDIDATES_SHOWN]]
    left = len(outcome.lines) - len(shown)
    if left:
        shown.append(f"• and {count_of(left, 'other')}")
    return ("\n".join([words, *shown]),)


def _unread(problem: Problem) -> Ending:
    return Ending(
        title="The appliance refused to be read.",
        next_step="Have the cause that it names removed, then ask again.",
    )


def _unauthorized(problem: Problem) -> Ending:
    return Ending(
        title="The appliance does not accept the bot's log-in.",
        next_step="Have the bot's log-in checked with `vr-unpair check`, then ask again.",
    )


def _resting(problem: Problem) -> Ending:
    return Ending(
        title="The bot could not log in to the appliance, and rests now: accounts get locked.",
        next_step=f"Have the bot's log-in checked, then ask again {_again(problem)}.",
    )


def _unproven(problem: Problem) -> Ending:
    return Ending(
        title="The bot has logged in twice, and no call is known to have worked after that.",
        next_step=(
            "Have the bot's log read, which says whether it was killed or the appliance failed, "
            f"then ask again {_again(problem)}."
        ),
    )


def _again(problem: Problem) -> str:
    return f"after {when(problem.retry_at)}" if problem.retry_at is not None else "in 5 minutes"


def _server_error(problem: Problem) -> Ending:
    return Ending(
        title="The appliance failed while it was read.",
        next_step="Ask again; if it stays, have the appliance's log read.",
    )


def _not_understood(problem: Problem) -> Ending:
    return Ending(title="The appliance's answer is not understood.", next_step=HAVE_IT_CHECKED)


_CHECKS: dict[ProblemKind, Callable[[Problem], Ending]] = {
    ProblemKind.UNAUTHORIZED: _unauthorized,
    ProblemKind.LOGIN_REFUSED: _unauthorized,
    ProblemKind.RESTING: _resting,
    ProblemKind.SERVER_ERROR: _server_error,
    ProblemKind.NOT_UNDERSTOOD: _not_understood,
}
