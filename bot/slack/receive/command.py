"""Parses what somebody typed after the slash command. Only reads text: it knows neither pairings
nor people.

Slack escapes `& < >` in the text and writes users and links as `<…>` (Slack docs, slash commands).
The result is what the person typed. Every sentence of `Wrong` is escaped already.

A one-sided break must neither be assumed nor overlooked: if `--force` is anywhere but in its place,
the person is asked to write it again.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from bot.request import Frozen
from bot.request.model import ANY_SITE, tidy_id
from bot.slack.draw.markup import PAIRING_TYPED, REASON, code, fenced_units, tidy
from bot.slack.draw.words import usage
from bot.slack.receive.slack_text import MARKS, Word, first_word, plain_text, without_marks


class Ask(Frozen):
    """A request. `pairing` is as typed, with the site in `SITE/PAIRING`. `reason` may be empty."""

    pairing: str
    force: bool
    reason: str


class Form(Frozen):
    """Nothing was typed, so the form asks for everything."""


class Preview(Frozen):
    """What the card would show; with `force` the card of a one-sided break."""

    pairing: str
    force: bool = False


class List(Frozen):
    """All pairings."""


class Status(Frozen):
    """All requests, or the one with this id (in the core's form)."""

    id: str | None = None


class Help(Frozen):
    """What can be typed."""


class Wrong(Frozen):
    """Not understood. One or two sentences with the reason and the next step, escaped for Slack."""

    sentence: str


Parsed = Ask | Form | Preview | List | Status | Help | Wrong

EXAMPLE_ID = "K7QM-3XPD"
FORCE = "--force"
SUBCOMMANDS = ("help", "list", "preview", "status")
CLOSE = 0.74
"""With this value a word of four letters with two swapped is a slip, but `lisbon` for `list` is
not."""

_HELP = frozenset({"help", "?", "-h", "-help", "--help"})
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_FLAG = re.compile(rf"^(?:-{{1,2}}|[{_DASHES}]{{1,2}})([^\W\d].*)$", re.DOTALL)
_BARE_DASH = re.compile(rf"^[-{_DASHES}]+$")
_FORCE_WITHIN = re.compile(
    rf"(?<!\w)(?:--|[{_DASHES}]{{1,2}})force\b|(?<!\S)-force\b", re.IGNORECASE
)
_FORCE_STUCK = re.compile(rf"\w(?:--|[{_DASHES}])force$", re.IGNORECASE)
_ARROWS = ("\u2192", "->")
_JOINS = ("/", *_ARROWS)


def parse(text: str, *, command: str) -> Parsed:
    """What is asked for. Never raises. `command` is the slash command, named in the sentences."""
    typed = plain_text(text)
    word = first_word(typed)
    if word is None:
        return Form()
    if not word.quoted:
        name = word.text.casefold()
        if _dashes_as_typed(name) in _HELP:
            return Help()
        if name in SUBCOMMANDS:
            return _subcommand(name, word.rest, command)
        if (slip := _slip(word, command)) is not None:
            return slip
    return _ask(typed, command)


def _slip(word: Word, command: str) -> Wrong | None:
    """Recognises a misspelt `status ID` or `preview PAIRING`, which would otherwise be a request
    for a pairing of that name. In quotes it is taken for a name."""
    near = get_close_matches(word.text.casefold(), ("preview", "status"), n=1, cutoff=CLOSE)
    after = first_word(word.rest)
    if not near or after is None or after.rest:
        return None
    if near == ["status"] and tidy_id(after.text) is None:
        return None
    meant = code(f"{command} {near[0]} {after.text}")
    return Wrong(
        sentence=f"Did you mean {meant}? If {code(word.text)} is the name of a pairing, put it in "
        "quotes."
    )


def _subcommand(name: str, rest: str, command: str) -> Parsed:
    if name == "list":
        return _alone(rest, command) or List()
    if name == "status":
        return _status(rest)
    return _preview(rest, command)


def _preview(rest: str, command: str) -> Preview | Wrong:
    """`[--force] PAIRING [--force]`."""
    usage = f"Write {code(f'{command} preview PAIRING [{FORCE}]')}."
    nothing = Wrong(sentence=f"A preview of what? {usage}")
    named = _named(rest, nothing) if rest else nothing
    if isinstance(named, Wrong):
        return named
    word, force = _joined(named[0]), named[1]
    after = _flags_after(word.rest, force)
    if isinstance(after, Wrong):
        return after
    force, more = after
    if more:
        return Wrong(
            sentence=f"{code('preview')} takes one pairing; a name with spaces goes in quotes. "
            f"{usage}"
        )
    pairing = without_marks(word.text)
    return _pairing_problem(pairing, command) or Preview(pairing=pairing, force=force)


def _alone(rest: str, command: str) -> Wrong | None:
    if not rest:
        return None
    return Wrong(
        sentence=f"{code('list')} takes nothing after it. Write {code(f'{command} list')}."
    )


def _status(rest: str) -> Status | Wrong:
    if not rest:
        return Status()
    found = tidy_id(rest.strip(MARKS))
    if found is not None:
        return Status(id=found)
    return Wrong(
        sentence=f"{code(rest)} is not the id of a request. Ids look like {code(EXAMPLE_ID)}: "
        "copy it from the card."
    )


def _ask(typed: str, command: str) -> Ask | Wrong:
    """`[--force] PAIRING [--force] [reason…]`."""
    named = _named(typed, _missing_pairing(command, "PAIRING --force"))
    if isinstance(named, Wrong):
        return named
    word, force = _joined(named[0]), named[1]
    pairing, rest = without_marks(word.text), word.rest
    problem = _pairing_problem(pairing, command)
    if problem:
        return problem
    if not rest and not word.quoted and not force:
        near = get_close_matches(pairing.casefold(), SUBCOMMANDS, n=1, cutoff=CLOSE)
        if near:
            return _did_you_mean(pairing, near[0], command)
    after = _flags_after(rest, force)
    if isinstance(after, Wrong):
        return after
    force, reason = after
    problem = _reason_problem(reason) or _split_pairing(pairing, reason)
    return problem or Ask(pairing=pairing, force=force, reason=tidy(reason))


def _named(text: str, nothing: Wrong) -> tuple[Word, bool] | Wrong:
    """The pairing's word, and whether FORCE stands before it. `nothing` if no pairing is named."""
    force = False
    word = _first(text)
    while not isinstance(word, Wrong) and (flag := _flag(word)) is not None:
        if flag != FORCE:
            return _unknown_flag(word.text, flag)
        force = True
        word = _first(word.rest) if word.rest else nothing
    return word if isinstance(word, Wrong) else (word, force)


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


def _flags_after(rest: str, force: bool) -> tuple[bool, str] | Wrong:
    """Whether FORCE stands before or right after the pairing, and what follows."""
    while (after := first_word(rest)) is not None and (flag := _flag(after)) is not None:
        if flag != FORCE:
            return _unknown_flag(after.text, flag)
        force, rest = True, after.rest
    return force, rest


def _first(text: str) -> Word | Wrong:
    word = first_word(text)
    if word is None or word.open_quote:
        return Wrong(
            sentence="There is a quotation mark that is never closed. Close it, or drop it."
        )
    return word


def _flag(word: Word) -> str | None:
    """The flag that this word is, written with two hyphens. None if it is no flag."""
    found = None if word.quoted else _FLAG.match(word.text)
    if found is None:
        return None
    double = not re.match(r"^-[^-]", word.text)
    return f"{'--' if double else '-'}{found.group(1).casefold()}"


def _dashes_as_typed(name: str) -> str:
    """Phones turn two hyphens into an em dash. This undoes it."""
    return re.sub(rf"^[{_DASHES}]+", "--", name)


def _pairing_problem(pairing: str, command: str) -> Wrong | None:
    if not any(c.isalnum() for c in pairing):
        return Wrong(sentence=f"{code(pairing)} is not the name of a pairing. {_usage(command)}")
    if len(pairing) > PAIRING_TYPED:
        return Wrong(
            sentence=f"{len(pairing):,} characters are too many for the name of a pairing; "
            f"{PAIRING_TYPED} is the most. {_usage(command)}"
        )
    if _FORCE_STUCK.search(pairing) or _FORCE_WITHIN.search(pairing):
        return Wrong(
            sentence=f"Is {code(FORCE)} meant in {code(pairing)}? Write it as a word of its own."
        )
    return None


def _reason_problem(reason: str) -> Wrong | None:
    length = fenced_units(reason)
    if length > REASON:
        return Wrong(
            sentence=f"The reason takes {length:,} characters on the card; {REASON:,} is "
            "the most. Shorten it, or link to where the rest is."
        )
    first = first_word(reason)
    spaced = first is not None and _BARE_DASH.match(first.text)
    second = first_word(first.rest) if first is not None and spaced else first
    if second is not None and second.text.casefold() == "force" and (spaced or not second.rest):
        return Wrong(
            sentence=f"For a one-sided break write {code(FORCE)} in one word right after the "
            "pairing; if it is the reason, use other words."
        )
    if _FORCE_WITHIN.search(reason):
        return Wrong(
            sentence=f"{code(FORCE)} stands inside the reason, where it could be meant or not. "
            "For a one-sided break put it right after the pairing; otherwise leave it out."
        )
    return None


def _split_pairing(pairing: str, reason: str) -> Wrong | None:
    """Recognises `Prague / madrid`, and an arrow with a flag before it. Otherwise the card would be
    for a pairing of Prague, with the reason "/ madrid". A reason that really begins like this is
    rare, and quickly written again."""
    if not reason.startswith(_JOINS):
        return None
    return Wrong(
        sentence=f"Is {code(reason)} part of the pairing, or the reason? A pairing is named by its "
        f"id, by one site or by {code('A → B')}; at one of several appliances by "
        f"{code('SITE/PAIRING')} without spaces. If it is the reason, begin it with a word after "
        f"{code(pairing)}."
    )


def _unknown_flag(typed: str, flag: str) -> Wrong:
    near = get_close_matches(flag, [FORCE, "--help"], n=1)
    hint = f"Did you mean {code(near[0])}?" if near else f"The only one is {code(FORCE)}."
    return Wrong(sentence=f"{code(typed)} is not known. {hint}")


def _did_you_mean(typed: str, near: str, command: str) -> Wrong:
    return Wrong(
        sentence=f"Did you mean {code(f'{command} {near}')}? If {code(typed)} is the name of a "
        "pairing, add a reason after it."
    )


def _missing_pairing(command: str, first: str = "PAIRING") -> Wrong:
    return Wrong(sentence=f"Which pairing? {_usage(command, first)}")


def _usage(command: str, first: str = "PAIRING") -> str:
    return f"Write {code(f'{command} {first} reason')}."


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
