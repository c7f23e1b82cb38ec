"""Whatever people or the appliance wrote, a terminal and a log show it and obey nothing of it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import Result

from bot.operate import logs
from bot.operate.json_and_csv import printable, to_json
from bot.store.database import Database
from tests.store.samples import born, entry

ODD = {
    "\x1b": ("\\x1b", "\\u001b"),
    "\x07": ("\\x07", "\\u0007"),
    "\x00": ("\\x00", "\\u0000"),
    "\r": ("\\r", "\\r"),
    "\x7f": ("\\x7f", "\\u007f"),
    "\x85": ("\\x85", "\\u0085"),
    "\x9b": ("\\x9b", "\\u009b"),
    "\u202e": ("\\u202e", "\\u202e"),
    "\u2066": ("\\u2066", "\\u2066"),
    "\u200f": ("\\u200f", "\\u200f"),
    "\u061c": ("\\u061c", "\\u061c"),
    "\u2028": ("\\u2028", "\\u2028"),
}
"""Each with what people read instead, and how JSON writes it."""

OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
REASON = f"a{''.join(ODD)}[31m b [red]markup[/red] :warning: größer 👩‍💻"

Run = Callable[..., Result]


@pytest.fixture
def asked(db: Database) -> str:
    return born(db, 2, reason=REASON, asked=REASON).id


@pytest.fixture
def _trail(db: Database, asked: str) -> None:
    from bot.store import audit_trail as audit

    with db.write() as conn:
        audit.append(conn, asked, [entry(REASON).model_copy(update={"detail": {REASON: REASON}})])


@pytest.mark.usefixtures("_trail")
@pytest.mark.parametrize(
    "words", [("requests",), ("show", "ID"), ("audit", "export", "--format", "csv")]
)
def test_people_see_escapes(asked: str, run: Run, words: tuple[str, ...]) -> None:
    said = run(*(asked if word == "ID" else word for word in words)).stdout
    assert OBEYED.search(said) is None
    for shown, _ in ODD.values():
        assert shown in said
    assert "[31m b [red]markup[/red] :warning: größer 👩‍💻" in said


@pytest.mark.usefixtures("_trail")
@pytest.mark.parametrize("words", [("requests", "--json"), ("show", "ID", "--json")])
def test_machines_get_the_text_itself(asked: str, run: Run, words: tuple[str, ...]) -> None:
    said = run(*(asked if word == "ID" else word for word in words)).stdout
    assert OBEYED.search(said) is None
    for _, written in ODD.values():
        assert written in said
    document = json.loads(said)
    request = document[0] if isinstance(document, list) else document
    assert request["reason"] == REASON


@pytest.mark.usefixtures("_trail")
def test_an_export_is_still_what_was_hashed(run: Run) -> None:
    said = run("audit", "export").stdout
    assert OBEYED.search(said) is None
    last = [json.loads(line) for line in said.splitlines()][-1]
    assert (last["action"], last["detail"]) == (REASON, {REASON: REASON})


@pytest.fixture
def _logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**config)


@pytest.mark.usefixtures("_logging")
@pytest.mark.parametrize("form", ["console", "json"])
@pytest.mark.parametrize("odd", ODD, ids=[shown for shown, _ in ODD.values()])
def test_a_log_shows_escapes(form: str, odd: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", form)
    text = f"a{odd}b"
    structlog.get_logger("bot.test").info("told", bare=text, words=f"{text} c", deep=[{text: text}])
    logging.getLogger("slack_bolt.App").warning("of a library: %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger("bot.test").exception("failed")
    said = capsys.readouterr().err
    assert OBEYED.search(said) is None
    assert said.count(ODD[odd][form == "json"]) >= 5
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
