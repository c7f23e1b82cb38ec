"""What was to be stored stands in no error of the database: reasons, passwords, addresses."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy import insert

from bot.operate import logs
from bot.store.database import Database
from bot.store.faults import StoreError
from bot.store.schema import shared

SECRET = "the password is Tr0ub4dor&3"
ROW = {"key": "once", "value": SECRET, "at": 1}


@pytest.fixture
def _logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.get_config())
    yield
    root.handlers, config = before[0], before[2]
    root.setLevel(before[1])
    structlog.configure(**config)


@pytest.mark.usefixtures("_logs_as_before")
@pytest.mark.parametrize("fault", ["a second row", "no such table"])
@pytest.mark.parametrize("form", ["json", "console"])
def test_a_logged_error_quotes_nothing(
    db: Database, fault: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up("debug", form)
    with db.write() as conn:
        conn.execute(insert(shared), ROW)
        if fault == "no such table":
            conn.exec_driver_sql("ALTER TABLE shared RENAME TO moved")
    try:
        with db.write() as conn:
            conn.execute(insert(shared), ROW)
    except StoreError:
        structlog.get_logger("bot").exception("step_failed")
    logged = "".join(capsys.readouterr())
    assert "INSERT INTO shared" in logged
    assert SECRET not in logged
