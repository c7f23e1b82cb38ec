"""Turns Slack's text back into what the person typed, and takes it apart word by word."""

from __future__ import annotations

import html
import re

from bot.request import Frozen
from bot.request.pairing import looks_like_id
from bot.slack.draw.markup import tidy

_MARK = re.compile(r"<([^<>]*)>")
_ESCAPED = re.compile(r"&(?:amp|lt|gt);")
_SCHEME = re.compile(r"^(?:https?://|mailto:|tel:)", re.IGNORECASE)

QUOTES = {
    '"': '"',
    "'": "'",
    "\u201c": "\u201d\u201c",
    "\u201d": "\u201d",
    "\u201e": "\u201c\u201d",
    "\u2018": "\u2019",
    "\u2019": "\u2019",
    "\u201a": "\u2018\u2019",
    "\u00ab": "\u00bb",
    "\u00bb": "\u00ab",
}
"""Maps each opening mark to those that may close it. Phones make quotes curly, each language in its
own way."""

_DOUBLE = '"\u201c\u201d\u201e\u00ab'

MARKS = "`*_~<>,.;:"
"""What is often copied along with an id: Slack's formatting, brackets of a usage line, a comma."""


class Word(Frozen):
    """The first word of a text. `rest` is what follows, as typed, without the space between."""

    text: str
    rest: str
    quoted: bool = False
    open_quote: bool = False


def plain_text(text: str) -> str:
    """What the person typed: Slack's `<…>` as words, entities as characters, no control characters.

    Slack only escapes `& < >`, so only these are unescaped: `&quot;` was typed like that.
    """
    without_marks = _MARK.sub(lambda m: _spoken(m.group(1)), text)
    return tidy(_ESCAPED.sub(lambda m: html.unescape(m.group()), without_marks))


def without_marks(typed: str) -> str:
    """Removes the marks around a pairing's id and its site, since the bot itself shows ids as code.
    What is no id after that stays as typed: a name may begin or end with anything."""
    site, slash, last = typed.rpartition("/")
    bare = last.strip(MARKS)
    return f"{site.strip(MARKS)}{slash}{bare}" if looks_like_id(bare) else typed


def first_word(text: str) -> Word | None:
    """A word, or a name in quotes that may hold spaces: `"Site B"`, or after a site:
    `lyon/"Site B"`."""
    text = text.lstrip()
    if not text:
        return None
    if text[0] in QUOTES:
        return _quoted("", text)
    end = next((n for n, c in enumerate(text) if c.isspace()), len(text))
    slash = next((n for n in range(1, end) if text[n - 1] == "/" and text[n] in _DOUBLE), None)
    if slash is not None:
        return _quoted(text[:slash], text[slash:])
    return Word(text=text[:end], rest=text[end:].lstrip())


def _quoted(before: str, text: str) -> Word:
    """A quotation mark only ends the word before a space or the end: `'Peter's site'` is one
    word."""
    closing = QUOTES[text[0]]
    ends = (
        n
        for n in range(1, len(text))
        if text[n] in closing and (n + 1 == len(text) or text[n + 1].isspace())
    )
    end = next(ends, None)
    if end is None:
        return Word(text=before + text, rest="", quoted=True, open_quote=True)
    return Word(text=before + text[1:end].strip(), rest=text[end + 1 :].lstrip(), quoted=True)


def _spoken(mark: str) -> str:
    """`<@U1|ann>`, `<#C1|ops>`, `<!here>`, `<https://…|label>` as a person would write them."""
    target, _, label = mark.partition("|")
    if target.startswith("@"):
        return f"@{label or target[1:]}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label if label.startswith("@") else f"@{label or target[1:].partition('^')[0]}"
    bare = _SCHEME.sub("", target).rstrip("/")
    # Slack turned a host name into a link. It was typed without the scheme, as the label shows.
    return label if label and label.rstrip("/") == bare else target
