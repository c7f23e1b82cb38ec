"""Why the check refused a request. Only the asker is told, once; the channel saw nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.request.messages import ANSWER_LOST
from bot.request.model import Outcome, Request
from bot.request.problem import Problem, ProblemKind
from bot.request.who_may import Reason
from bot.slack.draw import limits
from bot.slack.draw.markup import channels, code, when
from bot.slack.draw.words.pairing_names import count_of
from bot.slack.draw.words.phrases import (
    ASK,
    FOUND_BY_ID,
    HAVE_IT_CHECKED,
    NAMES_OF_PAIRINGS,
    NOT_ALL_LISTED,
    PRESS_THE_ONE,
    Ending,
    may_not,
    slack_refuses,
)


def may_not_look(reason: Reason) -> str:
    """For `preview`, `list`, `status`, the form and the Home tab."""
    step = "Try again in a minute." if reason is Reason.UNREADABLE else "Ask a full member to look."
    return f"{may_not(reason, *ASK)}. {step}"


def _pairing_several(request: Request, outcome: Outcome) -> Ending:
    step = "Ask again with the id of the one you mean."
    if request.terms.several:
        step = (
            "Ask again with the appliance and the id, as they stand here: `SITE/ID`. Two ends of "
            "one pairing need one request."
        )
    title = f"More than one pairing matches {_asked(request)}."
    return Ending(title, ("\n".join(["They are:", *candidates(outcome.lines)]),), step)


def _pairing_unread(request: Request, outcome: Outcome) -> Ending:
    away = ", ".join(code(site, limits.NAME) for site in outcome.lines)
    return Ending(
        f"It cannot be told which pairing {_asked(request)} is.",
        (f"Of the appliances, these could not be read: {away}.",),
        "Ask again as `SITE/PAIRING`: one that is away is then tried for some minutes.",
    )


def _pairing_taken(request: Request, outcome: Outcome) -> Ending:
    other, *at = outcome.lines
    end = f", made at its other end, {code(at[0], limits.NAME)}" if at else ""
    named = code(other, limits.ID)
    title = f"There is an open request for this pairing: {named}{end}."
    return Ending(title, (), f"Open {named}.")


def _check_failed(request: Request, outcome: Outcome) -> Ending:
    problem = outcome.problem
    if problem is not None and problem.status == 403:
        return Ending(
            "The bot's account may not read this pairing.",
            (),
            "Have the account's privileges on the appliance checked, then ask again.",
        )
    match problem.kind if problem is not None else None:
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
    match outcome.problem.kind if outcome.problem is not None else None:
        case ProblemKind.UNPROVEN:
            return Ending(
                "The bot has logged in twice, and no call is known to have worked after that.",
                (),
                "Have the bot's log read: it says whether the bot was killed or the appliance "
                f"failed. Then ask again {_again(outcome.problem)}.",
            )
        case ProblemKind.OVER_BUDGET:
            return Ending(
                "The bot's own limit of calls left no room to read the appliance.",
                (),
                "Ask again when fewer requests are open.",
            )
        case _:
            return Ending(
                "The appliance could not be reached for some minutes.",
                (),
                "Have `vr-unpair check` run, then ask again.",
            )


_INVITE = "Type `/invite` in this channel, choose the bot, then ask again."
_CARD_STEPS = {
    "not_in_channel": _INVITE,
    "channel_not_found": _INVITE,
    "is_archived": "This channel is archived: ask in another one.",
    "restricted_action": "Ask in another channel, or have apps allowed to post in this one.",
}


def _card_refused(request: Request, outcome: Outcome) -> Ending:
    error = outcome.lines[0]
    if error == ANSWER_LOST:
        return Ending(
            "Slack never said whether it took the card; it was sent three times.",
            ("Copies of it may be in the channel: nothing can be decided on them.",),
            "Ask again when Slack works as usual.",
        )
    look_up = f"{_INVITE} If the bot is in it already, an administrator must look this error up."
    step = _CARD_STEPS.get(error, look_up)
    return Ending(f"Slack did not take the card: {code(error, limits.ID)}.", (), step)


def _card_not_posted(request: Request, outcome: Outcome) -> Ending:
    title = "Slack did not take the card in time: nobody could decide."
    if outcome.lines:
        why = f"{slack_refuses(outcome.lines[0])}."
        return Ending(title, (why,), f"{HAVE_IT_CHECKED} Then ask again.")
    return Ending(title, (), "Ask again when Slack works as usual.")


def _asked(request: Request) -> str:
    return code(request.asked, limits.PAIRING_TYPED)


def candidates(found: Sequence[str]) -> list[str]:
    """A line for each pairing that it could be."""
    shown = [f"• {code(each, limits.PAIRING_TYPED)}" for each in found[: limits.CANDIDATES_SHOWN]]
    left = len(found) - len(shown)
    return [*shown, *([f"• and {count_of(left, 'other')}"] if left else [])]


def _again(problem: Problem | None) -> str:
    at = problem.retry_at if problem is not None else None
    return f"after {when(at)}" if at is not None else "in 5 minutes"


_FROM_NOW = "Ask again with another time, or with the time from now, as in `--at +6h`."
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
    "missing": ("There is no such time on that day: the clocks are put forward.", _FROM_NOW),
    "twice": ("That time comes twice on that day: the clocks are put back.", _FROM_NOW),
    "past": ("That time has passed.", "Ask again with a later one."),
    "too_far": (
        "That time is further ahead than `SCHEDULE_MAX` allows.",
        "Ask again with an earlier one, or nearer to it.",
    ),
}


def _time_not_taken(request: Request, outcome: Outcome) -> Ending:
    why, zone = outcome.lines
    title, step = TIMES[why]
    in_zone = f", in the time zone {code(zone, limits.ID)}" if zone else ""
    return Ending(title, (f"Asked for: {code(request.at or '', limits.ID)}{in_zone}.",), step)


REFUSED: dict[str, Callable[[Request, Outcome], Ending]] = {
    "people_unreadable": lambda r, o: Ending(
        "Slack did not say who may ask and who may approve.", (), "Ask again in a few minutes."
    ),
    "requester_not_allowed": lambda r, o: Ending(
        f"{may_not(Reason(o.lines[0]), *ASK)}.", (), "Have a colleague ask who is allowed to."
    ),
    "channel_not_allowed": lambda r, o: Ending(
        "Requests are not taken in this channel.",
        (),
        f"Ask in {channels(o.lines)} (`CHANNELS` in the settings).",
    ),
    "time_not_taken": _time_not_taken,
    "too_few_approvers": lambda r, o: Ending(
        "There are too few people who could approve this.",
        (
            f"Needed besides you: {code(o.lines[1], limits.ID)}. There are: "
            f"{code(o.lines[0], limits.ID)}.",
        ),
        "Have more people put into `APPROVERS` or its user groups, then ask again.",
    ),
    "pairing_none": lambda r, o: Ending(
        f"There is no pairing {_asked(r)}.",
        (NAMES_OF_PAIRINGS,),
        PRESS_THE_ONE if o.near else "Check the name, then ask again.",
    ),
    "pairing_several": _pairing_several,
    "pairing_self": lambda r, o: Ending(
        f"{_asked(r)} pairs a site with itself, and is never broken by this bot.",
        ("\n".join(["It is:", *candidates(o.lines)]),),
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
        f"There is no appliance {code(r.site, limits.NAME)} in this bot's settings any more.",
        (),
        "Have it put back, or ask for a pairing of another one.",
    ),
    "pairing_taken": _pairing_taken,
    "check_failed": _check_failed,
    "unreachable": _unreachable,
    "card_refused": _card_refused,
    "card_not_posted": _card_not_posted,
}
