"""Tells a person why they may not decide, or may not ask."""

from __future__ import annotations

from bot.core.who_may import Reason, Verdict
from bot.slack.markup import when

MAY_NOT_DECIDE: dict[Reason, str] = {
    Reason.OWN_REQUEST: "It is your own request, so somebody else must decide. "
    "To take it back, press Cancel.",
    Reason.NOT_LISTED: "You are not an approver, so your click was not counted. "
    "An approver must press the button.",
    Reason.DEACTIVATED: "Your Slack account is deactivated, so your click was not counted. "
    "Another approver must decide.",
    Reason.BOT: "Bots cannot decide, so this click was not counted. "
    "A person must press the button.",
    Reason.GUEST: "Guests of this workspace cannot decide, so your click was not counted. "
    "A full member who is an approver must press the button.",
    Reason.OTHER_WORKSPACE: "You belong to another workspace, so your click was not counted. "
    "An approver of this workspace must press the button.",
    Reason.UNREADABLE: "Slack did not say whether you may decide, so your click was not counted.",
    Reason.GROUP_UNREADABLE: "Slack did not say who is in the user groups of the approvers, so "
    "your click was not counted. Approvers who are listed by name can still decide.",
}

MAY_NOT_BREAK: dict[Reason, str] = {
    **MAY_NOT_DECIDE,
    Reason.NOT_LISTED: "You are not among the people who may break the glass (`BREAK_GLASS`), so "
    "nothing was decided. Somebody of that list must press the button.",
    Reason.DEACTIVATED: "Your Slack account is deactivated, so nothing was decided. "
    "Somebody else of `BREAK_GLASS` must press the button.",
    Reason.GUEST: "Guests of this workspace cannot break the glass, so nothing was decided. "
    "A full member of `BREAK_GLASS` must press the button.",
    Reason.OTHER_WORKSPACE: "You belong to another workspace, so nothing was decided. "
    "Somebody of `BREAK_GLASS` in this workspace must press the button.",
    Reason.UNREADABLE: "Slack did not say whether you may break the glass, so nothing was decided.",
    Reason.GROUP_UNREADABLE: "Slack did not say who is in the user groups of `BREAK_GLASS`, so "
    "nothing was decided. People who are listed by name can still break the glass.",
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


def may_not_decide(reason: Reason, retry_at: str) -> str:
    """`retry_at` is when Slack may be asked again: ms epoch as text, or empty."""
    return _may_not(MAY_NOT_DECIDE[reason], reason, retry_at)


def may_not_break(reason: Reason, retry_at: str) -> str:
    """The same for breaking the glass."""
    return _may_not(MAY_NOT_BREAK[reason], reason, retry_at)


def _may_not(words: str, reason: Reason, retry_at: str) -> str:
    if not Verdict(reason=reason).unread:
        return words
    if retry_at.isdecimal():
        return f"{words} Press again after {when(int(retry_at))}."
    # Slack may be away, which passes. Or the token may lack a scope, which somebody must mend.
    return (
        f"{words} Press again in a minute. If it stays so, an administrator runs `vr-unpair check`."
    )
