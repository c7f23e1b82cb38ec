"""Requests, their histories and what Slack was not told, as tables for people in a terminal."""

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


def print_tables(*tables: Table) -> None:
    """To stdout, with an empty line between two."""
    console = Console()
    for number, table in enumerate(tables):
        if number:
            console.print()
        console.print(table)


def requests_table(requests: Iterable[Request]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("id", "state", "site", "pairing", "force", "requester", "asked at", "reason"):
        table.add_column(column, overflow="fold")
    for request in requests:
        table.add_row(
            request.id,
            request.state.value,
            _plain(request.site),
            _plain(request.title),
            "yes" if request.force else "no",
            request.requester,
            iso(request.created_at),
            _plain(request.reason),
        )
    return table


def facts_table(request: Request) -> Table:
    """Everything about one request, a line a fact."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in as_json(request).items():
        if value not in (None, [], ""):
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            table.add_row(name.replace("_", " "), _plain(shown))
    return table


def history_table(records: Iterable[Record]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("no.", "at", "who", "what", "state", "detail"):
        table.add_column(column, overflow="fold")
    for record in records:
        same = record.before == record.after
        state = record.after if same else f"{record.before or '-'} → {record.after or '-'}"
        detail = json.dumps(record.detail, ensure_ascii=False) if record.detail else ""
        table.add_row(
            str(record.number), iso(record.at), record.actor, record.action, state, _plain(detail)
        )
    return table


def unsaid_table(messages: Iterable[Unsaid]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("not said in Slack", "since", "next try", "why"):
        table.add_column(column, overflow="fold")
    for message in messages:
        cells = (message.slot, iso(message.since), iso(message.due_at) or "none", sentence(message))
        table.add_row(*cells)
    return table


def _plain(text: str) -> str:
    """No control characters to the terminal, and nothing that rich takes for markup."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable.replace("[", "\\[")
