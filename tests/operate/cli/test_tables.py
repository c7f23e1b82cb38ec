"""Tables of requests: few lines on a narrow screen, one line each where they are piped."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from bot.operate import show
from bot.request.audit_chain import Record
from bot.request.model import State
from bot.request.pairing import Server, Snapshot
from tests.store.samples import request

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


def printed(table: Table, width: int, *, terminal: bool = True) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, color_system=None)
    show.print_tables(console, table)
    return out.getvalue().splitlines()


def test_a_request_stands_in_few_lines_of_a_narrow_screen() -> None:
    lines = printed(show.requests_table([ASKED]), 80)
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 1 + 4
    for whole in (*TITLES, "2025-11-25", "21:03:04Z"):
        assert whole in " ".join(lines), f"{whole} is folded"
    assert not {"site", "force", "before"} & set(lines[0].split())


def test_what_is_piped_is_one_line_that_grep_finds() -> None:
    table = show.requests_table([ASKED, request(8, reason="x" * 3_000)])
    lines = printed(table, show.PIPED, terminal=False)
    assert len(lines) == 3
    assert " → ".join(TITLES) in lines[1]
    assert lines[1].endswith("2025-11-25 21:03:04Z  moving to the new site, CHG0031337")
    assert lines[2].endswith(f"{'x' * (show.REASON_SHOWN - 1)}…")


def test_a_column_stands_where_it_tells_something() -> None:
    several = request(8, force=True, terms=request(8).terms.model_copy(update={"several": True}))
    timed = request(9, scheduled_at=1_800_000_000_000)
    head, *_ = printed(show.requests_table([ASKED, several]), 200)
    assert {"site", "force"} <= set(head.split())
    head, first, second = printed(show.requests_table([ASKED, timed]), 200)
    assert "not before" in head
    assert ("2027-01-15 08:00:00Z" in first, "2027-01-15 08:00:00Z" in second) == (False, True)


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
    text = " ".join(printed(show.history_table([record]), 80))
    assert "2025-11-25" in text
    assert "21:03:04Z" in text
