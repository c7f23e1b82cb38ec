"""Tables that no text of somebody else's can break out of."""

from __future__ import annotations

import io

from rich.console import Console

from bot.operate import tables
from tests.store.samples import request


def test_tables_show_foreign_text_as_text() -> None:
    evil = "[red]not markup[/red] \x1b[31mnot colour\x07"
    made = request(1, reason=evil)
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=False)
    console.print(tables.requests_table([made]))
    console.print(tables.facts_table(made))
    text = out.getvalue()
    assert "[red]not markup[/red]" in text
    assert "\x1b" not in text
    assert "\x07" not in text
