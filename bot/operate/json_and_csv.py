"""Requests and audit records as JSON and CSV, and any text so that a terminal obeys nothing of it.

What people or the appliance wrote goes out through `printable` or `to_json`: nothing in it can move
a terminal's cursor, change a line's direction, or begin a line of its own.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from bot.request.audit_chain import Record
from bot.request.model import Request

_ODD = (
    "\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ud800-\udfff\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""DEL, C1, what changes the direction of text, line and paragraph separators, lone surrogates, and
what no terminal shows: zero widths, fillers, tags."""

_IN_TEXT = re.compile(f"[\x00-\x1f{_ODD}]")
_IN_JSON = re.compile(f"[{_ODD}]")  # `json` escapes the others itself, and ends lines where asked

AUDIT_COLUMNS = (*Record.model_fields, "time")


def printable(text: str) -> str:
    """One line of the text, with each character that a terminal would obey as its escape, such as
    `\\x1b`."""
    return _IN_TEXT.sub(lambda match: repr(match[0])[1:-1], text)


def to_json(value: Any, **options: Any) -> str:
    """JSON in which such characters are escaped too. `options` are those of `json.dumps`."""
    text = json.dumps(value, **{"ensure_ascii": False, **options})
    return _IN_JSON.sub(lambda match: json.dumps(match[0])[1:-1], text)


def iso(ms: int | None) -> str | None:
    """ms epoch as ISO 8601 in UTC, with milliseconds. None also for a number outside the calendar,
    which somebody may have written into the trail by hand."""
    if ms is None:
        return None
    try:
        text = datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return None
    return text.replace("+00:00", "Z")


def as_json(request: Request) -> dict[str, Any]:
    """One request as the contract's JSON object. It holds no secrets."""
    outcome = request.correction or request.outcome
    return {
        "id": request.id,
        "state": request.state.value,
        "site": request.site,
        "pairing_id": request.pairing_id,
        "pairing": request.title,
        "asked": request.asked,
        "force": request.force,
        "dry_run": request.terms.dry_run,
        "requester": request.requester,
        "channel": request.channel,
        "reason": request.reason,
        "replications": request.snapshot.count if request.snapshot else None,
        "approvals_required": request.approvals_required,
        "approvals_missing": request.missing,
        "approvals": [d.by for d in request.approvals],
        "denied_by": request.denial.by if request.denial else None,
        "denial_reason": request.denial.reason if request.denial else None,
        "break_glass_by": request.glass.by if request.glass else None,
        "break_glass_reason": request.glass.reason if request.glass else None,
        "cancelled_by": request.cancellation.by if request.cancellation else None,
        "deletes_sent": request.deletes_sent,
        "deletes_accepted": request.deletes_accepted,
        "settled_by": request.settled.by if request.settled else None,
        "settled_at": iso(request.settled.at) if request.settled else None,
        "settled_words": request.settled.reason if request.settled else None,
        "task": request.task.model_dump() if request.task else None,
        "outcome": outcome.model_dump(exclude_none=True) if outcome else None,
        "created_at": iso(request.created_at),
        "updated_at": iso(request.updated_at),
        "decide_by": iso(request.decide_by),
        "execute_by": iso(request.execute_by),
        "ended_at": iso(request.ended_at),
        "scheduled_at": iso(request.scheduled_at),
    }


def record_json(record: Record) -> dict[str, Any]:
    """One audit record. `at` stays in ms, since that is what was hashed; `time` is the same for
    people."""
    return {**record.model_dump(), "time": iso(record.at)}


def audit_lines(records: Iterable[Record], form: str) -> Iterator[str]:
    """The lines of a JSON lines file, or of a CSV file with a header; without line ends."""
    if form == "jsonl":
        for record in records:
            yield to_json(record_json(record))
        return
    yield _csv_line(AUDIT_COLUMNS)
    for record in records:
        columns = record_json(record)
        detail = to_json(columns.pop("detail"), sort_keys=True)
        # Within its strings, so that it stays JSON that reads the same.
        columns = {name: _harmless(value) for name, value in columns.items()}
        columns["detail"] = _JSON_TEXT.sub(lambda text: _FORMULA.sub(_escaped, text[0]), detail)
        yield _csv_line(columns[name] for name in AUDIT_COLUMNS)


def read_export(lines: Iterable[str]) -> Iterator[Record]:
    """The records of an export, in either form. One whose `time` is not that of its `at` comes with
    another hash. Raises ValueError, with a sentence, at a line that is none."""
    lines = iter(lines)
    first = next(lines, "")
    together = itertools.chain([first], lines)
    rows: Iterable[Any] = csv.DictReader(together) if _is_header(first) else together
    csv.field_size_limit(2**31 - 1)  # a detail has no limit
    for at, row in enumerate(rows, 1):
        try:
            columns = _from_csv(row) if isinstance(row, dict) else json.loads(row)
            time = columns.pop("time")
            record = Record.model_validate(columns, strict=True)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ValueError(
                f"Record {at} of the export is not one: was its file changed?"
            ) from None
        same = time == iso(record.at)
        yield record if same else record.model_copy(update={"hash": "of another time"})


def _is_header(line: str) -> bool:
    return line.rstrip("\r\n") == _csv_line(AUDIT_COLUMNS)


def _from_csv(row: dict[str, str]) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: _HARMLESS.sub(r"\1\2", value) or (None if name in _MAY_BE_NONE else "")
        for name, value in row.items()
    }
    numbers = {name: int(columns[name]) for name in ("number", "at")}
    return {
        **columns,
        **numbers,
        "detail": json.loads(row["detail"]),
        "time": columns["time"] or None,
    }


def _csv_line(values: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()


_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_FORMULA = re.compile(r"""((?:^|[,;|\t\r\n"])[\s"']*)([=+\-@\uff1d\uff0b\uff0d\uff20])""")
"""What a spreadsheet would run, by the character that begins it. Anybody can write a reason. A cell
may begin behind any character that separates cells somewhere: with `;` for that, as in much of
Europe, a spreadsheet does not see the quotes around a cell."""


_HARMLESS = re.compile(_FORMULA.pattern.replace("([=", "'([="))
"""The same as `_harmless` leaves it."""

_MAY_BE_NONE = frozenset(
    name for name, field in Record.model_fields.items() if field.annotation == str | None
)


def _escaped(formula: re.Match[str]) -> str:
    return f"{formula[1]}\\u{ord(formula[2]):04x}"


def _harmless(value: Any) -> Any:
    return _FORMULA.sub(r"\1'\2", printable(value)) if isinstance(value, str) else value
