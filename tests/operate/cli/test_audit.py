"""`audit export` and `audit verify --head`, as an auditor types them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from bot.operate.show import iso
from bot.request.model import SHORT
from bot.slack.draw.words.notices import witness_words
from bot.store import audit_trail as audit
from bot.store.database import Database
from bot.store.outbox import Outbox
from bot.store.schema import audit as table
from tests.store.samples import born, ended, entry

Run = Callable[..., Result]


@pytest.fixture
def three(db: Database) -> list[audit.Record]:
    for number in (1, 2, 3):
        born(db, number)
    return list(audit.export(db))


def test_what_a_final_reply_shows_is_found(
    db: Database, three: list[audit.Record], run: Run
) -> None:
    request = Outbox(db).request(ended(db, 4).id)
    assert request is not None
    assert request.ended_in is not None
    words = witness_words(request.ended_in)
    number, head = words.split("record ")[1].split(",")[0], words.split("`")[1]
    assert len(head) == SHORT
    said = run("audit", "verify", "--head", head).stdout.splitlines()
    assert said[0].startswith("ok: 5 records")
    assert said[1] == f"ok: head {head} is record {number}, 1970-01-01T00:00:00.005Z"


@pytest.mark.parametrize("typed", ["{}", "`{}`", "  {}.", "HEAD"])
def test_however_it_was_copied(three: list[audit.Record], run: Run, typed: str) -> None:
    head = three[1].hash[:SHORT]
    typed = head.upper() if typed == "HEAD" else typed.format(head)
    assert "is record 2," in run("audit", "verify", "--head", typed).stdout


def test_a_head_that_no_record_has(three: list[audit.Record], run: Run, run_json: Any) -> None:
    stranger = "f" * SHORT
    done = run("audit", "verify", "--head", stranger, code=1)
    assert done.stdout == ""
    assert f"No record of the audit trail has the head {stranger}." in done.stderr
    found = run_json("audit", "verify", "--head", stranger, code=1)
    assert (found["ok"], found["broken"]) == (False, None)
    assert found["asked"] == {"head": stranger, "number": None, "time": None}


def test_a_chain_made_anew_is_whole_and_has_not_the_head_that_was_posted(
    db: Database, three: list[audit.Record], run: Run
) -> None:
    """What the chain alone cannot see, Slack does: see docs/security.md."""
    posted = three[1].hash[:SHORT]
    with db.write() as conn:
        conn.execute(table.delete())
        conn.exec_driver_sql(f"UPDATE audit_head SET count = 0, hash = '{audit.Head().hash}'")
    with db.write() as conn:
        audit.append(conn, "AAAA-0001", [entry(), entry("forged"), entry()])
    assert run("audit", "verify").stdout.startswith("ok: 3 records")
    assert posted in run("audit", "verify", "--head", posted, code=1).stderr


def test_a_tail_cut_off_together_with_the_head_misses_only_the_head_that_was_posted(
    db: Database, three: list[audit.Record], run: Run
) -> None:
    posted, left = three[2].hash[:SHORT], three[1].hash
    with db.write() as conn:
        conn.execute(table.delete().where(table.c.number == 3))
        conn.exec_driver_sql(f"UPDATE audit_head SET count = 2, hash = '{left}'")
    assert run("audit", "verify").stdout.startswith("ok: 2 records")
    assert posted in run("audit", "verify", "--head", posted, code=1).stderr


def test_a_broken_chain_is_no_proof_of_any_head(
    db: Database, three: list[audit.Record], run: Run, run_json: Any
) -> None:
    with db.write() as conn:
        conn.execute(table.update().where(table.c.number == 3).values(actor="U0OTHER"))
    head = three[1].hash[:SHORT]
    said = run("audit", "verify", "--head", head, code=1).stderr
    assert "broken at record 3" in said
    assert f"Head {head} is that of record 2." in said
    found = run_json("audit", "verify", "--head", head, code=1)
    assert (found["ok"], found["broken"]["number"], found["asked"]["number"]) == (False, 3, 2)


@pytest.mark.parametrize("typed", ["", "abc", "0" * 11, "0" * 65, "g" * 16, "%" * 16])
def test_what_cannot_be_a_head_is_wrong_usage(db: Database, run: Run, typed: str) -> None:
    done = run("audit", "verify", "--head", typed, code=2)
    assert done.stdout == ""
    assert "--head takes" in done.stderr


def test_both_exports_hold_every_column_of_every_record(
    db: Database, three: list[audit.Record], run: Run
) -> None:
    words = 'a "quoted", line\nand another; größer'
    with db.write() as conn:
        audit.append(conn, None, [entry().model_copy(update={"detail": {"reason": words}})])
    records = list(audit.export(db))
    lines = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [{k: v for k, v in line.items() if k != "time"} for line in lines] == [
        r.model_dump() for r in records
    ]
    rows = list(csv.DictReader(io.StringIO(run("audit", "export", "--format", "csv").stdout)))
    assert [row.pop("time") for row in rows] == [iso(r.at) for r in records]
    assert [json.loads(row.pop("detail")) for row in rows] == [r.detail for r in records]
    assert rows == [
        {k: "" if v is None else str(v) for k, v in r.model_dump(exclude={"detail"}).items()}
        for r in records
    ]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("since", [0, 1, 2, 3, 4, 1_000_000_000])
def test_an_export_goes_on_where_the_last_one_ended(
    three: list[audit.Record], run: Run, form: str, since: int
) -> None:
    whole = run("audit", "export", "--format", form).stdout.splitlines()
    head, records = (whole[:1], whole[1:]) if form == "csv" else ([], whole)
    assert len(records) == 3
    rest = run("audit", "export", "--format", form, "--since", str(since)).stdout.splitlines()
    assert rest == head + records[since:]


def test_without_a_number_an_export_holds_what_a_hand_has_put_before_the_first(
    db: Database, three: list[audit.Record], run: Run
) -> None:
    with db.write() as conn:
        conn.execute(table.update().where(table.c.number == 1).values(number=0))
    records = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [record["number"] for record in records] == [0, 2, 3]
    assert "broken at record 0" in run("audit", "verify", code=1).stderr


@pytest.mark.parametrize("number", ["-1", "x", str(2**63)])
def test_what_is_no_number_is_wrong_usage(db: Database, run: Run, number: str) -> None:
    assert "--since" in run("audit", "export", "--since", number, code=2).stderr


DEEPER_THAN_PYTHON_READS = '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.mark.parametrize(
    "hand",
    [
        """detail = '{"a":"\\ud800"}'""",
        f"detail = '{DEEPER_THAN_PYTHON_READS}'",
        "detail = cast(x'ff' as text)",
        "actor = cast(x'ff' as text)",
        "hash = cast(x'ff' as text)",
        "request_id = cast(request_id as blob)",
        "detail = replace(detail, ':', ': ')",
        f"at = {10**18}",
        f"at = {-(10**18)}",
        f"at = {2**62}",
    ],
    ids=lambda hand: hand[:24],
)
def test_whatever_a_hand_has_put_there_is_named_and_shown(
    db: Database, three: list[audit.Record], run: Run, hand: str
) -> None:
    with db.write() as conn:
        conn.exec_driver_sql(f"UPDATE audit SET {hand} WHERE number = 2")
    assert "broken at record 2:" in run("audit", "verify", code=1).stderr
    records = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [record["number"] for record in records] == [1, 2, 3]
    assert len(run("audit", "export", "--format", "csv").stdout.splitlines()) == 4
    shown = run("show", three[1].request_id, "--json")
    assert len(json.loads(shown.stdout)["events"]) == 1
    assert "Record 2 is not as it was written" in shown.stderr


@pytest.mark.parametrize("hand", ["count = 'x'", "hash = x'ff'", "hash = cast(x'ff' as text)"])
def test_a_head_that_a_hand_has_made_unreadable(
    db: Database, three: list[audit.Record], run: Run, hand: str
) -> None:
    with db.write() as conn:
        conn.exec_driver_sql(f"UPDATE audit_head SET {hand}")
    said = run("audit", "verify", code=1).stderr
    assert "The audit trail is broken at record" in said
    assert "head" in said
