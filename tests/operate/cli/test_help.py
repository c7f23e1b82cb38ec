"""Help: found under both names, short enough to be read, with an example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer
from typer.testing import Result

from bot.cli import app

Run = Callable[..., Result]


def commands(made: Any, *words: str) -> Iterator[tuple[str, ...]]:
    yield words
    for name, command in getattr(made, "commands", {}).items():
        yield from commands(command, *words, name)


ALL = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_both_names_of_help_say_the_same(run: Run, words: tuple[str, ...]) -> None:
    said = run(*words, "-h").stdout
    assert said == run(*words, "--help").stdout
    assert said.startswith(f"Usage: vr-unpair {' '.join(words)}".rstrip())
    assert "..." not in said.replace("[ARGS]...", ""), "a sentence that was cut"
    assert max(map(len, said.splitlines())) <= 80


def test_help_has_examples_and_exit_codes(run: Run) -> None:
    for words in ALL:
        if words not in ((), ("run",), ("demo",), ("check",), ("audit",)):
            assert f"vr-unpair {' '.join(words)} " in run(*words, "-h").stdout.split("Example")[1]
    said = run("-h").stdout
    assert "Exit codes: 0 fine, 1 a problem was found, 2 wrong usage or settings." in said


@pytest.mark.parametrize("words", [("nothing",), ("requests", "--state", "x"), ("settings",)])
def test_wrong_usage_ends_with_2_and_a_sentence(run: Run, words: tuple[str, ...]) -> None:
    done = run(*words, code=2)
    assert done.stdout == ""
    assert "Error: " in done.stderr
