"""One planted change: what is wrong then, the code that it swaps, and the tests that find it.

The code is found by its text, wherever it stands in `bot/` (the sandbox aside) and however it is
wrapped, so that moving and reformatting it needs nothing here. Where it was rewritten or renamed,
the change does not apply any more, and `test_planted.py` fails until somebody has written here what
would break the new code in the same way. Nothing is ever planted twice or not at all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

PLACES = ("bot", "tests/life/simulation")
SANDBOX = "sandbox"


class DoesNotApply(Exception):
    """The text stands nowhere, or at several places."""


@dataclass(frozen=True)
class Swap:
    """`old`, which may be wrapped in any way, becomes `new`. `within`: the function, class or file
    that it stands in, where the text alone would not do, such as `clicked`, `Requests.save`,
    `clicks` or `clicks.clicked`. `place`: one of PLACES."""

    old: str
    new: str
    within: str = ""
    place: str = "bot"


@dataclass(frozen=True)
class Change:
    """`name` completes "What if …?"; `found_by` are tests as pytest takes them."""

    name: str
    found_by: tuple[str, ...]
    swaps: tuple[Swap, ...]


def change(
    name: str, found_by: str, *swaps: Swap | str, within: str = "", place: str = "bot"
) -> Change:
    """`found_by`: with blanks between. Of swaps given as texts, every second is the new one."""
    texts = [swap for swap in swaps if isinstance(swap, str)]
    pairs = zip(texts[::2], texts[1::2], strict=True)
    made = [Swap(old, new, within, place) for old, new in pairs]
    made += [swap for swap in swaps if isinstance(swap, Swap)]
    return Change(name, tuple(found_by.split()), tuple(made))


def sources(root: Path) -> dict[Path, str]:
    """Where a change may be planted, with the texts."""
    folders = (root / place for place in PLACES)
    files = (file for folder in folders for file in sorted(folder.rglob("*.py")))
    return {f: f.read_text() for f in files if not f.is_relative_to(root / SANDBOX)}


def planted(root: Path, texts: Mapping[Path, str], wanted: Change) -> dict[Path, str]:
    """Which of the `sources` of `root` are other ones with this change, with their texts. Raises
    DoesNotApply."""
    made: dict[Path, str] = {}
    for swap in wanted.swaps:
        found = [
            (path, match)
            for path, text in texts.items()
            if path.is_relative_to(root / swap.place)
            for match in _matches(swap, path.stem, made.get(path, text))
        ]
        if len(found) != 1:
            where = f" within {swap.within}" if swap.within else ""
            raise DoesNotApply(
                f"{wanted.name!r}: this stands at {len(found)} places"
                f" in {swap.place}/{where}:\n{swap.old}"
            )
        path, (start, end) = found[0]
        text = made.get(path, texts[path])
        made[path] = text[:start] + swap.new + text[end:]
        try:
            ast.parse(made[path])
        except SyntaxError as error:  # anything would find that
            raise DoesNotApply(f"{wanted.name!r} makes no Python: {error}") from None
    return made


def _matches(swap: Swap, file: str, text: str) -> Iterator[tuple[int, int]]:
    found = [match.span() for match in _pattern(swap.old).finditer(text)]
    if not found:
        return
    everywhere = swap.within in ("", file)
    spans = [(0, len(text))] if everywhere else list(_bodies(file, text, swap.within))
    for start, end in found:
        if any(first <= start and end <= last for first, last in spans):
            yield start, end


@cache
def _pattern(old: str) -> re.Pattern[str]:
    """The same tokens, with any white space between them."""
    tokens = re.findall(r"\w+|[^\w\s]", old)
    pattern = re.escape(tokens[0])
    for before, token in pairwise(tokens):
        apart = re.match(r"\w", before) and re.match(r"\w", token)
        pattern += (r"\s+" if apart else r"\s*") + re.escape(token)
    return re.compile(rf"(?<!\w){pattern}" if re.match(r"\w", tokens[0]) else pattern)


def _bodies(file: str, text: str, within: str) -> Iterator[tuple[int, int]]:
    """Where functions and classes of this name begin and end, decorators aside."""
    lines = [0]
    for line in text.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    for name, node in _named(ast.parse(text), f".{file}."):
        if name.endswith(f".{within}"):
            yield lines[node.lineno - 1], lines[node.end_lineno or node.lineno]


def _named(
    node: ast.AST, prefix: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"{prefix}{child.name}", child
            yield from _named(child, f"{prefix}{child.name}.")
        else:
            yield from _named(child, prefix)
