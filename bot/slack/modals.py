"""The modal behind Deny: a reason is required, and what it belongs to travels along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_sdk.models.blocks import Block, InputBlock, PlainTextInputElement, PlainTextObject
from slack_sdk.models.views import View

from bot.core.frozen import Frozen
from bot.core.request import Request
from bot.slack import limits
from bot.slack.blocks import section
from bot.slack.ids import ACTION_VALUE, BLOCK_REASON, UNPAIR_DENY_REASON, DenyOrigin
from bot.slack.markup import mention, tidy, units
from bot.slack.wording.phrases import pairing


class DenySubmitted(Frozen):
    """What the modal brought back."""

    origin: DenyOrigin
    reason: str


class FieldErrors(Frozen):
    """For `response_action: errors`: a sentence under each input, by its `block_id`."""

    errors: dict[str, str]


def deny_reason(origin: DenyOrigin, request: Request | None = None) -> dict[str, Any]:
    """The view to open. Without the row it asks all the same: a trigger lives three seconds."""
    what: list[Block] = []
    if request is not None:
        what.append(section(f"{mention(request.requester)} asked to break {pairing(request)}."))
    return View(
        type="modal",
        callback_id=UNPAIR_DENY_REASON,
        title=_plain("Deny the request"),
        submit=_plain("Deny"),
        close=_plain("Back"),
        private_metadata=origin.pack(),
        blocks=[*what, _reason_input()],
    ).to_dict()


def read_deny_reason(view: Mapping[str, Any]) -> DenySubmitted | FieldErrors | None:
    """A submission's values; None when it is no submission of this modal."""
    origin = DenyOrigin.unpack(view.get("private_metadata"))
    if origin is None or view.get("callback_id") != UNPAIR_DENY_REASON:
        return None
    reason = tidy(_value(view, BLOCK_REASON))
    if not reason:
        return FieldErrors(errors={BLOCK_REASON: "Say why, in a few words: it goes on the card."})
    if units(reason) > limits.DENY_REASON:
        found = f"{units(reason):,} characters; {limits.DENY_REASON:,} is the most. Shorten it."
        return FieldErrors(errors={BLOCK_REASON: found})
    return DenySubmitted(origin=origin, reason=reason)


def _reason_input() -> Block:
    return InputBlock(
        block_id=BLOCK_REASON,
        label=_plain("Why not?"),
        hint=_plain("Everybody in the channel can read it."),
        element=PlainTextInputElement(
            action_id=ACTION_VALUE, multiline=True, min_length=1, max_length=limits.DENY_REASON
        ),
    )


def _value(view: Mapping[str, Any], block_id: str) -> str:
    """Slack docs, view_submission: `state.values.<block_id>.<action_id>.value`, null when empty."""
    found: Any = view
    for key in ("state", "values", block_id, ACTION_VALUE, "value"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def _plain(words: str) -> PlainTextObject:
    return PlainTextObject(text=words, emoji=True)
