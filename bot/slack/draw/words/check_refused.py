"""Why the check refused a request. Only the asker is told, once; the channel saw nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.request.messages import ANSWER_LOST
from bot.request.model import Outcome, Request
from bot.request.problem import ProblemKind
from bot.request.who_may import Reason
from bot.slack.draw import limits
from bot.slack.draw.markup import channels, code, when
from bot.slack.draw.words.pairing_names import count_of
from bot.slack.draw.words.phrases import (
    ASK,
    HAVE_IT_CHECKED,
    Ending,
    may_not,
    pool_name,
    slack_refuses,
)


def may_not_look(reason: Reason) -> str:
    """For `preview`, `list`, `status`, the form, the Home tab and all names of a card."""
    step = "Ask a full member to look."
    if reason in (Reason.UNREADABLE, Reason.GROUP_UNREADABLE):
        step = "Try again in a minute."
    elif reason in (Reason.NOT_LISTED, Reason.CHANNEL):
        step = "Ask somebody who may."
    return f"{may_not(reason, *ASK)}. {step}"


def not_found(
    why: str, typed: str, site: str, some: Sequence[str], *, near: bool, several: bool
) -> Ending:
    """Which pairing is meant cannot be told; for a preview too. `some`: those that it could be, or
    the appliances that are away. `near`: one that may be meant has a button."""
    asked = code(typed, limits.PAIRING_TYPED)
    shown = [f"• {code(each, limits.PAIRING_TYPED)}" for each in some[: limits.CANDIDATES_SHOWN]]
    left = len(some) - len(shown)
    listed = "\n".join([*shown, *([f"• and {count_of(left, 'other')}"] if left else [])])
    untold = f"It cannot be told which pairing {asked} is."
    press = "Press the pairing you mean: a form opens, filled in."
    match why:
        case "none":
            names = (
                "A pairing is named by its id, by the name of one of its servers or that name's "
                "first label, or by `A → B` as lists show it; a part of a name does not count."
            )
            step = press if near else "Look for it with `list`, then try again."
            return Ending(f"There is no pairing {asked}.", (names,), step)
        case "several":
            step = "Try again with the id of the one you mean."
            if several:
                step = (
                    "Try again with the appliance and the id, as they stand here: `SITE/ID`. Two "
                    "ends of one pairing need one request."
                )
            title = f"More than one pairing matches {asked}."
            return Ending(title, (f"They are:\n{listed}",), step)
        case "self":
            title = f"{asked} pairs a site with itself, and is never broken by this bot."
            step = "Name the other site of the pairing you mean."
            return Ending(title, (f"It is:\n{listed}",), step)
        case "unread":
            step = "Try again as `SITE/PAIRING`: then only that appliance has to answer."
            return Ending(untold, (f"These appliances could not be read:\n{listed}",), step)
        case "partial":
            gap = "The list of pairings may not be complete: one that matches may be missing."
            step = f"{press} Or try again" if near else "Try again"
            step += " with the id: it finds a pairing that is not listed, too."
            return Ending(untold, (gap,), step)
        case _:
            title = f"There is no appliance {code(site, limits.NAME)} in this bot's settings."
            return Ending(title, (), "Have it put there, or name a pairing of another one.")


def _not_found(why: str) -> Callable[[Request, Outcome], Ending]:
    return lambda r, o: not_found(
        why, r.asked, r.site, o.lines, near=bool(o.near), several=r.terms.several
    )


def _pairing_taken(request: Request, outcome: Outcome) -> Ending:
    other, *at = outcome.lines
    end = f", made at its other end, {code(at[0], limits.NAME)}" if at else ""
    named = code(other, limits.ID)
    title = f"There is an open request for this pairing: {named}{end}."
    return Ending(title, (), f"Open {named}.")


_LOGIN = (
    "The appliance does not accept the bot's log-in.",
    "Have the bot's log-in checked with `vr-unpair check`, then ask again.",
)
UNREAD: dict[ProblemKind, tuple[str, str]] = {
    ProblemKind.UNAUTHORIZED: _LOGIN,
    ProblemKind.LOGIN_REFUSED: _LOGIN,
    ProblemKind.LOGIN_REST: (
        "The bot could not log in to the appliance, and rests now: accounts get locked.",
        "Have the bot's log-in checked, then ask again {again}.",
    ),
    ProblemKind.SERVER_ERROR: (
        "The appliance failed while it was read.",
        "Ask again; if it stays, have the appliance's log read.",
    ),
    ProblemKind.NOT_UNDERSTOOD: ("The appliance's answer is not understood.", HAVE_IT_CHECKED),
    ProblemKind.UNPROVEN: (
        "The bot has logged in twice, and no call is known to have worked after that.",
        "Have the bot's log read: it says whether the bot was killed or the appliance failed. "
        "Then ask again {again}.",
    ),
    ProblemKind.OVER_BUDGET: (
        "The bot's own limit of calls left no room to read the appliance.",
        "Ask again when fewer requests are open.",
    ),
}
"""Why the appliance could not be read, and the next step."""


def _unread(title: str, step: str) -> Callable[[Request, Outcome], Ending]:
    """`title` and `step` are for a problem that has no words of its own."""

    def words(request: Request, outcome: Outcome) -> Ending:
        problem = outcome.problem
        if problem is None:
            return Ending(title, (), step)
        found, then = UNREAD.get(problem.kind, (title, step))
        if problem.status == 403:
            found = "The bot's account may not read this pairing."
            then = "Have the account's privileges on the appliance checked, then ask again."
        at = problem.retry_at
        again = f"after {when(at)}" if at is not None else "in 5 minutes"
        return Ending(found, (), then.format(again=again))

    return words


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
            "Slack never said whether it took the card; it was sent six times.",
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


def _too_few(pool: str, there: str, needed: str) -> str:
    """One pool; it has no name where APPROVERS lists all."""
    besides = f"Needed besides you{f' from {pool_name(pool)}' if pool else ''}"
    return f"{besides}: {code(needed, limits.ID)}. There are: {code(there, limits.ID)}."


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
        tuple(_too_few(*o.lines[at : at + 3]) for at in range(0, len(o.lines) - 2, 3)),
        "Have more people put into `APPROVERS` or its user groups, then ask again.",
    ),
    **{
        f"pairing_{why}": _not_found(why)
        for why in ("none", "several", "self", "unread", "partial", "no_site")
    },
    "pairing_taken": _pairing_taken,
    "check_failed": _unread(
        "The appliance refused to be read.", "Have the cause that it names removed, then ask again."
    ),
    "unreachable": _unread(
        "The appliance could not be reached for some minutes.",
        "Have `vr-unpair check` run, then ask again.",
    ),
    "card_refused": _card_refused,
    "card_not_posted": _card_not_posted,
}
