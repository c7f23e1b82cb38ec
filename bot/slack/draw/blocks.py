"""Makes the few kinds of block that are used, each within Slack's limits."""

from __future__ import annotations

from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from bot.request.delivery import Drawn
from bot.slack.draw import limits
from bot.slack.draw.markup import fit, units


def plain_words(words: str) -> PlainTextObject:
    """`plain_text` is shown unchanged. Text by others must go through `markup.plain` first."""
    return PlainTextObject(text=words, emoji=True)


def header(words: str) -> Block:
    return HeaderBlock(text=plain_words(fit(words, limits.HEADER_TEXT)))


def section(markup: str) -> Block:
    return SectionBlock(text=_text(markup, limits.SECTION_TEXT))


def context(markup: str) -> Block:
    return ContextBlock(elements=[_text(markup, limits.CONTEXT_TEXT)])


def buttons(*elements: ButtonElement) -> Block:
    return ActionsBlock(elements=list(elements))


def button(
    words: str,
    action_id: str,
    value: str,
    *,
    label: str,
    danger: bool = False,
    confirm: ConfirmObject | None = None,
) -> ButtonElement:
    """A screen reader says `label` instead of `words`."""
    return ButtonElement(
        text=plain_words(words),
        action_id=action_id,
        value=value,
        accessibility_label=fit(label, limits.BUTTON_TEXT),
        style="danger" if danger else None,
        confirm=confirm,
    )


def confirmation(title: str, markup: str, *, yes: str, no: str) -> ConfirmObject:
    """The dialog that a button asks before something that cannot be taken back."""
    return ConfirmObject(
        title=title, text=_text(markup, limits.CONFIRM_TEXT), confirm=yes, deny=no, style="danger"
    )


def drawn(text: str, *blocks: Block | None) -> Drawn:
    """One message within all limits, with a text for phones and screen readers."""
    made = [b.to_dict() for b in blocks if b is not None]
    return Drawn(text=fit(text, limits.FALLBACK_TEXT), blocks=tuple(_within_budget(made)))


def _text(markup: str, limit: int) -> MarkdownTextObject:
    # `verbatim`: Slack must not make links or mentions out of what people wrote.
    return MarkdownTextObject(text=fit(markup, limit), verbatim=True)


def _within_budget(made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Shortens the longest sections first. If Slack refused the message, people would see nothing
    at all."""
    over = sum(_length(b) for b in made) - limits.ALL_BLOCKS_TEXT
    for block in sorted(made, key=_length, reverse=True):
        if over <= 0 or block["type"] != "section":
            break
        words = block["text"]["text"]
        shorter = fit(words, max(units(words) - over, limits.LINE))
        over -= units(words) - units(shorter)
        block["text"]["text"] = shorter
    return made


def _length(node: Any) -> int:
    if isinstance(node, dict):
        return sum(
            units(value) if key == "text" and isinstance(value, str) else _length(value)
            for key, value in node.items()
        )
    return sum(_length(item) for item in node) if isinstance(node, list) else 0
