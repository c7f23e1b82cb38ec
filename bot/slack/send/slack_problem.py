"""What an answer of Slack other than `ok` means. All callers share this table."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackRequestError

from bot.request.messages import LONGEST_PAUSE_S

RETRY_AFTER_S = 30
"""If a 429 names no time: Slack's limits are per minute (Slack docs, rate limits)."""

WORD = re.compile(r"[a-z0-9_.:-]{1,200}", re.IGNORECASE)
"""Slack's words for errors have this form. If the answer is no JSON, the SDK gives a sentence with
a piece of the page instead (SDK source, `_build_unexpected_body_error_message`)."""


class Silenced(SlackRequestError):
    """Not sent, because Slack has asked to wait with this method. It is treated like a 429, which
    all callers can handle (`problem.problem_of`)."""

    def __init__(self, method: str, left_ms: int) -> None:
        super().__init__(f"{method} is silent for {left_ms} ms more, as Slack asked")
        self.retry_after_s = math.ceil(left_ms / 1000)


class Kind(StrEnum):
    """What to do next."""

    LIMITED = "limited"  # 429: nothing of this method before `retry_after_s`
    PASSING = "passing"  # no answer, or one that may be different later
    ACCOUNT = "account"  # the token or its scopes: it goes on once an operator has mended them
    FINAL = "final"  # Slack will never accept this message


@dataclass(frozen=True)
class SlackProblem:
    """`word` is Slack's own or the name of the error, never longer than 200 characters. `away`:
    there was no answer, or it did not come from Slack itself, so it says nothing about the
    message. `maybe_taken`: Slack may have done all the same what it was asked."""

    kind: Kind
    word: str
    retry_after_s: int = 0
    away: bool = False
    maybe_taken: bool = False


ACCOUNT_WORDS = frozenset(
    {
        "access_denied",
        "accesslimited",
        "account_inactive",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)
"""About the token, its scopes, or the workspace (Slack docs, errors of every method)."""

FINAL_WORDS = frozenset(
    {
        # about the channel or the person (chat.postMessage)
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "is_inactive",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "cannot_reply_to_message",
        "thread_not_found",
        "user_not_in_channel",
        "messages_tab_disabled",
        "user_not_found",
        "user_disabled",
        # about the message
        "msg_too_long",
        "msg_blocks_too_long",
        "invalid_blocks",
        "invalid_blocks_format",
        "block_mismatch",
        "no_text",
        "invalid_arguments",
        # about edits (chat.update)
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
    }
)
"""Sending again gives the same answer (Slack docs, chat.postMessage and chat.update). After any
other word the message is tried again: trying too often costs a line in the log, but giving up too
early means that nobody is told."""

UNEDITABLE_WORDS = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""This message can never be edited again."""

RATE_WORDS = frozenset(("ratelimited", "rate_limited"))

BROKEN = (OSError, HTTPException, SlackRequestError, ValueError, AttributeError)
"""What the SDK raises besides SlackApiError: for no connection, a timeout, a cut answer, bytes that
are no text; AttributeError for JSON that is no object."""


def problem_of(error: Exception) -> SlackProblem:
    """Classify any failure of a call to Slack's Web API."""
    if isinstance(error, Silenced):
        return SlackProblem(Kind.LIMITED, "ratelimited", error.retry_after_s)
    if not isinstance(error, SlackApiError):
        return unanswered(error)
    response = error.response
    status, headers = response.status_code, response.headers
    said = response.data.get("error") if isinstance(response.data, dict) else None
    word = said if isinstance(said, str) and WORD.fullmatch(said) else f"http_{status}"
    return answered(status, word, headers.get("Retry-After") or headers.get("retry-after"))


def unanswered(error: Exception) -> SlackProblem:
    """No answer, or one that is none. URLError: there was no connection to send it over."""
    taken = not isinstance(error, URLError)
    word = type(error).__name__ if taken else "no_connection"
    return SlackProblem(Kind.PASSING, word, away=True, maybe_taken=taken)


def answered(status: int, word: str, retry_after: str | None) -> SlackProblem:
    """Classify one answer by its HTTP status and Slack's word."""
    if status == 429 or word in RATE_WORDS:
        return SlackProblem(Kind.LIMITED, "ratelimited", _seconds(retry_after))
    if status >= 500:
        # Only 503 says that nothing was done: a gateway gives the others for a call passed on.
        return SlackProblem(Kind.PASSING, word, away=True, maybe_taken=status != 503)
    if word in ACCOUNT_WORDS:
        return SlackProblem(Kind.ACCOUNT, word)
    if word in FINAL_WORDS:
        return SlackProblem(Kind.FINAL, word)
    no_word = word == "http_200"
    return SlackProblem(Kind.PASSING, word, away=no_word, maybe_taken=no_word)


def _seconds(retry_after: str | None) -> int:
    try:
        named = int(retry_after or "")
    except ValueError:
        return RETRY_AFTER_S
    return min(max(named, 1), LONGEST_PAUSE_S)
