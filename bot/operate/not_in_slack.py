"""Why a message is not in Slack, in words: for `vr-unpair show`."""

from __future__ import annotations

import re
from typing import Any

from bot.operate.json_and_csv import iso
from bot.request.messages import Message, Slot, Unsaid

NAMES = {
    Slot.CARD: "The card",
    Slot.PROGRESS: "The progress message",
    Slot.REMINDER: "A reminder",
    Slot.NOTICE: "A notice in the thread",
    Slot.ALARM: "The call to all approvers",
    Slot.TOLD: "The news that the glass was broken",
    Slot.FINAL: "The final reply",
    Slot.CORRECTION: "The correction of the final reply",
    Slot.STRAY: "A copy of the card",
    Slot.ANSWER: "An answer to one person",
}

_ACCOUNT = "Slack refuses the bot's token or its scopes: `vr-unpair check` tells which"
_NOT_THERE = "the bot is not in the channel: /invite it there"

WHY = {
    **dict.fromkeys(("account_inactive", "invalid_auth", "missing_scope"), _ACCOUNT),
    **dict.fromkeys(("not_authed", "token_expired", "token_revoked"), _ACCOUNT),
    **dict.fromkeys(("channel_not_found", "not_in_channel"), _NOT_THERE),
    "answer_lost": "Slack did not say whether it took it, three times: it may be there",
    "answer_lapsed": "it could be given for 30 minutes only, and nobody needs it later",
    "card_not_posted_yet": "its card is not in Slack yet",
    "message_not_found": "somebody has deleted it in Slack",
    "messages_tab_disabled": "the app's messages tab is off: switch it on under App Home",
    "not_drawn": "the bot has failed to write it: `not_drawn` in its log says why",
    "ratelimited": "Slack has asked the bot to wait",
}
"""What says more than the word itself, which stands beside it."""

NO_ANSWER = re.compile(r"http_\d+|[A-Z]\w+")
"""An HTTP status without an error code of Slack, or the name of an exception of the connection."""


def sentence(message: Unsaid) -> str:
    named = Message(slot=message.slot)
    what = NAMES[named.kind]
    if named.person is not None:
        what = f"{what} for {named.person}, as a direct message,"
    if message.error is None:
        state = "stands in Slack in an older form" if message.posted else "is not in Slack yet"
        return f"{what} {state}: it waits for its turn."
    why = f"{_why(message.error)} (`{message.error}`)"
    if message.due_at is not None:
        state = "stands in Slack in an older form" if message.posted else "is not in Slack yet"
        return f"{what} {state}: {why}. It is tried again."
    if message.posted:
        return f"{what} is not edited any more: {why}."
    instead = ""
    if named.kind in (Slot.FINAL, Slot.CORRECTION) and named.person is None:
        instead = " It went to each who asked or decided as a direct message instead."
    return f"{what} is not in Slack and is not tried again: {why}.{instead}"


def unsaid_json(message: Unsaid) -> dict[str, Any]:
    return {
        "slot": message.slot,
        "error": message.error,
        "tries": message.attempts,
        "since": iso(message.since),
        "next_try": iso(message.due_at),
        "sentence": sentence(message),
    }


def _why(error: str) -> str:
    if NO_ANSWER.fullmatch(error):
        return "Slack gives no answer, or none of its own"
    return WHY.get(error, "Slack does not take it")
