"""Requests, their histories and what Slack does not show, as tables for people in a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from bot.core.audit import Record
from bot.core.delivery import Unsaid
from bot.core.request import Request
from bot.operate.json_and_csv import as_json, iso
from bot.operate.unsaid import sentence

NARROW = 120
"""On terminals with fewer columns, texts of two halves are put on two lines."""

PIPED = 100_000
"""Width when the output is not a terminal: `grep` would not find a name that is folded."""

NAME_WHOLE = 24
"""Names of sites in a pairing's title up to this length are never folded. Longer ones may be, or
they would leave no room for the other columns."""


def stdout() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=PIPED)


def print_tables(console: Console, *tables: Table) -> None:
    """Prints them with an empty line between two tables."""
    for number, table in enumerate(tables):
        if number:
            console.print()
        if console.is_terminal:
            console.print(table)
            continue
        with console.capture() as drawn:
            console.print(table)
        # rich pads every line with spaces to the length of the longest one.
        for line in drawn.get().splitlines():
            console.file.write(f"{line.rstrip()}\n")


def requests_table(requests: Iterable[Request], width: int = PIPED) -> Table:
    """A column that would be the same in every line is left out: a single site, or "no" for
    force."""
    found = list(requests)
    sites = len({r.site for r in found}) > 1 or any(r.terms.several for r in found)
    force = any(r.force for r in found)
    names = [half for r in found for half in _plain(r.title).split(" → ")]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", no_wrap=True)
    table.add_column("state", no_wrap=True)
    if sites:
        table.add_column("site", overflow="fold")
    whole = max(map(len, names), default=0) <= NAME_WHOLE
    table.add_column("pairing", overflow="fold", no_wrap=whole)
    if force:
        table.add_column("force", no_wrap=True)
    table.add_column("requester", overflow="fold", no_wrap=True)
    table.add_column("asked at", no_wrap=True)
    table.add_column("reason", overflow="fold")
    for request in found:
        cells = [request.id, request.state.value]
        cells += [_plain(request.site)] if sites else []
        cells.append(_halves(_plain(request.title), " → ", width))
        cells += ["yes" if request.force else "no"] if force else []
        cells += [request.requester, _time(request.created_at, width), _plain(request.reason)]
        table.add_row(*cells)
    return table


def facts_table(request: Request) -> Table:
    """Everything about one request, one fact per line."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in as_json(request).items():
        if value not in (None, [], ""):
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            table.add_row(name.replace("_", " "), _plain(shown))
    return table


def history_table(records: Iterable[Record], width: int = PIPED) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("no.", "at", "who", "what", "state", "detail"):
        table.add_column(column, overflow="fold", no_wrap=column in ("no.", "at", "state"))
    for record in records:
        same = record.before == record.after
        state = record.after if same else f"{record.before or '-'} → {record.after or '-'}"
        detail = json.dumps(record.detail, ensure_ascii=False) if record.detail else ""
        table.add_row(
            str(record.number),
            _time(record.at, width),
            record.actor,
            record.action,
            _halves(state or "", " → ", width),
            _plain(detail),
        )
    return table


def unsaid_table(messages: Iterable[Unsaid], width: int = PIPED) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("not said in Slack", "since", "next try", "why"):
        table.add_column(column, overflow="fold")
    for message in messages:
        due = "none" if message.due_at is None else _time(message.due_at, width)
        table.add_row(message.slot, _time(message.since, width), due, sentence(message))
    return table


def _time(ms: int, width: int) -> str:
    """In whole seconds; the JSON has milliseconds."""
    shown = f"{(iso(ms) or '')[:19]}Z".replace("T", " ")
    return _halves(shown, " ", width)


def _halves(text: str, at: str, width: int) -> str:
    """On a narrow terminal the second half gets a line of its own."""
    return text.replace(at, f"{at.rstrip()}\n", 1) if width < NARROW else text


def _plain(text: str) -> str:
    """The text without control characters, and with everything escaped that rich would take for
    markup."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable.replace("[", "\\[")
