"""Why the check refused a request. Only the asker is told, once; the channel saw nothing."""

from __future__ import annotations

from collections.abc import Callable

from bot.request.messages import ANSWER_LOST
from bot.request.model import Outcome, Request
from bot.request.problem import Problem, ProblemKind
from bot.request.who_may import Reason
from bot.slack.draw.markup import (
    CANDIDATES_SHOWN,
    ID,
    NAME,
    PAIRING_TYPED,
    channels,
    code,
    when,
)
from bot.slack.draw.words.phrases import (
    FOUND_BY_ID,
    HAVE_IT_CHECKED,
    NAMES_OF_PAIRINGS,
    NOT_ALL_LISTED,
    PRESS_THE_ONE,
    Ending,
    slack_refuses,
)
from bot.slack.draw.words.rights import MAY_NOT_ASK
from bot.slack.draw.words.sites import count_of


def _requester_not_allowed(request: Request, outcome: Outcome) -> Ending:
    known = [r for r in Reason if r.value in outcome.lines and r in MAY_NOT_ASK]
    title = MAY_NOT_ASK[known[0]] if known else "You may not ask here."
    return Ending(title, (), "Have a colleague ask who is allowed to.")


def _channel_not_allowed(request: Request, outcome: Outcome) -> Ending:
    named = channels(outcome.lines) if outcome.lines else "a channel that is meant for it"
    step = f"Ask in {named} (`CHANNELS` in the settings)."
    return Ending("Requests are not taken in this channel.", (), step)


def _too_few_approvers(request: Request, outcome: Outcome) -> Ending:
    counted: tuple[str, ...] = ()
    if len(outcome.lines) >= 2:
        there, needed = outcome.lines[:2]
        counted = (f"Needed besides you: {code(needed, ID)}. There are: {code(there, ID)}.",)
    return Ending(
        "There are too few people who could approve this.",
        counted,
        "Have more people put into `APPROVERS` or its user groups, then ask again.",
    )


def _pairing_several(request: Request, outcome: Outcome) -> Ending:
    step = "Ask again with the id of the one you mean."
    if request.terms.several:
        step = (
            "Ask again with the appliance and the id, as they stand here: `SITE/ID`. Two ends of "
            "one pairing need one request."
        )
    title = f"More than one pairing matches {_asked(request)}."
    return Ending(title, _candidates(outcome, "They are:"), step)


def _pairing_unread(request: Request, outcome: Outcome) -> Ending:
    away = ", ".join(code(site, NAME) for site in outcome.lines)
    return Ending(
        f"It cannot be told which pairing {_asked(request)} is.",
        (f"Of the appliances, these could not be read: {away}.",),
        "Ask again as `SITE/PAIRING`: one that is away is then tried for some minutes.",
    )


def _pairing_taken(request: Request, outcome: Outcome) -> Ending:
    other = code(outcome.lines[0], ID) if outcome.lines else "another one"
    end = f", made at its other end, {code(outcome.lines[1], NAME)}" if outcome.lines[1:] else ""
    title = f"There is an open request for this pairing: {other}{end}."
    if not outcome.lines:
        return Ending(title, (), "Open that one's card.")
    return Ending(title, (), f"Open {other}.")


def _check_failed(request: Request, outcome: Outcome) -> Ending:
    problem = outcome.problem
    if problem is None:
        return Ending("The appliance could not be read.", (), HAVE_IT_CHECKED)
    if problem.status == 403:
        return Ending(
            "The bot's account may not read this pairing.",
            (),
            "Have the account's privileges on the appliance checked, then ask again.",
        )
    match problem.kind:
        case ProblemKind.UNAUTHORIZED | ProblemKind.LOGIN_REFUSED:
            return Ending(
                "The appliance does not accept the bot's log-in.",
                (),
                "Have the bot's log-in checked with `vr-unpair check`, then ask again.",
            )
        case ProblemKind.LOGIN_REST:
            return Ending(
                "The bot could not log in to the appliance, and rests now: accounts get locked.",
                (),
                f"Have the bot's log-in checked, then ask again {_again(problem)}.",
            )
        case ProblemKind.SERVER_ERROR:
            return Ending(
                "The appliance failed while it was read.",
                (),
                "Ask again; if it stays, have the appliance's log read.",
            )
        case ProblemKind.NOT_UNDERSTOOD:
            return Ending("The appliance's answer is not understood.", (), HAVE_IT_CHECKED)
        case _:
            return Ending(
                "The appliance refused to be read.",
                (),
                "Have the cause that it names removed, then ask again.",
            )


def _unreachable(request: Request, outcome: Outcome) -> Ending:
    problem = outcome.problem
    if problem is not None and problem.kind is ProblemKind.UNPROVEN:
        return Ending(
            "The bot has logged in twice, and no call is known to have worked after that.",
            (),
            "Have the bot's log read: it says whether the bot was killed or the appliance failed. "
            f"Then ask again {_again(problem)}.",
        )
    if problem is not None and problem.kind is ProblemKind.OVER_BUDGET:
        return Ending(
            "The bot's own limit of calls left no room to read the appliance.",
            (),
            "Ask again when fewer requests are open.",
        )
    return Ending(
        "The appliance could not be reached for some minutes.",
        (),
        "Have `vr-unpair check` run, then ask again.",
    )


def _card_refused(request: Request, outcome: Outcome) -> Ending:
    error = outcome.lines[0] if outcome.lines else "no reason given"
    if error == ANSWER_LOST:
        return Ending(
            "Slack never said whether it took the card; it was sent three times.",
            ("Copies of it may be in the channel: nothing can be decided on them.",),
            "Ask again when Slack works as usual.",
        )
    look_up = f"{_INVITE} If the bot is in it already, an administrator must look this error up."
    step = _CARD_STEPS.get(error, look_up)
    return Ending(f"Slack did not take the card: {code(error, ID)}.", (), step)


_INVITE = "Type `/invite` in this channel, choose the bot, then ask again."
_CARD_STEPS = {
    "not_in_channel": _INVITE,
    "channel_not_found": _INVITE,
    "is_archived": "This channel is archived: ask in another one.",
    "restricted_action": "Ask in another channel, or have apps allowed to post in this one.",
}


def _card_not_posted(request: Request, outcome: Outcome) -> Ending:
    title = "Slack did not take the card in time: nobody could decide."
    if outcome.lines:
        why = f"{slack_refuses(outcome.lines[0])}."
        return Ending(title, (why,), f"{HAVE_IT_CHECKED} Then ask again.")
    return Ending(title, (), "Ask again when Slack works as usual.")


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


def _again(problem: Problem) -> str:
    return f"after {when(problem.retry_at)}" if problem.retry_at is not None else "in 5 minutes"


TIMES: dict[str, tuple[str, str]] = {
    "off": (
        "Here nothing can be asked for at a later time (`SCHEDULE_MAX` is 0).",
        "Ask again without a time, when it is to be done.",
    ),
    "no_zone": (
        "It cannot be told what time that is for you: Slack names no time zone of yours, or one "
        "that this machine does not know.",
        "Ask again with the time from now, as in `--at +6h`.",
    ),
    "missing": (
        "There is no such time on that day: the clocks are put forward.",
        "Ask again with another time, or with the time from now, as in `--at +6h`.",
    ),
    "twice": (
        "That time comes twice on that day: the clocks are put back.",
        "Ask again with another time, or with the time from now, as in `--at +6h`.",
    ),
    "past": ("That time has passed.", "Ask again with a later one."),
    "too_far": (
        "That time is further ahead than `SCHEDULE_MAX` allows.",
        "Ask again with an earlier one, or nearer to it.",
    ),
}


def _time_not_taken(request: Request, outcome: Outcome) -> Ending:
    why, zone = (*outcome.lines, "", "")[:2]
    title, step = TIMES.get(why, ("That time is not taken.", "Ask again with another time."))
    in_zone = f", in the time zone {code(zone, ID)}" if zone else ""
    return Ending(title, (f"Asked for: {code(request.at or '', ID)}{in_zone}.",), step)


REFUSED: dict[str, Callable[[Request, Outcome], Ending]] = {
    "people_unreadable": lambda r, o: Ending(
        "Slack did not say who may ask and who may approve.", (), "Ask again in a few minutes."
    ),
    "requester_not_allowed": _requester_not_allowed,
    "channel_not_allowed": _channel_not_allowed,
    "time_not_taken": _time_not_taken,
    "too_few_approvers": _too_few_approvers,
    "pairing_none": lambda r, o: Ending(
        f"There is no pairing {_asked(r)}.",
        (NAMES_OF_PAIRINGS,),
        PRESS_THE_ONE if o.near else "Check the name, then ask again.",
    ),
    "pairing_several": _pairing_several,
    "pairing_self": lambda r, o: Ending(
        f"{_asked(r)} pairs a site with itself, and is never broken by this bot.",
        _candidates(o, "It is:"),
        "Name the other site of the pairing you mean.",
    ),
    "pairing_unread": _pairing_unread,
    "pairing_partial": lambda r, o: Ending(
        f"It cannot be told which pairing {_asked(r)} is.",
        (NOT_ALL_LISTED,),
        f"{PRESS_THE_ONE} Or ask again with the id: {FOUND_BY_ID}."
        if o.near
        else f"Ask again with the id: {FOUND_BY_ID}.",
    ),
    "pairing_no_site": lambda r, o: Ending(
        f"There is no appliance {code(r.site, NAME)} in this bot's settings any more.",
        (),
        "Have it put back, or ask for a pairing of another one.",
    ),
    "pairing_taken": _pairing_taken,
    "check_failed": _check_failed,
    "unreachable": _unreachable,
    "card_refused": _card_refused,
    "card_not_posted": _card_not_posted,
}
