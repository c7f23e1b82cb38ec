"""`audit verify --log FILE`: the trail held against the log that the bot itself has written."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.operate import logs
from bot.request.audit_chain import Record
from bot.store.audit_log_lines import AuditLines
from bot.store.database import Database
from tests.store.samples import born
from tests.store.test_audit_log_lines import forge

Run = Callable[..., Result]
FORMS = ("json", "console")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers = before[0]
    root.setLevel(before[1])
    structlog.configure(**before[2])


@pytest.fixture
def told(db: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Six records, and the log of the bot that wrote them: in a form of LOG_FORMAT, with other
    lines, at a LOG_LEVEL that leaves out what is only information."""

    def tell(form: str) -> list[str]:
        for number in range(1, 7):
            born(db, number)
        log = io.StringIO()
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stderr", log)
            # Loggers that are cached already would write by the set-up before.
            patched.setattr("bot.store.audit_log_lines.log", structlog.get_logger(logs.AUDIT))
            logs.set_up("error", form)
            AuditLines(db).write()
            structlog.get_logger("bot.other").error("step_failed", audit="hash=00 number=1")
        return log.getvalue().splitlines()

    return tell


def shipped(form: str, line: str) -> str:
    """As a shipper may keep it."""
    if form == "json":
        return json.dumps({"log": f"{line}\n", "stream": "stderr"})
    return f"Nov 30 22:00:01 host vr-unpair[7]: \x1b[2m{line}\x1b[0m"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("by", ["itself", "a shipper"])
def test_a_trail_that_is_as_its_log_tells(
    db: Database, told: Any, run: Run, run_json: Any, tmp_path: Path, form: str, by: str
) -> None:
    lines = told(form)
    assert len(lines) == 7
    if by == "a shipper":
        lines = [shipped(form, line) for line in lines]
    (tmp_path / "bot.log").write_text("\n".join(lines))
    said = run("audit", "verify", "--log", "bot.log").stdout.splitlines()
    assert said[0].startswith("ok: 6 records")
    assert said[1] == "ok: 6 of them as told in the log, 1 to 6"
    found = run_json("audit", "verify", "--log", "bot.log")
    assert found["ok"] is True
    assert found["log"] == {"lines": 6, "first": 1, "last": 6, "broken": None}


def cut(records: list[Record]) -> list[Record]:
    return records[:4]


def forged(records: list[Record]) -> list[Record]:
    return [r.model_copy(update={"actor": "U0OTHER"}) if r.number == 3 else r for r in records]


def reordered(records: list[Record]) -> list[Record]:
    return [records[0], records[2], records[1], *records[3:]]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("how", "number"), [(cut, 5), (forged, 3), (reordered, 2)])
def test_a_trail_made_anew_is_found_by_the_log_alone(
    db: Database,
    told: Any,
    run: Run,
    run_json: Any,
    tmp_path: Path,
    how: Any,
    number: int,
    form: str,
) -> None:
    (tmp_path / "bot.log").write_text("\n".join(told(form)))
    forge(db, how)
    assert run("audit", "verify").stdout.startswith("ok: ")
    done = run("audit", "verify", "--log", "bot.log", code=1)
    assert f"from record {number} on" in done.stderr
    assert done.stdout == ""
    found = run_json("audit", "verify", "--log", "bot.log", code=1)
    assert (found["ok"], found["broken"], found["log"]["broken"]) == (
        False,
        None,
        {"number": number},
    )


def test_what_the_chain_finds_earlier_is_named_first(
    db: Database, told: Any, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "bot.log").write_text("\n".join(told("json")))
    with db.write() as conn:
        conn.exec_driver_sql("UPDATE audit SET actor = 'U9' WHERE number = 2")
        conn.exec_driver_sql(f"UPDATE audit SET hash = '{'0' * 64}' WHERE number = 5")
    assert "broken at record 2" in run("audit", "verify", "--log", "bot.log", code=1).stderr


def test_a_log_may_come_by_a_pipe(db: Database, told: Any, tmp_path: Path) -> None:
    text = "\n".join(told("console"))
    done = CliRunner().invoke(app, ["audit", "verify", "--log", "-"], input=text)
    assert done.exit_code == 0, done.output
    assert "1 to 6" in done.stdout


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", 1, "has no line of the event `audit`"),
        ('{"event": "audit"}\n{"event"\n[]\n{"number": 1, "hash": "0"}', 1, "has no line"),
        (None, 2, "No such file"),
    ],
)
def test_a_log_that_tells_nothing_proves_nothing(
    db: Database, run: Run, tmp_path: Path, text: str | None, code: int, says: str
) -> None:
    born(db, 1)
    if text is not None:
        (tmp_path / "bot.log").write_text(text)
    done = run("audit", "verify", "--log", "bot.log", code=code)
    assert says in done.stderr
    assert done.stdout == ""
