"""Why a click or a look was refused: by the rights of the person."""

from __future__ import annotations

from bot.request.model import Request
from bot.request.who_may import Reason, Verdict
from bot.slack.draw.markup import when
from bot.slack.draw.words.states import while_undecided

_NOT_COUNTED = "so your click was not counted."
_DECIDED_NOTHING = "so your click decided nothing."

MAY_NOT_DECIDE: dict[Reason, tuple[str, str]] = {
    Reason.OWN_REQUEST: (
        f"It is your own request, {_NOT_COUNTED}",
        "Somebody else must decide. To withdraw it, press Withdraw.",
    ),
    Reason.NOT_LISTED: (
        f"You are not an approver, {_NOT_COUNTED}",
        "An approver must press the button.",
    ),
    Reason.DEACTIVATED: (
        f"Your Slack account is deactivated, {_NOT_COUNTED}",
        "Another approver must decide.",
    ),
    Reason.BOT: (
        "Bots cannot decide, so this click was not counted.",
        "A person must press the button.",
    ),
    Reason.GUEST: (
        f"Guests of this workspace cannot decide, {_NOT_COUNTED}",
        "A full member who is an approver must press the button.",
    ),
    Reason.OTHER_WORKSPACE: (
        f"You belong to another workspace, {_NOT_COUNTED}",
        "An approver of this workspace must press the button.",
    ),
    Reason.UNREADABLE: (f"Slack did not say whether you may decide, {_NOT_COUNTED}", ""),
    Reason.GROUP_UNREADABLE: (
        f"Slack did not say who is in the user groups of the approvers, {_NOT_COUNTED}",
        "Approvers who are listed by name can still decide.",
    ),
}
"""Why a click was not counted, and what is to be done while nothing else has decided. Where Slack
did not say, it is to press again as well."""

MAY_NOT_BREAK: dict[Reason, tuple[str, str]] = {
    **MAY_NOT_DECIDE,
    Reason.NOT_LISTED: (
        f"You are not among the people who may break the glass (`BREAK_GLASS`), {_DECIDED_NOTHING}",
        "Somebody of that list must press the button.",
    ),
    Reason.DEACTIVATED: (
        f"Your Slack account is deactivated, {_DECIDED_NOTHING}",
        "Somebody else of `BREAK_GLASS` must press the button.",
    ),
    Reason.GUEST: (
        f"Guests of this workspace cannot break the glass, {_DECIDED_NOTHING}",
        "A full member of `BREAK_GLASS` must press the button.",
    ),
    Reason.OTHER_WORKSPACE: (
        f"You belong to another workspace, {_DECIDED_NOTHING}",
        "Somebody of `BREAK_GLASS` in this workspace must press the button.",
    ),
    Reason.UNREADABLE: (
        f"Slack did not say whether you may break the glass, {_DECIDED_NOTHING}",
        "",
    ),
    Reason.GROUP_UNREADABLE: (
        f"Slack did not say who is in the user groups of `BREAK_GLASS`, {_DECIDED_NOTHING}",
        "People who are listed by name can still break the glass.",
    ),
}

MAY_NOT_ASK: dict[Reason, str] = {
    Reason.NOT_LISTED: "You are not among the people who may ask (`REQUESTERS`).",
    Reason.DEACTIVATED: "Your Slack account is deactivated.",
    Reason.BOT: "Bots cannot ask.",
    Reason.GUEST: "Guests of this workspace cannot ask.",
    Reason.OTHER_WORKSPACE: "You belong to another workspace.",
    Reason.UNREADABLE: "Slack did not say who you are.",
    Reason.GROUP_UNREADABLE: "Slack did not say who is in the user groups that may ask.",
}


def may_not_decide(reason: Reason, request: Request, retry_at: str = "") -> str:
    """`retry_at` is when Slack may be asked again: ms epoch as text, or empty."""
    return _may_not(MAY_NOT_DECIDE, reason, request, retry_at)


def may_not_break(reason: Reason, request: Request, retry_at: str = "") -> str:
    """The same for breaking the glass."""
    return _may_not(MAY_NOT_BREAK, reason, request, retry_at)


def _may_not(
    words: dict[Reason, tuple[str, str]], reason: Reason, request: Request, retry_at: str
) -> str:
    fact, step = words[reason]
    if Verdict(reason=reason).unread:
        step = f"{step} {_press_again(retry_at)}".strip()
    return while_undecided(request, fact, step)


def _press_again(retry_at: str) -> str:
    if retry_at.isdecimal():
        return f"Press again after {when(int(retry_at))}."
    # Slack may be away, which passes. Or the token may lack a scope, which somebody must mend.
    return "Press again in a minute. If it stays so, an administrator runs `vr-unpair check`."


def may_not_look(reason: Reason) -> str:
    words = MAY_NOT_ASK.get(reason, "You may not look here.")
    step = "Try again in a minute." if reason is Reason.UNREADABLE else "Ask a full member to look."
    return f"{words} {step}"
