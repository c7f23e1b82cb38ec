"""Why somebody does not count, said to that person: for a click, and for asking."""

from __future__ import annotations

from bot.core.rules import Reason, Verdict
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
    """`retry_at` is ms epoch as text, or empty: when Slack may be asked again."""
    words = MAY_NOT_DECIDE[reason]
    if not Verdict(reason=reason).unread:
        return words
    again = f"after {when(int(retry_at))}" if retry_at.isdecimal() else "in a minute"
    return f"{words} Press again {again}."
