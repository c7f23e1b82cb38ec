"""A store with a long history: one whole story of the real bot, copied row by row, twenty times for
each day.

Every row that belongs to the story is copied, under an id and a pairing of its own: the request,
its events, its messages, its records of the audit trail. All were done to their end. Those that
ended before KEEP_FOR are as the bot has left them then (`bot.store.prune`): a short row, and the
records. The hashes of the copied records are random: nobody verifies them here.
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

from sqlalchemy import Table

from bot.request.model import Request
from bot.request.request_id import new_request_id
from bot.store.audit_witness import LINES as AUDIT_LINES
from bot.store.schema import audit, inbox, messages, requests
from tools.bench.worlds import Stored, quick_world

MINUTES_BETWEEN = 72
KEPT = 180 * 24 * 60 // MINUTES_BETWEEN
"""So many are younger than KEEP_FOR, which is 180 days by default."""
FILE = "vr-unpair.db"
"""As the bot names it in its folder."""

_AGO = f"copies.before * {MINUTES_BETWEEN * 60_000}"
_HASH = "lower(hex(randomblob(32)))"
_LAST = "SELECT count FROM audit_head"
# Built in memory and written once: an index in the order of random ids would be read and written
# page by page.
_QUICK = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000")


def url(folder: Path) -> str:
    """For `DATABASE_URL`."""
    return f"sqlite:///{folder / FILE}"


def make(folder: Path, ended: int) -> None:
    """So many ended requests, in the file that a bot in `folder` opens; 0 is an empty store."""
    _start_a_bot(folder, with_a_story=ended > 0)
    if ended < 2:
        return
    with closing(sqlite3.connect(folder / FILE)) as connection:
        for pragma in _QUICK:
            connection.execute(f"PRAGMA {pragma}")
        with connection:
            _copy_the_story(connection, ended - 1)
        connection.execute("PRAGMA journal_mode=WAL")


def _start_a_bot(folder: Path, *, with_a_story: bool) -> None:
    with quick_world() as world, world.bot(folder) as bot:
        if not with_a_story:
            return  # its start has made the database
        world.slack.request_url = f"{bot.url}/slack/events"
        world.play(world.ask())
        Stored.in_file(folder).wait_until_done()


def _copy_the_story(connection: sqlite3.Connection, times: int) -> None:
    connection.execute("CREATE TEMP TABLE copies (number INTEGER PRIMARY KEY, before, id, pairing)")
    ids: set[str] = set()
    while len(ids) < times:  # among so many, two of the same are not that rare
        ids.add(new_request_id())
    connection.executemany(
        "INSERT INTO copies VALUES (?, ?, ?, ?)",
        ((n, times + 1 - n, id_, str(uuid.uuid4())) for n, id_ in enumerate(ids, 1)),
    )
    story, whole = connection.execute("SELECT id, body FROM requests").fetchone()
    request = Request.model_validate_json(whole)
    pruned = request.pruned(request.updated_at).model_dump_json()
    connection.execute("CREATE TEMP TABLE short AS SELECT ? AS body", (pruned,))
    # A local Slack that starts anew numbers as this one did: without this, its first command would
    # be taken for the story's, which Slack repeats.
    connection.execute("UPDATE inbox SET origin = origin || ' of the story '")
    body = f"iif(copies.before > {KEPT}, (SELECT body FROM short), row.body)"
    body += ", '$.id', copies.id, '$.pairing_id', copies.pairing"
    for name in ("created_at", "updated_at", "ended_at"):
        body += f", '$.{name}', json_extract(row.body, '$.{name}') - {_AGO}"
    _copy(
        connection, requests, f"row.id = '{story}'", times,
        id="copies.id", pairing_id="copies.pairing", body=f"json_set({body})",
        **_ago("created_at", "updated_at", "execute_by"),
    )  # fmt: skip
    of_story = f"row.request_id = '{story}'"
    _copy(
        connection, inbox, of_story, KEPT,
        number="NULL", request_id="copies.id", origin="row.origin || copies.number",
        body=f"replace(row.body, '{story}', copies.id)", **_ago("at", "absorbed_at"),
    )  # fmt: skip
    _copy(
        connection, messages, of_story, KEPT,
        request_id="copies.id", **_ago("not_before", "created_at"),
    )  # fmt: skip
    _copy(
        connection, audit, of_story, times,
        number=f"({_LAST}) + row_number() OVER (ORDER BY copies.number, row.number)",
        request_id="copies.id", previous=_HASH, hash=_HASH, **_ago("at"),
    )  # fmt: skip
    last = "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1"
    connection.execute(f"UPDATE audit_head SET (count, hash) = ({last})")
    # Whoever starts on it would else write a million lines to its log first.
    told = connection.execute(f"UPDATE shared SET value = ({_LAST}) WHERE key = '{AUDIT_LINES}'")
    if told.rowcount != 1:
        raise RuntimeError("the bot of the story has not stored how far its lines are")


def _ago(*columns: str) -> dict[str, str]:
    return {name: f"row.{name} - {_AGO}" for name in columns}


def _copy(
    connection: sqlite3.Connection, table: Table, where: str, newest: int, **new: str
) -> None:
    """The story's rows of one table once for each of the newest copies, with what is `new` in
    them."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join(new.get(c.name, f'row."{c.name}"') for c in table.columns)
    connection.execute(
        # CROSS JOIN goes through the copies as they are numbered: history in the order of its time.
        f"INSERT INTO {table.name} ({names}) SELECT {values} "
        f"FROM copies CROSS JOIN (SELECT * FROM {table.name} AS row WHERE {where}) AS row "
        f"WHERE copies.before <= {newest}"
    )
