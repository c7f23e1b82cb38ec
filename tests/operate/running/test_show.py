"""JSON as promised, CSV that is safe to open."""

from __future__ import annotations

import csv
import io
import json

import pytest

from bot.operate import json_and_csv as show
from bot.request.audit_chain import Head, Record, link
from tests.store.samples import request

PROMISED = (
    "id",
    "state",
    "site",
    "pairing_id",
    "force",
    "requester",
    "channel",
    "reason",
    "created_at",
    "updated_at",
    "scheduled_at",
)


def record(**changes: object) -> Record:
    columns = {
        "at": 1_800_000_000_123,
        "request_id": "AAAA-BBBB",
        "actor": "U0ASKER",
        "action": "asked",
        "message": None,
        "before": None,
        "after": "checking",
        "detail": {"reason": 'größer, "quoted"\nline'},
    }
    return link(Head(), {**columns, **changes})


def test_json_has_what_the_contract_promises() -> None:
    made = show.as_json(request(1_800_000_000_123))
    assert set(PROMISED) <= set(made)
    assert made["created_at"] == "2027-01-15T08:00:00.123Z"
    json.dumps(made)


def test_csv_has_a_header_and_survives_any_text() -> None:
    lines = list(show.audit_lines([record(), record(actor="U0OTHER")], "csv"))
    rows = list(csv.DictReader(io.StringIO("\n".join(lines))))
    assert [row["actor"] for row in rows] == ["U0ASKER", "U0OTHER"]
    assert json.loads(rows[0]["detail"]) == {"reason": 'größer, "quoted"\nline'}
    assert lines[0] == ",".join(show.AUDIT_COLUMNS)


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_formula_reaches_a_spreadsheet(start: str) -> None:
    (_, line) = show.audit_lines([record(actor=f"{start}cmd")], "csv")
    assert f"'{start}cmd" in line


def test_jsonl_is_one_object_a_line() -> None:
    lines = list(show.audit_lines([record(), record()], "jsonl"))
    assert all("\n" not in line for line in lines)
    first = json.loads(lines[0])
    assert first["number"] == 1
    assert first["time"] == "2027-01-15T08:00:00.123Z"
