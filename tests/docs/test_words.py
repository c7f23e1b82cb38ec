"""Every sentence and card is in the docs; every command and state has its row."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from bot.cli import app
from bot.request.model import State
from tests.slack.cards.words_page import PAGE, page

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = (DOCS / "commands.md").read_text(encoding="utf-8")
STATES = (DOCS / "states.md").read_text(encoding="utf-8")


def test_the_page_of_words_is_what_the_code_says() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == page(), "make it anew: python -m tests.slack.cards.words_page"
    assert "None" not in written


def test_the_docs_have_each_command_and_no_other() -> None:
    made = typer.main.get_command(app)
    assert isinstance(made, typer.core.TyperGroup)
    there = set()
    for name, command in made.commands.items():
        inner = getattr(command, "commands", None)
        there |= {f"{name} {each}" for each in inner} if inner else {name}
    rows = re.findall(r"^\| `vr-unpair ([a-z]+(?: [a-z]+)?)", COMMANDS, re.MULTILINE)
    assert set(rows) == there


def test_the_docs_have_each_state() -> None:
    for state in State:
        assert f"`{state.value}`" in STATES
