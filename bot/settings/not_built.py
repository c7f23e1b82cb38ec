"""Settings that are fixed for outside but not built yet.

To ignore one of them would be worse than to stop: somebody who wrote it counts on it. Whoever
builds one takes its line out of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bot.settings.problems import Problem


def _always(value: str) -> bool:
    return True


@dataclass(frozen=True)
class NotBuilt:
    """`sentence` goes on after the setting's name. `holds` says for which values it is in force."""

    sentence: str
    holds: Callable[[str], bool] = _always


NOT_BUILT: dict[str, NotBuilt] = {
    "VR_SITES__*": NotBuilt(
        "is set, but several appliances are not built yet: use VR_HOST and the other VR_ settings "
        "for one"
    ),
    "BREAK_GLASS": NotBuilt("is set, but breaking the glass is not built yet: leave it out"),
}
"""Setting, or a pattern of settings, to what is missing of it."""


def not_built(given: Mapping[str, str]) -> Iterator[Problem]:
    """One problem for each given setting that asks for something missing."""
    for name, value in given.items():
        for pattern, entry in NOT_BUILT.items():
            if fnmatchcase(name, pattern) and entry.holds(value):
                yield Problem(name, f"{name} {entry.sentence}.")
