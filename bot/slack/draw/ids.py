"""Every id that Slack sends back to us, and the data that buttons and modals carry.

This data has been in a person's client, so it may be anything: unpacking nonsense gives None, never
an error.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, ValidationError

from bot.request import Frozen

# ---- action_id of buttons --------------------------------------------------------------------
UNPAIR_APPROVE = "unpair_approve"
UNPAIR_DENY = "unpair_deny"
UNPAIR_CANCEL = "unpair_cancel"
UNPAIR_LOOK = "unpair_look"
UNPAIR_BREAK_GLASS = "unpair_break_glass"
UNPAIR_SETTLE = "unpair_settle"
UNPAIR_SUGGEST = "unpair_suggest"
"""The beginning of it: each suggested pairing has a button of its own."""
UNPAIR_NAMES = "unpair_names"
"""Opens a modal that only reads."""

# ---- callback_id of modals -------------------------------------------------------------------
UNPAIR_DENY_REASON = "unpair_deny_reason"
UNPAIR_BREAK_GLASS_REASON = "unpair_break_glass_reason"
UNPAIR_SETTLE_WORDS = "unpair_settle_words"
UNPAIR_REQUEST = "unpair_request"

# ---- block_id of inputs, and the one action_id they all have ---------------------------------
BLOCK_SITE = "site"
BLOCK_PAIRING = "pairing"
BLOCK_FORCE = "force"
BLOCK_REASON = "reason"
BLOCK_WORDS = "words"
BLOCK_DATE = "date"
BLOCK_TIME = "time"
ACTION_VALUE = "value"

NO_FINGERPRINT = "-"
"""Used where nothing was fingerprinted. It differs from every fingerprint."""

FORCE_YES = "true"
FORCE_NO = "false"
"""The two values of the input `force`, written like the appliance's own parameter."""

_RequestId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9-]{0,39}$")]
_Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
_SlackWord = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.]{1,40}$")]


class ButtonValue(Frozen):
    """A button's `value`: the request, and the fingerprint of what was shown."""

    request_id: _RequestId
    fingerprint: _Fingerprint

    def pack(self) -> str:
        return f"{self.request_id}:{self.fingerprint}"

    @classmethod
    def unpack(cls, value: object) -> ButtonValue | None:
        if not isinstance(value, str):
            return None
        request_id, _, fingerprint = value.partition(":")
        try:
            return cls(request_id=request_id, fingerprint=fingerprint)
        except ValidationError:
            return None


class _Metadata(Frozen):
    """A modal's `private_metadata`, as JSON."""

    def pack(self) -> str:
        return self.model_dump_json()

    @classmethod
    def unpack(cls, metadata: object) -> Self | None:
        if not isinstance(metadata, str):
            return None
        try:
            return cls.model_validate_json(metadata, strict=True)
        except ValidationError:
            return None


class ReasonOrigin(_Metadata):
    """The `private_metadata` of a modal that asks for a reason: which button on which message
    opened it.

    `opened_by` is the number of that click in the inbox, which no other form has. Its
    `response_url` is also used to answer the modal.
    """

    request_id: _RequestId
    fingerprint: _Fingerprint
    channel: _SlackWord
    message_ts: _SlackWord
    opened_by: Annotated[int, Field(ge=0)]
    ours: bool


class Suggestion(_Metadata):
    """The value of a button that opens the request modal filled in. `refused` is the request that
    named no pairing, for its reason; None after a preview."""

    pairing: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    force: bool
    refused: _RequestId | None = None


class AskOrigin(_Metadata):
    """The request modal's `private_metadata`: the id that its request will have, the channel of the
    card, and the number in the inbox of the command that opened it, for the `response_url`."""

    request_id: _RequestId
    channel: _SlackWord
    opened_by: Annotated[int, Field(ge=0)]
