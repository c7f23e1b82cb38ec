"""The words of the forms behind Deny and Break glass. All but the markup is `plain_text`."""

from __future__ import annotations

from collections.abc import Callable

from bot.request.frozen import Frozen
from bot.request.model import Request
from bot.slack.draw.limits import TITLE
from bot.slack.draw.markup import mention
from bot.slack.draw.words.phrases import consequences, pairing


class ReasonWords(Frozen):
    """`button` is on the button that opens the form. `told`, which is markup, says what people must
    know before they fill it in."""

    button: str
    title: str
    submit: str
    question: str
    missing: str
    told: Callable[[Request], str]


def _denying(request: Request) -> str:
    return f"{mention(request.requester)} asked to break {pairing(request)}."


def _breaking(request: Request) -> str:
    return "\n".join(
        [
            "🚨 *You decide alone.* Nobody else has to approve, and everybody is told: the "
            "channel, every approver by a direct message, and the audit trail.",
            *consequences(request, TITLE),
            f"Asked by {mention(request.requester)}.",
        ]
    )


DENY = ReasonWords(
    button="Deny",
    title="Deny the request",
    submit="Deny",
    question="Why not?",
    missing="Say why, in a few words: it goes on the card.",
    told=_denying,
)
GLASS = ReasonWords(
    button="Break glass",
    title="Break glass",
    submit="Break glass",
    question="What is the emergency?",
    missing="Say why it cannot wait, in a few words: everybody is told.",
    told=_breaking,
)
