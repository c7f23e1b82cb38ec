"""Tables that no text of somebody else's can break out of."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from bot.operate import tables
from bot.request.audit_chain import Record
from bot.request.model import State
from bot.request.pairing import Server, Snapshot
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


TITLES = "site-a.example.net", "site-b.example.net"
SNAPSHOT = Snapshot(
    pairing_id="p1",
    local_vc=Server(id="1", name=TITLES[0]),
    remote_vc=Server(id="2", name=TITLES[1]),
    local_vrms=Server(),
    remote_vrms=Server(),
    count=0,
    complete=True,
    replications_digest=None,
    read_at=1,
)
ASKED = request(
    7,
    State.ATTENTION,
    snapshot=SNAPSHOT,
    reason="moving to the new site, CHG0031337",
    created_at=1_764_104_584_123,
)


def printed(table: Table, width: int, *, terminal: bool) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, color_system=None)
    tables.print_tables(console, table)
    return out.getvalue().splitlines()


def test_a_request_stands_in_few_lines_of_a_narrow_screen() -> None:
    lines = printed(tables.requests_table([ASKED], 80), 80, terminal=True)
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 1 + 4
    assert f"{TITLES[0]} →" in lines[1]
    assert "2025-11-25" in lines[1]
    assert TITLES[1] in lines[2]
    assert "21:03:04Z" in lines[2]
    assert not {"site", "force"} & set(lines[0].split())


def test_what_is_piped_is_one_line_that_grep_finds() -> None:
    table = tables.requests_table([ASKED, request(8, reason="x" * 3_000)], tables.PIPED)
    lines = printed(table, tables.PIPED, terminal=False)
    assert len(lines) == 3
    assert " → ".join(TITLES) in lines[1]
    assert lines[1].endswith("2025-11-25 21:03:04Z  moving to the new site, CHG0031337")
    assert lines[2].endswith(f"{'x' * (tables.REASON_SHOWN - 1)}…")


def test_site_and_force_stand_where_they_tell_something() -> None:
    several = request(8, force=True, terms=request(8).terms.model_copy(update={"several": True}))
    for others in ([several], [ASKED, several]):
        head, *_ = printed(tables.requests_table(others), 200, terminal=True)
        assert {"site", "force"} <= set(head.split())


def test_the_time_for_the_delete_stands_where_one_was_asked_for() -> None:
    timed = request(8, scheduled_at=1_800_000_000_000)
    head, first, second = printed(tables.requests_table([ASKED, timed]), 200, terminal=True)
    assert "not before" in head
    assert "2027-01-15 08:00:00Z" not in first
    assert "2027-01-15 08:00:00Z" in second
    assert "not before" not in printed(tables.requests_table([ASKED]), 200, terminal=True)[0]


def test_a_history_cuts_no_time() -> None:
    record = Record(
        number=3,
        at=1_764_104_584_123,
        request_id="AAAA-0007",
        actor="U0ASKER",
        action="approved",
        message=None,
        before="pending",
        after="approved",
        detail={"words": "of the requester, which are many, and go on"},
        previous="",
        hash="",
    )
    lines = printed(tables.history_table([record], 80), 80, terminal=True)
    assert "2025-11-25" in lines[1]
    assert "21:03:04Z" in lines[2]
    assert "enough approvals" in lines[1]
