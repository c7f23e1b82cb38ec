"""What a line of `vr-unpair check` is, and how lines that need each other are found and printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.operate.show import printable, to_json


class Result(StrEnum):
    """`NOTE` is right, but worth reading. `SKIPPED` was not looked at, for a reason that another
    line names, so it does not count as a failure of its own."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Line:
    """What was found of one thing that the bot needs. No field holds a secret.

    `name` is stable (`slack-scope`), `about` says which of several (`chat:write`). `words` say what
    was found, `next_step` what to do about it. `final`: waiting can never make it right, so the bot
    does not go on with it.
    """

    name: str
    result: Result
    words: str = ""
    next_step: str = ""
    about: str = ""
    final: bool = False

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


def fine(name: str, words: str = "", *, about: str = "") -> Line:
    return Line(name, Result.OK, words, about=about)


def note(name: str, words: str, next_step: str = "", *, about: str = "") -> Line:
    return Line(name, Result.NOTE, words, next_step, about)


def wrong(name: str, words: str, next_step: str, *, about: str = "", final: bool = False) -> Line:
    return Line(name, Result.WRONG, words, next_step, about, final)


def skipped(name: str, needs: str, *, about: str = "") -> Line:
    """`needs`: the line that has to be right first."""
    return Line(name, Result.SKIPPED, f"needs {needs}", about=about)


Check = tuple[str, str, Callable[[], Iterable[Line]]]
"""The name of a line, the name of the line that it needs (or none), and what finds it."""


def lines_of(checks: Iterable[Check], *, about: str = "") -> Iterator[Line]:
    """What they find, in order. One cause is told once: what needs it is skipped. `about` names the
    place, such as one of several appliances, in lines that name none themselves."""
    causes: dict[str, str] = {}
    for name, needs, look in checks:
        if needs in causes:
            causes[name] = causes[needs]
            yield skipped(name, causes[needs], about=about)
            continue
        try:
            found = list(look())
        except Exception as error:  # a bug in one line must not hide the others
            words = f"could not be looked at ({type(error).__name__}: {error})"
            found = [wrong(name, words, "report this with its words")]
        if any(not line.ok for line in found):
            causes[name] = name
        yield from (line if line.about else replace(line, about=about) for line in found)


def as_text(line: Line) -> str:
    """One line of text. A note begins with `ok` like everything that needs no action."""
    is_note = line.result is Result.NOTE
    result = Result.OK if is_note else line.result
    text = ": ".join(part for part in (line.key + " (note)" * is_note, line.sentence) if part)
    return f"{result:<{len(Result.SKIPPED)}}  {printable(text)}"


def as_json(lines: Iterable[Line]) -> str:
    """An array of objects; `ok` is null for skipped lines."""
    documents = [
        {
            "name": line.name,
            "about": line.about,
            "ok": line.ok,
            "result": line.result.value,
            "words": line.words,
            "next_step": line.next_step,
        }
        for line in lines
    ]
    return to_json(documents, indent=2)
