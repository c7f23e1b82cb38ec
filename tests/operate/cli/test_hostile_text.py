"""Whatever people or the appliance wrote, a terminal and a log show it and obey nothing of it."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.operate import logs
from bot.operate.json_and_csv import printable, to_json
from bot.store import audit_trail
from bot.store.database import Database
from tests.operate.cli.conftest import Run
from tests.store.samples import born, entry

ODD = "\x1b\x07\x00\r\x7f\x85\x9b\u202e\u2066\u200f\u061c\u2028\u200b\u2060\ufeff\U000e0041"
PEOPLE = {odd: ascii(odd)[1:-1] for odd in ODD}
"""Each with what people read instead."""
MACHINES = {odd: json.dumps(odd)[1:-1] for odd in ODD}
"""And how JSON writes it."""

OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e"
    "\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
"""Or not shown at all: zero widths, fillers, tags."""
REASON = f"a{''.join(ODD)}[31m b [red]markup[/red] :warning: größer 👩‍💻"


@pytest.fixture
def asked(db: Database) -> str:
    made = born(db, 2, reason=REASON, asked=REASON)
    with db.write() as conn:
        odd = entry(REASON).model_copy(update={"detail": {REASON: REASON}})
        audit_trail.append(conn, made.id, [odd])
    return made.id


@pytest.mark.parametrize(
    "words", [("requests",), ("show", "ID"), ("audit", "export", "--format", "csv")]
)
def test_people_see_escapes(asked: str, run: Run, words: tuple[str, ...]) -> None:
    said = run(*(asked if word == "ID" else word for word in words)).stdout
    assert OBEYED.search(said) is None
    for shown in PEOPLE.values():
        assert shown in said
    assert "[31m b [red]markup[/red] :warning: größer 👩‍💻" in said


@pytest.mark.parametrize("words", [("requests", "--json"), ("show", "ID", "--json")])
def test_machines_get_the_text_itself(asked: str, run: Run, words: tuple[str, ...]) -> None:
    said = run(*(asked if word == "ID" else word for word in words)).stdout
    assert OBEYED.search(said) is None
    for written in MACHINES.values():
        assert written in said
    document = json.loads(said)
    request = document[0] if isinstance(document, list) else document
    assert request["reason"] == REASON


@pytest.mark.usefixtures("asked")
def test_an_export_is_still_what_was_hashed(run: Run) -> None:
    said = run("audit", "export").stdout
    assert OBEYED.search(said) is None
    last = [json.loads(line) for line in said.splitlines()][-1]
    assert (last["action"], last["detail"]) == (REASON, {REASON: REASON})


@pytest.mark.usefixtures("own_logging")
@pytest.mark.parametrize("form", ["console", "json"])
def test_a_log_shows_escapes(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", form)
    text = f"a{ODD}b"
    structlog.get_logger("bot.test").info("told", bare=text, words=f"{text} c", deep=[{text: text}])
    logging.getLogger("slack_bolt.App").warning("of a library: %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger("bot.test").exception("failed")
    said = capsys.readouterr().err
    assert OBEYED.search(said) is None
    for shown in (MACHINES if form == "json" else PEOPLE).values():
        assert said.count(shown) >= 5
    if form == "json":
        first, second, third = (json.loads(line) for line in said.splitlines())
        assert (first["bare"], first["deep"]) == (text, [{text: text}])
        assert second["event"] == f"of a library: {text}"
        assert text in third["exception"]


@given(st.text())
def test_nothing_is_obeyed_and_nothing_lost(text: str) -> None:
    assert OBEYED.search(printable(text)) is None
    assert "\n" not in printable(text)
    assert json.loads(to_json({"a": text})) == {"a": text}
    plain: Any = "".join(c for c in text if not OBEYED.search(c) and c != "\n")
    assert printable(plain) == plain
