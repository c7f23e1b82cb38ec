"""Problems with the settings, as sentences for the person who starts the bot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_LONGEST_SHOWN = 40
_LOOKS_SECRET = ("xox", "xapp", "xwfp", "://")


@dataclass(frozen=True)
class Problem:
    """One wrong or missing setting.

    `setting` is its name as people write it (`VR_HOST`), or `.env` for the file itself.
    `sentence` names the setting, says what is wrong and what to do, and holds no secret.
    """

    setting: str
    sentence: str


class SettingsError(Exception):
    """The settings cannot be used. `problems` has one entry for each wrong setting, so at least
    one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(problem.sentence for problem in problems))
        self.problems: tuple[Problem, ...] = tuple(problems)


def shown(value: object) -> str:
    """A wrong value, quoted for a sentence, or `the value given` instead of it.

    People paste tokens into the wrong line, and an address may hold a password. Whatever looks like
    a token or an address is not repeated.
    """
    text = str(value)
    printable = "".join(char if char.isprintable() else "?" for char in text)
    if len(text) > _LONGEST_SHOWN or any(mark in text for mark in _LOOKS_SECRET):
        return "the value given"
    return f"'{printable}'"
