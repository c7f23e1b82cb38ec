"""What others wrote, made safe for Slack: escaped first, then cut, never through an entity.

Escaping `& < >` is what Slack asks for (Slack docs, formatting message text); it also turns
`<!channel>` and `<@U…>` in foreign words into plain characters. Backticks are replaced inside code,
so that nothing can leave its code span. Lengths are UTF-16 units (see `limits`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bot.slack import limits

ELLIPSIS = "…"
GRAVE = "\u02cb"
"""Looks like a backtick and is none."""

OPERATOR = "operator:"
"""How the core writes the person behind `vr-unpair cancel`: no Slack user, so never a mention."""

_FENCE = "```"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BREAKS = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_USER = re.compile(r"[UW][A-Z0-9]{1,30}")
_GROUP = re.compile(r"S[A-Z0-9]{1,30}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{1,30}")
_PIECE = re.compile(r"&(?:amp|lt|gt);|<[^<>]*>|```|.", re.DOTALL)
# Control characters, and the marks that turn the direction of reading: with them a name can be
# shown as another name.
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# White space, what Unicode calls default ignorable (zero widths, fillers, variation selectors), and
# the braille blank. Only together: in the middle of words they join letters and emoji.
_NOTHING = re.compile(
    r"[\s\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*"
)
_HALF_A_PAIR = re.compile(r"[\ud800-\udfff]")


def units(text: str) -> int:
    """Length as Slack may count it: characters beyond the basic plane count twice."""
    if text.isascii():  # nearly always, and asked many times for each drawing
        return len(text)
    return len(text) + sum(c > "\uffff" for c in text)


def tidy(text: str) -> str:
    """Without control characters and direction marks; line ends are `\\n`. Not escaped yet.

    Empty where nothing can be seen: a required reason would otherwise be one that nobody can read.
    """
    visible = _UNSEEN.sub("", _BREAKS.sub("\n", text))
    if _NOTHING.fullmatch(visible):
        return ""
    # Half of a surrogate pair could not be sent as UTF-8 at all.
    return _HALF_A_PAIR.sub("\ufffd", visible).strip()


def escape(text: str, limit: int) -> str:
    """Foreign text over several lines."""
    return _cut((_ENTITIES.get(c, c) for c in tidy(text)), limit)


def line(text: str, limit: int = limits.LINE) -> str:
    """Foreign text in the middle of a sentence: one line, and no backtick that pairs with ours."""
    return escape(_one_line(text), limit) or "(empty)"


def code(text: str, limit: int = limits.NAME) -> str:
    """A name or an id in a code span, where no formatting character means anything."""
    return f"`{escape(_one_line(text), limit - 2) or '(empty)'}`"


def fence(text: str, limit: int = limits.VENDOR_WORDS) -> str:
    """Words as they came, in a block of code, where no formatting character means anything: only
    three backticks in a row are replaced.

    For what the appliance says, and for what people give as a reason. As a quotation `*bold*` would
    be bold there, and a line could be dressed up as one of ours.
    """
    body = _cut(_fenced(text), limit - limits.FENCE)
    return f"{_FENCE}\n{body or '(empty)'}\n{_FENCE}"


def fenced_units(text: str) -> int:
    """Its length in such a block, uncut, without the marks around it: `& < >` take four or five."""
    return sum(units(piece) for piece in _fenced(text))


def plain(text: str, limit: int) -> str:
    """For `plain_text` objects, which Slack does not unescape: angle brackets become lookalikes."""
    safe = _one_line(text).replace("<", "\u2039").replace(">", "\u203a")
    return _cut(iter(safe), limit) or "(empty)"


def fit(markup: str, limit: int) -> str:
    """Cut what is escaped already and may hold mentions: never through an entity or a mention. A
    block of code that is cut is closed again, or Slack would read foreign words as markup."""
    if units(markup) <= limit:
        return markup
    pieces = [m.group() for m in _PIECE.finditer(markup)]
    cut = _cut(pieces, limit)
    if cut.count(_FENCE) % 2 == 0:
        return cut
    end = f"\n{_FENCE}"
    shorter = _cut(pieces, limit - units(end))
    return f"{shorter}{end}" if shorter.count(_FENCE) % 2 else shorter


def when(ms: int) -> str:
    """A moment in each reader's own time zone, with UTC where that is not understood."""
    moment = datetime.fromtimestamp(ms / 1000, tz=UTC)
    pattern = "{date_short_pretty} {time}"
    return f"<!date^{ms // 1000}^{pattern}|{moment:%Y-%m-%d %H:%M} UTC>"


def mention(who: str) -> str:
    """A Slack user or user group, or plain words for whoever is neither."""
    if _USER.fullmatch(who):
        return f"<@{who}>"
    if _GROUP.fullmatch(who):
        return f"<!subteam^{who}>"
    if who.startswith(OPERATOR):
        return f"{code(who.removeprefix(OPERATOR))} (operator)"
    return code(who)


def mentions(people: Iterable[str]) -> str:
    """Each once, in order; a very long list says how many it leaves out."""
    each = list(dict.fromkeys(people))
    shown = [mention(p) for p in each[: limits.PEOPLE_SHOWN]]
    left = len(each) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")


def channels(ids: Sequence[str]) -> str:
    """As links, or as code where an id is none of a channel; a long list ends somewhere."""
    shown = ids[: limits.CHANNELS_SHOWN]
    return ", ".join(f"<#{c}>" if _CHANNEL.fullmatch(c) else code(c) for c in shown)


def sentence(text: str, limit: int = limits.SENTENCE) -> str:
    """Foreign or stored words as one sentence of ours: from a capital to a full stop."""
    said = line(text, limit)
    said = said[:1].upper() + said[1:]
    return said if said.endswith((".", "?", "!", ELLIPSIS)) else f"{said}."


def _fenced(text: str) -> list[str]:
    # Tidied first: without what stood unseen between them, three backticks may be in a row.
    return [_ENTITIES.get(c, c) for c in tidy(text).replace(_FENCE, GRAVE * 3)]


def _one_line(text: str) -> str:
    return " ".join(tidy(text).split()).replace("`", GRAVE)


def _cut(pieces: Iterable[str], limit: int) -> str:
    """As many whole pieces as fit, with an ellipsis where some did not."""
    every = list(pieces)
    whole = "".join(every)
    if units(whole) <= limit:
        return whole
    room = limit - units(ELLIPSIS)
    kept: list[str] = []
    for piece in every:
        room -= units(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept).rstrip() + ELLIPSIS
