"""Takes apart what somebody typed after the slash command. Only reads text: it knows neither
pairings nor people.

Slack escapes `& < >` in the text (Slack docs, slash commands); our manifest leaves users and links
as they were typed. Every sentence of `Wrong` is escaped already.

A one-sided break must neither be assumed nor overlooked: if `--force` is anywhere but in its place,
the person is asked to write it again.
"""

from __future__ import annotations

import html
import re

from bot.request import Frozen
from bot.request.model import ANY_SITE
from bot.request.pairing import looks_like_id
from bot.request.request_id import tidy_id
from bot.request.time_for_delete import tidy_time
from bot.slack.draw.limits import PAIRING_TYPED, REASON
from bot.slack.draw.markup import code, fenced_units, tidy
from bot.slack.draw.words import usage


class Flags(Frozen):
    """`at`: not before this time, as `tidy_time` gives it."""

    force: bool = False
    at: str | None = None


class Ask(Flags):
    """A request. `pairing` is as typed, with the site in `SITE/PAIRING`. `reason` may be empty."""

    pairing: str
    reason: str


class Preview(Frozen):
    pairing: str
    force: bool = False


class Status(Frozen):
    """Of all requests, or of the one with this id (in the core's form)."""

    id: str | None = None


class Form(Frozen):
    """Nothing was typed, so the form asks for everything."""


class List(Frozen): ...


class Help(Frozen): ...


class Wrong(Exception):
    """Not understood. One or two sentences with the reason and the next step, escaped for Slack."""


Parsed = Ask | Form | Preview | List | Status | Help

_ESCAPED = re.compile(r"&(?:amp|lt|gt);")

_QUOTES = (
    '"\u201c\u201d\u201e\u201f\u00ab\u00bb',
    "'\u2018\u2019\u201a\u201b\u2039\u203a",
)
"""Phones make quotation marks curly, each language in its own way: any closes one of its kind."""

_WORD = re.compile(r"(?:`[^`]*`|[^\s`])+")
"""Lists show every name as code, and a name may hold spaces."""

MARKS = "`*_~<>,.;:"
"""What is often copied along with an id: Slack's formatting, brackets of a usage line, a comma."""

FORCE = "--force"
AT = "--at"

_HELP = frozenset({"help", "?", "-h", "-help", "--help"})
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_FLAG = re.compile(rf"^(?:-{{1,2}}|[{_DASHES}]{{1,2}})([^\W\d].*)$", re.DOTALL)
_BARE_DASH = re.compile(rf"^[-{_DASHES}]+$")
_FORCE_WITHIN = re.compile(
    rf"(?<!\w)(?:--|[{_DASHES}]{{1,2}})force\b|(?<!\S)-force\b", re.IGNORECASE
)
_AT_WITHIN = re.compile(rf"(?<!\w)(?:--|[{_DASHES}]{{1,2}})at\b|(?<!\S)-at\b", re.IGNORECASE)
_FORCE_STUCK = re.compile(rf"\w(?:--|[{_DASHES}])force$", re.IGNORECASE)
_ARROWS = ("\u2192", "->")


class Word(Frozen):
    """The first word of a text. `rest` is what follows, as typed, without the space between."""

    text: str
    rest: str
    quoted: bool = False
    open_quote: bool = False


def parse(text: str, *, command: str) -> Parsed:
    """What is asked for. Raises Wrong. `command` is the slash command, named in the sentences."""
    # Slack only escapes `& < >`, so only these are unescaped: `&quot;` was typed like that.
    typed = tidy(_ESCAPED.sub(lambda m: html.unescape(m.group()), text))
    word = first_word(typed)
    if word is None:
        return Form()
    name = "" if word.quoted else word.text.casefold()
    # Phones turn two hyphens into an em dash.
    if re.sub(rf"^[{_DASHES}]+", "--", name) in _HELP:
        return Help()
    match name:
        case "list" if word.rest:
            how = code(f"{command} list")
            raise Wrong(f"{code('list')} takes nothing after it. Write {how}.")
        case "list":
            return List()
        case "status":
            found = tidy_id(word.rest.strip("".join((MARKS, *_QUOTES))))
            if found is not None or not word.rest:
                return Status(id=found)
            raise Wrong(
                f"{code(word.rest)} is not the id of a request. Ids look like "
                f"{code('K7QM-3XPD')}: copy it from the card."
            )
        case "preview":
            return _pairing(word.rest, command, preview=True)
    return _pairing(typed, command, preview=False)


def _pairing(text: str, command: str, *, preview: bool) -> Ask | Preview:
    """`[--force] [--at TIME] PAIRING [--force] [--at TIME] [reason…]`; a preview takes neither
    time nor reason."""
    write = code(f"{command} preview PAIRING [{FORCE}]" if preview else f"{command} PAIRING reason")
    flags, text = _flags(text, Flags())
    word = first_word(text)
    if word is None:
        which = "A preview of what?" if preview else "Which pairing?"
        how = write if preview else code(f"{command} PAIRING {FORCE} reason")
        raise Wrong(f"{which} Write {how}.")
    if word.open_quote:
        raise Wrong("There is a quotation mark that is never closed. Close it, or drop it.")
    word = _joined(word)
    pairing = without_marks(word.text)
    if not any(c.isalnum() for c in pairing):
        raise Wrong(f"{code(pairing)} is not the name of a pairing. Write {write}.")
    if len(pairing) > PAIRING_TYPED:
        raise Wrong(
            f"{len(pairing):,} characters are too many for the name of a pairing; "
            f"{PAIRING_TYPED} is the most. Write {write}."
        )
    if _FORCE_STUCK.search(pairing) or _FORCE_WITHIN.search(pairing):
        raise Wrong(f"Is {code(FORCE)} meant in {code(pairing)}? Write it as a word of its own.")
    flags, reason = _flags(word.rest, flags)
    if not preview:
        _check_reason(reason, pairing)
        return Ask(pairing=pairing, reason=tidy(reason), force=flags.force, at=flags.at)
    if flags.at is not None:
        raise Wrong(f"{code('preview')} shows what is there now: leave {code(AT)} out.")
    if reason:
        raise Wrong(
            f"{code('preview')} takes one pairing; a name with spaces goes in quotes. "
            f"Write {write}."
        )
    return Preview(pairing=pairing, force=flags.force)


def _flags(text: str, known: Flags) -> tuple[Flags, str]:
    """The flags at the beginning, and what follows. Raises Wrong."""
    while (word := first_word(text)) is not None and (flag := _flag(word)) is not None:
        name, given, value = flag.partition("=")
        text = word.rest
        if name == AT:
            if not given and (after := first_word(text)) is not None:
                value, text = after.text, after.rest
            at = tidy_time(value)
            if at is None or known.at not in (None, at):
                named = f"{code(value)} is not one" if value else "none follows"
                raise Wrong(
                    f"{code(AT)} needs one time, and {named}. Write "
                    f"{code(f'{AT} 22:00')} in your time zone, {code(f'{AT} 2026-12-03T22:00')}, "
                    f"or {code(f'{AT} +6h')}."
                )
            known = known.model_copy(update={"at": at})
        elif flag == FORCE:
            known = known.model_copy(update={"force": True})
        else:
            raise Wrong(f"{code(word.text)} is not known. There are {code(FORCE)} and {code(AT)}.")
    return known, text


def _joined(word: Word) -> Word:
    """With the second name of `A → B`, as lists show it: spaces stand around the arrow."""
    ends = next((a for a in _ARROWS if word.text.endswith(a) and not word.quoted), None)
    begins = next((a for a in _ARROWS if word.rest.startswith(a)), None)
    if ends is None and begins is None:
        return word
    here = word.text.removesuffix(ends) if ends else word.text
    there = first_word(word.rest.removeprefix(begins) if begins and not ends else word.rest)
    if there is None or there.open_quote:
        return word
    pairing = f"{here.strip(MARKS)} \u2192 {there.text.strip(MARKS)}"
    return Word(text=pairing, rest=there.rest, quoted=word.quoted)


def _flag(word: Word) -> str | None:
    """The flag that this word is, written with two hyphens. None if it is no flag."""
    found = None if word.quoted else _FLAG.match(word.text)
    if found is None:
        return None
    double = not re.match(r"^-[^-]", word.text)
    return f"{'--' if double else '-'}{found.group(1).casefold()}"


def _check_reason(reason: str, pairing: str) -> None:
    """Raises Wrong."""
    length = fenced_units(reason)
    if length > REASON:
        raise Wrong(
            f"The reason takes {length:,} characters on the card; {REASON:,} is the most. Shorten "
            "it, or link to where the rest is."
        )
    first = first_word(reason)
    spaced = first is not None and _BARE_DASH.match(first.text)
    second = first_word(first.rest) if first is not None and spaced else first
    alone = second is not None and second.text.casefold() == "force" and (spaced or not second.rest)
    if alone or _FORCE_WITHIN.search(reason):
        raise Wrong(
            f"Is a one-sided break meant? Then write {code(FORCE)} in one word right after the "
            "pairing; otherwise leave it out of the reason."
        )
    # A reason that begins like `at 22:00`, without the hyphens, would be sent at once.
    time = re.match(r"(?:@|at)\s*(\S+)", reason, re.IGNORECASE)
    if _AT_WITHIN.search(reason) or (time is not None and tidy_time(time.group(1)) is not None):
        raise Wrong(
            f"Is the delete to wait for a time? Then write {code(f'{AT} 22:00')} right after the "
            f"pairing; otherwise begin the reason with other words, without {code(AT)}."
        )
    if reason.startswith(("/", *_ARROWS)):
        # `Prague / madrid` would be a request for a pairing of Prague, with the reason "/ madrid".
        raise Wrong(
            f"Is {code(reason)} part of the pairing, or the reason? A pairing is named by its id, "
            f"by one site or by {code('A → B')}; at one of several appliances by "
            f"{code('SITE/PAIRING')} without spaces. If it is the reason, begin it with a word "
            f"after {code(pairing)}."
        )


def site_and_pairing(typed: str, sites: tuple[str, ...], command: str) -> tuple[str, str] | str:
    """Site and pairing from `SITE/PAIRING`, or a sentence that says what is wrong. With a single
    appliance its name is optional, and any other slash belongs to the pairing. With several, a
    pairing without a site is looked for at all of them."""
    name, slash, rest = typed.partition("/")
    named = next((s for s in sites if s.casefold() == name.strip().casefold()), None)
    if slash and named is not None and rest.strip():
        return named, rest.strip()
    if len(sites) == 1:
        return sites[0], typed
    if slash and named is not None:
        return usage.pairing_missing(command, named)
    if slash:
        return usage.unknown_site(name, sites)
    return ANY_SITE, typed


# ---- what was typed, word by word -------------------------------------------------------------


def without_marks(typed: str) -> str:
    """Removes the marks around a pairing's id and its site. What is no id after that stays as
    typed: a name may begin or end with anything."""
    site, slash, last = typed.rpartition("/")
    bare = last.strip(MARKS)
    return f"{site.strip(MARKS)}{slash}{bare}" if looks_like_id(bare) else typed


def first_word(text: str) -> Word | None:
    """A word, or a name in quotes that may hold spaces: `"Site B"`, or after a site:
    `lyon/"Site B"`. The quotes of code go, wherever they stand in it."""
    text = text.lstrip()
    marks = "".join(_QUOTES)
    if not text or text[0] in marks:
        return _quoted("", text) if text else None
    end = next((n for n, c in enumerate(text) if c.isspace()), len(text))
    slash = next((n for n in range(1, end) if text[n - 1] == "/" and text[n] in marks), None)
    if slash is not None:
        return _quoted(text[:slash], text[slash:])
    found = _WORD.match(text)
    end = found.end() if found else 0
    if text[end : end + 1] == "`":
        return _never_closed(text)
    bare = text[:end].replace("`", "")
    return Word(text=bare, rest=text[end:].lstrip(), quoted="`" in text[:end])


def _never_closed(text: str) -> Word:
    return Word(text=text, rest="", quoted=True, open_quote=True)


def _quoted(before: str, text: str) -> Word:
    """A quotation mark only ends the word before a space or the end: `'Peter's site'` is one."""
    closing = next(kind for kind in _QUOTES if text[0] in kind)
    spaced = f"{text} "
    ends = (n for n in range(1, len(text)) if text[n] in closing and spaced[n + 1].isspace())
    if (end := next(ends, None)) is None:
        return _never_closed(before + text)
    bare = (before + text[1:end].strip()).replace("`", "")
    return Word(text=bare, rest=text[end + 1 :].lstrip(), quoted=True)
