"""`audit export` and `audit verify`, as an auditor types them: the chain, a head, and the log."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.operate import logs
from bot.operate.json_and_csv import iso
from bot.request.model import SHORT
from bot.slack.draw.words.thread_notices import witness_words
from bot.store import audit_trail
from bot.store.audit_witness import LINES, Telling, write_lines
from bot.store.database import Database
from bot.store.schema import audit as table
from tests.operate.cli.conftest import Run
from tests.store.samples import born, ended, entry
from tests.store.test_audit_log_lines import forge

Records = list[audit_trail.Record]


@pytest.fixture
def three(db: Database) -> Records:
    for number in (1, 2, 3):
        born(db, number)
    return list(audit_trail.export(db))


# ---- a head that a final reply shows -------------------------------------------------------------


def test_what_a_final_reply_shows_is_found_however_it_was_copied(
    db: Database, three: Records, run: Run
) -> None:
    with db.read() as conn:
        request = audit_trail.witnessed(conn, ended(db, 4))
    assert request.ended_in is not None
    words = witness_words(request.ended_in)
    number, head = words.split("record ")[1].split(",")[0], words.split("`")[1]
    for typed in (head, f"`{head}`", f"  {head}.", head.upper()):
        first, second = run("audit", "verify", "--head", typed).stdout.splitlines()
        assert first.startswith("ok: 5 records")
        assert f"is record {number}, 1970-01-01T00:00:00.005Z" in second


def anew(records: Records) -> Records:
    return [record.model_copy(update={"actor": "U0OTHER"}) for record in records]


def cut(records: Records) -> Records:
    return records[:2]


@pytest.mark.parametrize("how", [anew, cut])
def test_a_chain_that_is_whole_but_has_not_the_head_that_was_posted(
    db: Database, three: Records, run: Run, run_json: Any, how: Callable[[Records], Records]
) -> None:
    """What the chain alone cannot see, Slack does: see docs/security.md."""
    posted = three[2].hash[:SHORT]
    forge(db, how)
    assert run("audit", "verify").stdout.startswith("ok: ")
    done = run("audit", "verify", "--head", posted, code=1)
    assert done.stdout == ""
    assert posted in done.stderr
    found = run_json("audit", "verify", "--head", posted, code=1)
    assert (found["ok"], found["broken"]) == (False, None)
    assert found["asked"] == {"head": posted, "number": None, "time": None}


def test_a_broken_chain_is_no_proof_of_any_head(
    db: Database, three: Records, run: Run, run_json: Any
) -> None:
    assert run_json("audit", "verify")["ok"] is True
    with db.write() as conn:
        conn.execute(table.update().where(table.c.number == 3).values(actor="U0OTHER"))
    head = three[1].hash[:SHORT]
    assert "broken at record 3:" in run("audit", "verify", "--head", head, code=1).stderr
    found = run_json("audit", "verify", "--head", head, code=1)
    assert (found["ok"], found["records"], found["head"]) == (False, 3, three[2].hash)
    assert (found["broken"], found["asked"]["number"]) == ({"number": 3}, 2)


@pytest.mark.parametrize("typed", ["", "0" * 11, "0" * 65, "g" * 16])
def test_what_cannot_be_a_head_is_wrong_usage(db: Database, run: Run, typed: str) -> None:
    assert "--head takes" in run("audit", "verify", "--head", typed, code=2).stderr


# ---- export --------------------------------------------------------------------------------------


def test_both_exports_hold_every_column_of_every_record(
    db: Database, three: Records, run: Run
) -> None:
    words = 'a "quoted", line\nand another; größer'
    words += "".join(f';=1{sep}+2{sep} -3{sep}"@4{sep}\uff1d5' for sep in ",;|\t\n\r")
    with db.write() as conn:
        more = [entry(f"{start}cmd") for start in "=+-@"]
        more[0] = more[0].model_copy(update={"detail": {"reason": words}})
        audit_trail.append(conn, None, more)
    records = list(audit_trail.export(db))
    lines = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert lines == [{**r.model_dump(), "time": iso(r.at)} for r in records]
    text = run("audit", "export", "--format", "csv").stdout
    cells = [cell.strip(' "') for cell in re.split("[,;|\t\r\n]", text)]
    assert [cell for cell in cells if cell.startswith(tuple("=+-@\uff1d"))] == []
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [json.loads(row.pop("detail")) for row in rows] == [r.detail for r in records]
    for row in rows[3:]:
        assert row["action"].startswith("'"), "a spreadsheet would run it"
        row["action"] = row["action"][1:]
    assert rows == [
        {k: "" if v is None else str(v) for k, v in line.items() if k != "detail"} for line in lines
    ]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("since", [0, 2, 3, 1_000_000_000])
def test_an_export_goes_on_where_the_last_one_ended(
    three: Records, run: Run, form: str, since: int
) -> None:
    whole = run("audit", "export", "--format", form).stdout.splitlines()
    head, records = (whole[:1], whole[1:]) if form == "csv" else ([], whole)
    assert len(records) == 3
    rest = run("audit", "export", "--format", form, "--since", str(since)).stdout.splitlines()
    assert rest == head + records[since:]


# ---- whatever a hand has put there ---------------------------------------------------------------

DEEPER_THAN_PYTHON_READS = '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.mark.parametrize(
    "hand",
    [
        """detail = '{"a":"\\ud800"}'""",
        f"detail = '{DEEPER_THAN_PYTHON_READS}'",
        "actor = cast(x'ff' as text)",
        f"at = {10**18}",
    ],
    ids=lambda hand: hand[:24],
)
def test_it_is_named_and_shown(db: Database, three: Records, run: Run, hand: str) -> None:
    with db.write() as conn:
        conn.exec_driver_sql(f"UPDATE audit SET {hand} WHERE number = 2")
    assert "broken at record 2:" in run("audit", "verify", code=1).stderr
    records = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [record["number"] for record in records] == [1, 2, 3]
    assert len(run("audit", "export", "--format", "csv").stdout.splitlines()) == 4
    shown = run("show", three[1].request_id, "--json")
    assert len(json.loads(shown.stdout)["events"]) == 1
    assert "Record 2 is not as it was written" in shown.stderr


@pytest.mark.parametrize("hand", ["count = 'x'", "hash = x'ff'"])
def test_a_head_that_cannot_be_read(db: Database, three: Records, run: Run, hand: str) -> None:
    with db.write() as conn:
        conn.exec_driver_sql(f"UPDATE audit_head SET {hand}")
    assert "broken at record" in run("audit", "verify", code=1).stderr


# ---- against its own log -------------------------------------------------------------------------


LIKE_ONE = [
    json.dumps({"event": "audit", "logger": logs.AUDIT, "number": 1, "hash": "0" * 64}),
    f"2026-11-30T22:00:01.000000Z [info     ] audit [{logs.AUDIT}] hash={'0' * 64} number=1",
]
"""What somebody may name a virtual machine, or an appliance may answer."""


@pytest.fixture
def told(
    db: Database, own_logging: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], list[str]]:
    """Six records, and in `bot.log` the log of the bot that wrote them: in a form of LOG_FORMAT,
    with other lines that hold what looks like one, at a LOG_LEVEL that leaves out what is only
    information."""

    def tell(form: str) -> list[str]:
        for number in range(1, 7):
            born(db, number)
        log = io.StringIO()
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stderr", log)
            # Loggers that are cached already would write by the set-up before.
            patched.setattr("bot.store.audit_witness.log", structlog.get_logger(logs.AUDIT))
            logs.set_up("error", form)
            Telling(db, LINES, write_lines).up_to_now(time.monotonic() + 10)
            for like_one in LIKE_ONE:
                name = f"\n{like_one}\n"
                structlog.get_logger("bot.other").error(like_one, pairing=like_one, words=name)
                logging.getLogger("urllib3").error("%s", name)
                structlog.get_logger("bot.other").error("failed", exc_info=ValueError(name))
        (folder / "bot.log").write_text(log.getvalue())
        return log.getvalue().splitlines()

    return tell


SHIPPERS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "journald": lambda line: f"Nov 30 22:00:01 host vr-unpair[7]: {line}",
    "journald, json": lambda line: json.dumps({"MESSAGE": line, "PRIORITY": "6"}),
    "docker": lambda line: json.dumps({"log": f"{line}\n", "stream": "stderr"}),
    "compose": lambda line: f"vr-unpair-1  | \x1b[2m{line}\x1b[0m",
    "kubernetes": lambda line: f"2026-11-30T22:00:01.123456789Z stderr F {line}",
}


@pytest.mark.parametrize("shipper", SHIPPERS)
@pytest.mark.parametrize("form", ["json", "console"])
def test_a_trail_that_is_as_its_log_tells(told: Any, run: Run, form: str, shipper: str) -> None:
    """What only looks like a line of it, in a name that somebody wrote, is none."""
    lines = told(form)
    assert len([line for line in lines if "0" * 64 in line]) >= 6
    shipped = "\n".join(map(SHIPPERS[shipper], lines))
    done = run("audit", "verify", "--log", "-", stdin=shipped)
    assert done.stdout.splitlines()[1] == "ok: 6 of them as told in the log, 1 to 6"


def test_the_logs_of_all_copies_together_have_every_line(
    told: Any, run: Run, run_json: Any, folder: Path
) -> None:
    """A copy that was down has missed what the others wrote meanwhile."""
    lines = told("json")
    (folder / "a.log").write_text("\n".join([*lines[:2], *lines[4:]]))
    (folder / "b.log").write_text("\n".join(lines[1:5]))
    found = run_json("audit", "verify", "--log", "a.log", "--log", "b.log")["log"]
    assert found == {"lines": 6, "first": 1, "last": 6, "gap": None, "broken": None}
    assert "no line of record 3," in run("audit", "verify", "--log", "a.log", code=1).stderr
    found = run_json("audit", "verify", "--log", "a.log", code=1)
    assert (found["ok"], found["log"]["gap"], found["log"]["broken"]) == (False, 3, None)


def forged(records: Records) -> Records:
    return [r.model_copy(update={"actor": "U0OTHER"}) if r.number == 3 else r for r in records]


@pytest.mark.parametrize("how", [cut, forged])
def test_a_trail_made_anew_is_found_by_the_log_alone(
    db: Database, told: Any, run: Run, run_json: Any, how: Any
) -> None:
    told("json")
    forge(db, how)
    assert run("audit", "verify").stdout.startswith("ok: ")
    done = run("audit", "verify", "--log", "bot.log", code=1)
    assert "broken at record 3:" in done.stderr
    assert done.stdout == ""
    found = run_json("audit", "verify", "--log", "bot.log", code=1)
    assert (found["ok"], found["broken"]) == (False, None)
    assert found["log"]["broken"] == {"number": 3}


def test_what_the_chain_finds_earlier_is_named_first(db: Database, told: Any, run: Run) -> None:
    told("json")
    with db.write() as conn:
        conn.exec_driver_sql("UPDATE audit SET actor = 'U9' WHERE number = 2")
        conn.exec_driver_sql(f"UPDATE audit SET hash = '{'0' * 64}' WHERE number = 5")
    assert "broken at record 2" in run("audit", "verify", "--log", "bot.log", code=1).stderr


NO_LINE = '{"event": "audit"}\n{"event"\n[]\n{"number": 1, "hash": "0"}'


@pytest.mark.parametrize(("text", "code"), [("", 1), (NO_LINE, 1), (None, 2)])
def test_a_log_that_tells_nothing_proves_nothing(
    db: Database, run: Run, folder: Path, text: str | None, code: int
) -> None:
    born(db, 1)
    if text is not None:
        (folder / "bot.log").write_text(text)
    done = run("audit", "verify", "--log", "bot.log", code=code)
    assert "bot.log" in done.stderr
    assert done.stdout == ""
