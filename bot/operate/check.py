"""Runs a table of lines so that one cause is reported once, and prints what they found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.core.finding import Finding, Standing, skipped, wrong
from bot.operate.show import printable, to_json

Place = TypeVar("Place")
"""What the lines of one table examine, such as one appliance."""

_WIDEST = max(len(standing) for standing in Standing)


@dataclass(frozen=True)
class Line(Generic[Place]):
    """One row of the table. `needs` are earlier rows; if one of them fails, this row is skipped."""

    name: str
    needs: tuple[str, ...]
    look: Callable[[Place], Iterable[Finding]]


def look(lines: Sequence[Line[Place]], place: Place, *, about: str = "") -> Iterator[Finding]:
    """What each line finds, in order. `about` names the place in findings of lines that were
    skipped or failed."""
    causes: dict[str, str] = {}
    for line in lines:
        cause = next((causes[name] for name in line.needs if name in causes), None)
        if cause is not None:
            causes[line.name] = cause
            yield skipped(line.name, cause, about=about)
            continue
        found = _looked(line, place, about)
        if any(not finding.ok for finding in found):
            causes[line.name] = line.name
        yield from found


def _looked(line: Line[Place], place: Place, about: str) -> list[Finding]:
    try:
        return list(line.look(place))
    except Exception as error:  # a bug in one line must not hide the findings of all others
        words = f"could not be looked at ({type(error).__name__}: {error})"
        return [wrong(line.name, words, "report this with its words", about=about)]


def failed(found: Iterable[Finding]) -> bool:
    """Whether something is wrong. Skipped lines do not count: their cause is in the list too."""
    return any(finding.standing is Standing.WRONG for finding in found)


def as_line(finding: Finding) -> str:
    """One line of text, without line ends and control characters that a server may have sent. A
    note begins with `ok` like everything that needs no action."""
    standing, text = finding.standing, finding.key
    if standing is Standing.NOTE:
        standing, text = Standing.OK, f"{text} (note)"
    if finding.words:
        text += f": {finding.words}"
    if finding.next_step:
        text += f"; {finding.next_step}"
    return f"{standing:<{_WIDEST}}  {printable(text)}"


def as_json(found: Iterable[Finding]) -> str:
    """An array of objects; `ok` is null for skipped lines."""
    documents = [
        {
            "name": finding.name,
            "about": finding.about,
            "ok": finding.ok,
            "standing": finding.standing.value,
            "words": finding.words,
            "next_step": finding.next_step,
        }
        for finding in found
    ]
    return to_json(documents, indent=2)


def masked(finding: Finding, secrets: Iterable[str]) -> Finding:
    """The finding without secrets, which a server may have quoted in its error."""
    words, next_step = finding.words, finding.next_step
    for secret in sorted(secrets, key=len, reverse=True):
        words, next_step = words.replace(secret, "***"), next_step.replace(secret, "***")
    return finding.model_copy(update={"words": words, "next_step": next_step})
