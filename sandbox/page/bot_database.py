"""The bot's requests and audit trail, for the board beside the page.

Read from its SQLite file, read-only: the board looks four times a second, and `vr-unpair show` as a
process would take a third of one. It is the one place of the sandbox that knows the bot's tables.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

Row = dict[str, Any]

_REQUESTS = "SELECT * FROM requests ORDER BY created_at DESC, id DESC LIMIT ?"
_RECORDS = "SELECT * FROM audit WHERE request_id = ? ORDER BY number"


def trail_length(file: Path) -> int:
    """How many records there are: every change of state leaves one."""
    with closing(_open(file)) as database:
        return int(database.execute("SELECT count FROM audit_head").fetchone()["count"])


def newest_requests(file: Path, most: int) -> Iterator[tuple[Row, list[Row]]]:
    """Requests with their audit records, the newest request first. Times are ms."""
    with closing(_open(file)) as database:
        for row in database.execute(_REQUESTS, (most,)).fetchall():
            body = json.loads(row["body"])
            request = {
                **{name: row[name] for name in ("id", "state", "pairing_id", "requester")},
                "created_at": row["created_at"],
                "pairing": _title(body.get("snapshot")),
                **{name: body[name] for name in ("asked", "force")},
            }
            yield request, [dict(one) for one in database.execute(_RECORDS, (row["id"],))]


def _title(pairing: Row | None) -> str:
    if pairing is None:
        return ""
    ends = (pairing["local_vc"], pairing["remote_vc"])
    return " → ".join(end.get("name") or end.get("id") or "unnamed" for end in ends)


def _open(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    return database
