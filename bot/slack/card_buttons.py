"""The buttons of the card, and the question that Approve asks before it counts."""

from __future__ import annotations

from slack_sdk.models.blocks import Block, ButtonElement

from bot.core.request import Request, State
from bot.slack.blocks import button, buttons, confirmation
from bot.slack.ids import (
    NO_FINGERPRINT,
    UNPAIR_APPROVE,
    UNPAIR_CANCEL,
    UNPAIR_DENY,
    UNPAIR_LOOK,
    ButtonValue,
)
from bot.slack.markup import code
from bot.slack.wording.phrases import count_of

_TITLE_IN_QUESTION = 130
"""Of the 300 characters of the dialog: what follows the title must not be cut off."""


def card_buttons(request: Request) -> Block | None:
    """All three while it is undecided, Cancel until it is sent, none on a record.

    `checking` is drawn like `pending`: the row turns `pending` when Slack has answered the post.
    """
    if request.state in (State.CHECKING, State.PENDING):
        return buttons(_approve(request), _deny(request), _cancel(request))
    return buttons(_cancel(request)) if request.state is State.APPROVED else None


def look_button(request: Request) -> Block:
    """On the final reply of a request that a person must look after."""
    return buttons(
        button(
            "Look again",
            UNPAIR_LOOK,
            value_of(request),
            label=f"Look again at request {request.id}, changes nothing",
        )
    )


def value_of(request: Request) -> str:
    fingerprint = request.fingerprint or NO_FINGERPRINT
    return ButtonValue(request_id=request.id, fingerprint=fingerprint).pack()


def _approve(request: Request) -> ButtonElement:
    dry = request.terms.dry_run
    count = request.snapshot.count if request.snapshot else 0
    lines = [f"{code(request.title, _TITLE_IN_QUESTION)}, {count_of(count, 'replication')}."]
    if dry:
        lines.append("Dry run: nothing will be deleted.")
    else:
        lines.append("One-sided break." if request.force else "Both sites let go.")
        lines.append("It cannot be undone, only paired anew.")
    return button(
        "Approve",
        UNPAIR_APPROVE,
        value_of(request),
        label=f"Approve request {request.id}",
        danger=True,
        confirm=confirmation(
            "Approve this dry run?" if dry else "Break this pairing?",
            "\n".join(lines),
            yes="Approve",
            no="Not now",
        ),
    )


def _deny(request: Request) -> ButtonElement:
    return button("Deny", UNPAIR_DENY, value_of(request), label=f"Deny request {request.id}")


def _cancel(request: Request) -> ButtonElement:
    return button(
        "Cancel",
        UNPAIR_CANCEL,
        value_of(request),
        label=f"Cancel request {request.id}, for who asked",
    )
