"""The buttons of the card, and the dialog in which Approve is confirmed."""

from __future__ import annotations

from slack_sdk.models.blocks import Block, ButtonElement

from bot.request.model import Request, State
from bot.slack.draw.blocks import button, buttons, confirmation
from bot.slack.draw.ids import (
    NO_FINGERPRINT,
    UNPAIR_APPROVE,
    UNPAIR_BREAK_GLASS,
    UNPAIR_CANCEL,
    UNPAIR_DENY,
    UNPAIR_LOOK,
    ButtonValue,
)
from bot.slack.draw.words.phrases import consequences

_TITLE_IN_QUESTION = 115
_SITE_IN_QUESTION = 40
"""The dialog holds 300 characters. The names are kept short so that what follows is not cut off."""


def card_buttons(request: Request) -> Block | None:
    """All of them while it is undecided, only Withdraw until the DELETE is sent, then none.

    `checking` is drawn like `pending`: the row becomes `pending` once Slack has answered the post.
    """
    if request.state in (State.CHECKING, State.PENDING):
        glass = [_break_glass(request)] if request.terms.break_glass else []
        approve = [] if request.glass_alone else [_approve(request)]
        return buttons(*approve, _deny(request), _withdraw(request), *glass)
    return buttons(_withdraw(request)) if request.state is State.APPROVED else None


def look_button(request: Request) -> Block:
    """For the final reply of a request that a person must check."""
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
    return button(
        "Approve",
        UNPAIR_APPROVE,
        value_of(request),
        label=f"Approve request {request.id}",
        danger=True,
        confirm=confirmation(
            "Approve this dry run?" if request.terms.dry_run else "Break this pairing?",
            "\n".join(consequences(request, _TITLE_IN_QUESTION, _SITE_IN_QUESTION)),
            yes="Approve",
            no="Not now",
        ),
    )


def _deny(request: Request) -> ButtonElement:
    return button("Deny", UNPAIR_DENY, value_of(request), label=f"Deny request {request.id}")


def _break_glass(request: Request) -> ButtonElement:
    return button(
        "🚨 Break glass",
        UNPAIR_BREAK_GLASS,
        value_of(request),
        label=f"Break glass on request {request.id}: decide alone, with a reason",
        danger=True,
    )


def _withdraw(request: Request) -> ButtonElement:
    return button(
        "Withdraw",
        UNPAIR_CANCEL,
        value_of(request),
        label=f"Withdraw request {request.id}, for who asked",
    )
