"""The modals behind Deny and Break glass. They require a reason, and carry which request and button
it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from slack_sdk.models.blocks import Block, InputBlock, PlainTextInputElement
from slack_sdk.models.views import View

from bot.request.frozen import Frozen
from bot.request.model import Request
from bot.slack.draw import limits
from bot.slack.draw.blocks import plain_words, section
from bot.slack.draw.ids import (
    ACTION_VALUE,
    BLOCK_REASON,
    UNPAIR_BREAK_GLASS_REASON,
    UNPAIR_DENY_REASON,
    ReasonOrigin,
)
from bot.slack.draw.markup import fenced_units, tidy
from bot.slack.draw.words.form import reason_too_long
from bot.slack.draw.words.reason_form import DENY, GLASS, ReasonWords
from bot.slack.receive.payload import typed

WithReason = Literal["deny", "break_glass"]
"""The decisions that need a reason."""

_FORMS: dict[WithReason, tuple[str, ReasonWords]] = {
    "deny": (UNPAIR_DENY_REASON, DENY),
    "break_glass": (UNPAIR_BREAK_GLASS_REASON, GLASS),
}
BUTTONS: dict[WithReason, str] = {action: words.button for action, (_, words) in _FORMS.items()}
"""The words on the button that opens each form."""


class Submitted(Frozen):
    """What was filled in and sent."""

    origin: ReasonOrigin
    reason: str


class FieldErrors(Frozen):
    """For `response_action: errors`: a sentence under each input, by its `block_id`."""

    errors: dict[str, str]


def reason_form(action: WithReason, origin: ReasonOrigin, request: Request) -> dict[str, Any]:
    """The view to open."""
    callback_id, words = _FORMS[action]
    return View(
        type="modal",
        callback_id=callback_id,
        title=plain_words(words.title),
        submit=plain_words(words.submit),
        close=plain_words("Back"),
        private_metadata=origin.pack(),
        blocks=[section(words.told(request)), _reason_input(words)],
    ).to_dict()


def read_reason(view: Mapping[str, Any], action: WithReason) -> Submitted | FieldErrors | None:
    """A submission's values. None if it is not a submission of this modal."""
    callback_id, words = _FORMS[action]
    origin = ReasonOrigin.unpack(view.get("private_metadata"))
    if origin is None or view.get("callback_id") != callback_id:
        return None
    reason = tidy(typed(view, BLOCK_REASON))
    if not reason:
        return FieldErrors(errors={BLOCK_REASON: words.missing})
    length = fenced_units(reason)
    if length > limits.DECISION_REASON:
        return FieldErrors(errors={BLOCK_REASON: reason_too_long(length, limits.DECISION_REASON)})
    return Submitted(origin=origin, reason=reason)


def _reason_input(words: ReasonWords) -> Block:
    return InputBlock(
        block_id=BLOCK_REASON,
        label=plain_words(words.question),
        hint=plain_words("Everybody in the channel can read it."),
        element=PlainTextInputElement(
            action_id=ACTION_VALUE, multiline=True, min_length=1, max_length=limits.DECISION_REASON
        ),
    )
