"""The audit trail's lines in the log: none is left out, and the trail is held against them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import insert, update
from structlog.testing import capture_logs

from bot.audit_key import AuditKey
from bot.request.audit_chain import Head, Record, link
from bot.store import audit_trail as audit
from bot.store.audit_trail import Held, held_against, verify_trail
from bot.store.audit_witness import LINES, Telling, write_lines
from bot.store.database import Database
from bot.store.schema import audit as table
from bot.store.schema import audit_head
from tests.store.samples import entry

Line = tuple[int, str]


def record(db: Database, count: int = 1) -> None:
    for _ in range(count):
        at = audit.head(db).count  # no two are alike
        with db.write() as conn:
            audit.append(conn, "AAAA-0001", [entry().model_copy(update={"at": at})])


def written(lines: Telling) -> list[Line]:
    with capture_logs() as found:
        lines.up_to_now(time.monotonic() + 10)
    assert {line["event"] for line in found} <= {"audit"}
    return [(line["number"], line["hash"]) for line in found]


def recorded(db: Database) -> list[Line]:
    return [(r.number, r.hash) for r in audit.export(db)]


# ---- written ---------------------------------------------------------------------------------


def test_each_record_is_one_line_with_its_number_and_hash(db: Database) -> None:
    record(db, 3)
    lines = Telling(db, LINES, write_lines)
    first = written(lines)
    assert written(lines) == []
    record(db, 2)
    assert first + written(lines) == recorded(db)


def test_lines_that_a_kill_left_out_are_written_at_the_next_start(db: Database) -> None:
    """Twice rather than not at all."""
    lines = Telling(db, LINES, write_lines)
    record(db, 3)
    written(lines)
    assert written(Telling(db, LINES, write_lines)) == recorded(
        db
    )  # it was not stored yet how far they are
    lines.keep()
    record(db, 2)  # and killed before the lines
    assert written(Telling(db, LINES, write_lines)) == recorded(db)[3:]


def test_a_trail_that_was_cut_while_nothing_ran_is_told_again(db: Database) -> None:
    lines = Telling(db, LINES, write_lines)
    record(db, 5)
    log = written(lines)
    lines.keep()
    forge(db, lambda records: records[:3])
    with db.write() as conn:
        audit.append(conn, "AAAA-0001", [entry("other")])
    log += written(Telling(db, LINES, write_lines))
    assert log[-1] == recorded(db)[3]
    assert held_against(db, log).broken == 4


# ---- held against them -----------------------------------------------------------------------


def forge(
    db: Database, how: Callable[[list[Record]], Sequence[Record]], own: AuditKey | None = None
) -> None:
    """The whole chain made anew, head included, so that it verifies by itself but for signatures,
    which only the key could make anew. What names the forger's `own` key is signed by it."""
    records = how(list(audit.export(db)))
    head = Head()
    with db.write() as conn:
        conn.execute(table.delete())
        for old in records:
            signed = {"signature": old.signature, "key": old.key}
            columns = old.model_dump(exclude={"number", "previous", "hash", *signed})
            new = link(head, columns)
            if own is not None and old.key == own.id:
                signed["signature"] = own.sign(new.hash)
            new = new.model_copy(update=signed)
            detail = json.dumps(
                new.detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False
            )
            conn.execute(insert(table), {**new.model_dump(), "detail": detail})
            head = Head(count=new.number, hash=new.hash)
        conn.execute(update(audit_head), {"count": head.count, "hash": head.hash})
    assert verify_trail(db)[0] is None


@pytest.fixture
def log(db: Database) -> list[Line]:
    record(db, 6)
    return written(Telling(db, LINES, write_lines))


def test_a_trail_that_is_as_it_was_told(db: Database, log: list[Line]) -> None:
    record(db, 2)  # not told yet
    found = held_against(db, [*log[1:], *log[3:]])
    assert found == Held(lines=5, first=2, last=6, gap=None, broken=None)
    assert held_against(db, []) == Held(lines=0, first=None, last=None, gap=None, broken=None)
    assert held_against(db, [*log[:2], *log[4:]]).gap == 3


@pytest.mark.parametrize(
    ("how", "broken"),
    [
        (lambda records: records[:4], 5),
        (lambda records: [], 1),
        (lambda records: [*records[:2], records[2].model_copy(update={"actor": "U9"})], 3),
        (lambda records: [*records[:1], *records[2:]], 2),
        (lambda records: [*records[:3], records[0], *records[3:]], 4),
    ],
    ids=["tail cut", "all gone", "forged and cut", "removed", "inserted"],
)
def test_what_the_chain_cannot_see_its_lines_show(
    db: Database, log: list[Line], how: Callable[[list[Record]], list[Record]], broken: int
) -> None:
    forge(db, how)
    assert held_against(db, log).broken == broken
