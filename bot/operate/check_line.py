"""A line of `vr-unpair check`: what it says, when it is skipped, and how it is printed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from bot.operate.json_and_csv import printable, to_json


class Result(StrEnum):
    """`NOTE` is right, but worth reading. `SKIPPED` was not looked at, for a reason that another
    line names, so it does not count as a failure of its own."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"
    SKIPPED = "skipped"


COLOURS = {Result.OK: 32, Result.NOTE: 33, Result.WRONG: 31, Result.SKIPPED: 2}
"""Of the first word on a terminal (ECMA-48, select graphic rendition)."""


@dataclass(frozen=True)
class Line:
    """What was found of one thing that the bot needs. No field holds a secret.

    `words` say what was found, `next_step` what to do about it. `final`: waiting can never make it
    right, so the bot does not go on with it. `away`: no answer came, so that whatever is asked
    next at the same place might wait just as long in vain. `name` is stable (`slack-scope`),
    `about` says which of several (`chat:write`).
    """

    result: Result
    words: str = ""
    next_step: str = ""
    final: bool = False
    away: bool = False
    name: str = ""
    about: str = ""

    @property
    def ok(self) -> bool | None:
        """None for what was not looked at."""
        return None if self.result is Result.SKIPPED else self.result is not Result.WRONG

    @property
    def key(self) -> str:
        """Which line this is, over several checks."""
        return f"{self.name} {self.about}".strip()

    @property
    def sentence(self) -> str:
        """What is wrong and what to do, without a full stop."""
        return "; ".join(part for part in (self.words, self.next_step) if part)

    def masked(self, secrets: Iterable[str]) -> Line:
        """Without secrets, which a server may have quoted in its error."""
        words, step = self.words, self.next_step
        for secret in sorted(secrets, key=len, reverse=True):
            words, step = words.replace(secret, "***"), step.replace(secret, "***")
        return replace(self, words=words, next_step=step)


def fine(words: str = "") -> Line:
    return Line(Result.OK, words)


def note(words: str, next_step: str = "") -> Line:
    return Line(Result.NOTE, words, next_step)


def wrong(words: str, next_step: str, *, final: bool = False, away: bool = False) -> Line:
    return Line(Result.WRONG, words, next_step, final, away)


def skipped(needs: str) -> Line:
    """`needs`: the line that has to be right first."""
    return Line(Result.SKIPPED, f"needs {needs}")


class Failed(Exception):
    """Ends the function of a line, which then says this."""

    def __init__(self, line: Line) -> None:
        super().__init__(line.words)
        self.line = line


class Check(NamedTuple):
    """The name of a line, the line or what finds it, the lines that it needs, and which of several
    it is about."""

    name: str
    find: Line | Callable[[], Line]
    needs: tuple[str, ...] = ()
    about: str = ""


def lines_of(
    checks: Iterable[Check], secrets: Collection[str], *, place: str = ""
) -> Iterator[Line]:
    """What they find, in order, without these secrets. One cause is told once: what needs it is
    skipped. `place` is one of several appliances, named in lines that are about nothing else."""
    causes: dict[str, str] = {}
    away = ""
    for check in checks:
        cause = away or next((causes[name] for name in check.needs if name in causes), "")
        if cause:
            if check.name not in causes:
                causes[check.name] = cause
                yield replace(skipped(cause), name=check.name, about=place)
            continue
        try:
            found = check.find if isinstance(check.find, Line) else check.find()
        except Failed as failed:
            found = failed.line
        except Exception as error:  # a bug in one line must not hide the others
            words = f"could not be looked at ({type(error).__name__}: {error})"
            found = wrong(words, "report this with its words")
        line = replace(found.masked(secrets), name=check.name, about=check.about or place)
        if not line.ok:
            causes[check.name] = check.name
        if line.away:
            away = line.key
        yield line


def as_text(lines: Iterable[Line], *, colours: bool) -> Iterator[str]:
    """One line of text each, but one for all that were skipped for the same reason. A note begins
    with `ok` like everything that needs no action."""
    numbered = enumerate(lines)
    for _, group in groupby(numbered, lambda n: n[1].words if n[1].ok is None else n[0]):
        same = [line for _, line in group]
        result = same[0].result
        key = ", ".join(dict.fromkeys(line.key for line in same))
        name = key + " (note)" * (result is Result.NOTE)
        text = printable(": ".join(part for part in (name, same[0].sentence) if part))
        word = f"{Result.OK if result is Result.NOTE else result:<{len(Result.SKIPPED)}}"
        yield f"\x1b[{COLOURS[result]}m{word}\x1b[0m  {text}" if colours else f"{word}  {text}"


def as_json(lines: Iterable[Line]) -> str:
    """An array of objects; `ok` is null for skipped lines."""
    shown = ("name", "about", "ok", "result", "words", "next_step")
    found = [{**asdict(line), "ok": line.ok, "result": line.result.value} for line in lines]
    return to_json([{name: line[name] for name in shown} for line in found], indent=2)
