"""Makes text by others safe for Slack, and the few kinds of block, all within Slack's limits.

Text is escaped first, then cut, but never inside an entity. Slack wants `& < >` escaped (Slack
docs, formatting message text). This also turns `<!channel>` and `<@U…>` in such text into plain
characters.

What the appliance or people wrote never stands bare in a sentence of ours: a virtual machine may be
called "Approved by security" or `:white_check_mark:`. Names, ids and short words are in a code span
(`code`; in a header, which has none, in quotation marks), long words in a block of code (`fence`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from bot.request.messages import Drawn
from bot.slack.draw import limits

# ---- text ----------------------------------------------------------------------------------
ELLIPSIS = "…"
GRAVE = "\u02cb"
"""Looks like a backtick, but is none."""

OPERATOR = "operator:"
"""How the core marks the person who runs `vr-unpair cancel`: no Slack user, so never a mention."""

_FENCE = "```"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BREAKS = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_USER = re.compile(r"[UW][A-Z0-9]{1,30}")
_GROUP = re.compile(r"S[A-Z0-9]{1,30}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{1,30}")
_PIECE = re.compile(r"&(?:amp|lt|gt);|<[^<>]*>|```|.", re.DOTALL)
# Control characters, the marks that change the reading direction, and what Unicode calls default
# ignorable (zero widths, fillers, tags): with them one name can be made to look like another, and
# text can be written that only a machine reads.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b"
    r"\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]"
)
# What joins letters and emoji, or chooses between their forms, stays only behind one of them.
_JOINS_NOTHING = re.compile(
    r"(?<![^\x00-\x7f\s\u200c\u200d])[\u200c\u200d]"
    r"|(?<![^\x00-\x7f\s\u200c\u200d\ufe00-\ufe0f])[\ufe00-\ufe0f]"
)
_BRAILLE_BLANK = "\u2800"
_FORMATS = str.maketrans({"*": "\u2217", "~": "\u223c"})
_EDGE_LINE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore at the edge of a word begins or ends italics; within it is only a character."""
_EMOJI = re.compile(r":(?=[^\s:]+:)")
_SPAN = re.compile(r"`([^`\n]*)`")
_BLOCK = re.compile(r"```.*?```", re.DOTALL)
_QUOTES = str.maketrans({"“": "'", "”": "'", '"': "'"})
_HALF_A_PAIR = re.compile(r"[\ud800-\udfff]")


def units(text: str) -> int:
    """Length as Slack may count it: characters beyond the basic plane count twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def tidy(text: str) -> str:
    """Without what cannot be seen, with `\\n` as line ends. Not escaped yet.

    Empty if nothing in it is visible. Otherwise such text would pass as the required reason.
    """
    visible = _JOINS_NOTHING.sub("", _UNSEEN.sub("", _BREAKS.sub("\n", text)))
    # Half of a surrogate pair cannot be sent as UTF-8.
    return _HALF_A_PAIR.sub("\ufffd", visible).replace(_BRAILLE_BLANK, " ").strip()


def line(text: str, limit: int = limits.LINE) -> str:
    """A stored sentence of ours, on one line. It may name what others wrote, so nothing in it
    formats, is an emoji, or pairs with a backtick of ours."""
    return _escaped(_unformatted(_one_line(text)), limit)


def code(text: str, limit: int = limits.NAME) -> str:
    """A name by others, an id, or what was typed, in a code span, where no formatting character and
    no `:emoji:` means anything."""
    return f"`{_escaped(_one_line(text), limit - 2)}`"


def fence(text: str, limit: int = limits.VENDOR_WORDS) -> str:
    """Unchanged words in a block of code, where formatting characters mean nothing. Only three
    backticks in a row are replaced.

    For what the appliance says, and for people's reasons. In a quotation `*bold*` would be bold,
    and a line could be made to look like one of ours.
    """
    body = _cut(_fenced(text), limit - limits.FENCE)
    return f"{_FENCE}\n{body or '(empty)'}\n{_FENCE}"


def fenced_units(text: str) -> int:
    """The length of the whole text in such a block, without the marks around it. `& < >` take four
    or five units each."""
    return sum(units(piece) for piece in _fenced(text))


def plain(text: str, limit: int) -> str:
    """For `plain_text` objects, which Slack does not unescape. Angle brackets are replaced by
    similar characters."""
    safe = _one_line(text).replace("<", "\u2039").replace(">", "\u203a")
    return _cut(iter(safe), limit) or "(empty)"


def fit(markup: str, limit: int) -> str:
    """Cut text that is escaped already and may hold mentions, but never inside an entity or a
    mention. Code that is cut is closed again; otherwise Slack would read text by others as
    markup."""
    if units(markup) <= limit:
        return markup
    pieces = [m.group() for m in _PIECE.finditer(markup)]
    cut = _cut(pieces, limit)
    end = _left_open(cut)
    if not end:
        return cut
    shorter = _cut(pieces, limit - units(end))
    return f"{shorter}{_left_open(shorter)}"


def _left_open(markup: str) -> str:
    """What closes the code in which it ends. Empty if it ends in none."""
    if markup.count(_FENCE) % 2:
        return f"\n{_FENCE}"
    return "`" if _BLOCK.sub("", markup).count("`") % 2 else ""


def when(ms: int) -> str:
    """A moment in each reader's time zone, or in UTC if the client cannot show that."""
    moment = datetime.fromtimestamp(ms / 1000, tz=UTC)
    pattern = "{date_short_pretty} {time}"
    return f"<!date^{ms // 1000}^{pattern}|{moment:%Y-%m-%d %H:%M} UTC>"


def mention(who: str) -> str:
    """Mentions a Slack user or user group. Anybody else is named in plain words."""
    if _USER.fullmatch(who):
        return f"<@{who}>"
    if _GROUP.fullmatch(who):
        return f"<!subteam^{who}>"
    if who.startswith(OPERATOR):
        return f"{code(who.removeprefix(OPERATOR))} (operator)"
    return code(who)


def mentions(people: Iterable[str]) -> str:
    """Mentions each once, in order. A very long list is cut and says how many are left out."""
    each = list(dict.fromkeys(people))
    shown = [mention(p) for p in each[: limits.PEOPLE_SHOWN]]
    left = len(each) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")


def channels(ids: Sequence[str]) -> str:
    """As links, or as code if an id is not a channel's. A long list is cut."""
    shown = ids[: limits.CHANNELS_SHOWN]
    return ", ".join(f"<#{c}>" if _CHANNEL.fullmatch(c) else code(c) for c in shown)


def sentence(text: str, limit: int = limits.SENTENCE) -> str:
    """Words by others, or stored ones, as a sentence with a capital and a full stop."""
    said = line(text, limit)
    said = said[:1].upper() + said[1:]
    return said if said.endswith((".", "?", "!", ELLIPSIS)) else f"{said}."


def _fenced(text: str) -> list[str]:
    # Tidied first: once invisible characters are removed, three backticks may be in a row.
    return [_ENTITIES.get(c, c) for c in tidy(text).replace(_FENCE, GRAVE * 3)]


def _one_line(text: str) -> str:
    return " ".join(tidy(text).split()).replace("`", GRAVE)


def _escaped(text: str, limit: int) -> str:
    return _cut((_ENTITIES.get(c, c) for c in text), limit) or "(empty)"


def _unformatted(text: str) -> str:
    """With similar characters for those that format, and that make an emoji of its name."""
    return _EMOJI.sub("\u2236", _EDGE_LINE.sub("ˍ", text.translate(_FORMATS)))


def _cut(pieces: Iterable[str], limit: int) -> str:
    """As many whole pieces as fit, with an ellipsis if some do not."""
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


# ---- blocks --------------------------------------------------------------------------------
def header(markup: str) -> Block:
    """It is `plain_text`, which has no code: names by others are in quotation marks, and their
    entities become similar characters. The same words stand in the message's `text`, as markup."""
    quoted = _SPAN.sub(lambda span: f"“{_unformatted(span[1]).translate(_QUOTES)}”", markup)
    words = quoted.replace("&lt;", "\u2039").replace("&gt;", "\u203a").replace("&amp;", "\uff06")
    return HeaderBlock(text=plain_text(fit(words, limits.HEADER_TEXT)))


def plain_text(words: str) -> PlainTextObject:
    """With `emoji`, Slack would make pictures of `:names:` in it."""
    return PlainTextObject(text=words, emoji=False)


def section(markup: str, beside: ButtonElement | None = None) -> Block:
    return SectionBlock(text=markdown(markup, limits.SECTION_TEXT), accessory=beside)


def context(markup: str) -> Block:
    return ContextBlock(elements=[markdown(markup, limits.CONTEXT_TEXT)])


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
        text=plain_text(words),
        action_id=action_id,
        value=value,
        accessibility_label=fit(label, limits.BUTTON_TEXT),
        style="danger" if danger else None,
        confirm=confirm,
    )


def drawn(*blocks: Block | None) -> Drawn:
    """One message within all limits, and the same words as its text, for notifications and screen
    readers, which has less room. The longest parts are shortened first: if Slack refused the
    message, people would see nothing at all."""
    made = held([b for b in blocks if b is not None], limits.BLOCKS_IN_MESSAGE)
    said = [b["elements"][0] if b["type"] == "context" else b.get("text") for b in made]
    words = [each for each in said if each is not None]
    shown = _within([each["text"] for each in words], limits.ALL_BLOCKS_TEXT)
    for each, shorter in zip(words, shown, strict=True):
        each["text"] = shorter
    text = "\n".join(_within(shown, limits.FALLBACK_TEXT - len(shown)))
    return only_text(text).model_copy(update={"blocks": tuple(made)})


def held(blocks: Sequence[Block], most: int) -> list[dict[str, Any]]:
    """As Slack takes them, with no more than it takes. The last one stays: it has the buttons, or
    the next step."""
    if len(blocks) > most:
        left = len(blocks) - most + 1
        blocks = [*blocks[: most - 2], context(f"… and {left:,} more parts."), blocks[-1]]
    return [each.to_dict() for each in blocks]


def fits(blocks: Sequence[Block]) -> bool:
    """Whether all of it can stand in one message, with nothing shortened."""
    texts = (block.text for block in blocks if isinstance(block, SectionBlock))
    letters = sum(units(text.text or "") for text in texts if text is not None)
    return len(blocks) <= limits.BLOCKS_IN_MESSAGE and letters <= limits.ALL_BLOCKS_TEXT


def only_text(markup: str) -> Drawn:
    return Drawn(text=fit(markup, limits.FALLBACK_TEXT))


def _within(texts: list[str], room: int) -> list[str]:
    """As long as they may be together, the longest cut first, none to less than a line."""
    shown = [*texts]
    over = sum(map(units, texts)) - room
    for place in sorted(range(len(texts)), key=lambda n: units(texts[n]), reverse=True):
        if over <= 0:
            break
        whole = units(texts[place])
        shown[place] = fit(texts[place], max(whole - over, limits.LINE))
        over -= whole - units(shown[place])
    return shown


def markdown(markup: str, limit: int) -> MarkdownTextObject:
    # `verbatim`: Slack must not make links or mentions out of what people wrote.
    return MarkdownTextObject(text=fit(markup, limit), verbatim=True)
