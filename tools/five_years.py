"""`python -m tools.five_years`: five years of twenty requests a day.

What grows is the audit trail, which is kept for ever, and a short line for each request, and
nothing else: the file of the first year's end is held against that of the fifth's.
"""

from __future__ import annotations

import itertools
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from bot.request.audit_chain import Entry, Running
from bot.request.model import Request, State
from bot.request.request_id import ALPHABET
from bot.store import audit_trail as audit
from bot.store.audit_trail import verify_trail
from bot.store.audit_witness import LINES, Telling, write_lines
from bot.store.database import Database
from bot.store.prune import prune
from bot.store.schema import inbox, messages, requests
from bot.store.sqlite import copy_file
from tests.support.world import FIRST, World
from tools.bench.worlds import folder

DAY_MS = 86_400_000
KEEP_MS = 180 * DAY_MS
YEARS, A_DAY = 5, 20
RESTART_DAYS = 60
BEGINNING_DAY = 365
"""What is kept for KEEP_FOR has come to its full size by then."""

MOST = 1.1
FILE = "the file, MB"
"""Alone may grow by more, with the trail."""


IDS = ("".join(letters) for letters in itertools.product(ALPHABET, repeat=4))


@dataclass
class Told:
    """The log: each record of the trail is told once, and nothing of it is held."""

    lines: int = 0

    def info(self, _event: str, *, number: int, hash: str) -> None:
        self.lines += 1
        assert number == self.lines


def main() -> None:
    with folder() as root, pytest.MonkeyPatch.context() as monkeypatch:
        told = Told()
        monkeypatch.setattr(audit, "log", told)
        beginning, end = five_years(root, told)
    for name, first in beginning.items():
        last = end[name]
        print(f"| {name} | {first:,.2f} | {last:,.2f} | {last / first:.2f} |")
        assert last <= first * MOST or name == FILE


def five_years(root: Path, told: Told) -> list[dict[str, float]]:
    """What the file was at the end of the first one and of the last."""
    url, year_ends = f"sqlite:///{root}/bot.db", []
    world, lines = started(url, None)
    for day in range(1, YEARS * 365 + 1):
        a_day(world)
        keep_up(world, lines)
        if day % RESTART_DAYS == 0:
            world, lines = started(url, world)
        if day in (BEGINNING_DAY, YEARS * 365):
            year_ends.append(year_end(root, day))
    world.db.close()
    with closing(Database(url)) as db:
        broken, head = verify_trail(db)
    assert broken is None
    assert head.count == told.lines > YEARS * 365 * A_DAY
    return year_ends


def started(url: str, before: World | None) -> tuple[World, Telling]:
    """A process that goes on where the one before it has stopped. The disk's own waits aside."""
    made = World(url)
    event.listen(made.db.engine, "connect", _without_waits)
    made.db.engine.dispose()
    if before is not None:
        before.db.close()
        made.ms, made._origins, made._ts = before.ms, before._origins, before._ts
    running = Running(version="1", mode="http", command="/vr-unpair", policy=made.policy)
    audit.note_start(made.db, running)
    return made, Telling(made.db, LINES, write_lines)


def keep_up(world: World, lines: Telling) -> None:
    """As `bot.worker.queue_threads` does."""
    while prune(world.db, KEEP_MS):
        pass
    lines.up_to_now(60.0)
    lines.keep()


def _without_waits(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def a_day(world: World) -> None:
    """One request is carried through by the real worker; the others of the day are its copies."""
    world.ms += DAY_MS
    request_id = f"ZZZZ-{next(IDS)}"
    world.appliance.present = True
    world.appliance.tasks.clear()
    world.posted.clear()
    world.ask(request_id)
    world.settle()
    world.click(request_id, "approve", FIRST)
    world.settle()
    world.appliance.end_task()
    world.wait(10_000)
    assert world.state(request_id) is State.SUCCEEDED
    copies(world, request_id)


def copies(world: World, request_id: str) -> None:
    with world.db.write() as conn:
        row = conn.execute(select(requests).where(requests.c.id == request_id)).mappings().one()
        events, sent = (
            conn.execute(select(table).where(table.c.request_id == request_id)).mappings().all()
            for table in (inbox, messages)
        )
        trail = [
            Entry.model_validate(record.model_dump(include=set(Entry.model_fields)))
            for record in audit.of_request(world.db, request_id)
        ]
        request = Request.model_validate_json(row["body"])
        for number in range(1, A_DAY):
            other = f"{ALPHABET[number] * 4}-{request_id[5:]}"
            body = request.model_copy(update={"id": other}).model_dump_json()
            conn.execute(insert(requests), {**row, "id": other, "body": body})
            for each in events:
                origin = f"{other}:{each['origin']}"
                copy = {**each, "request_id": other, "origin": origin}
                del copy["number"]
                conn.execute(insert(inbox), copy)
            conn.execute(insert(messages), [{**each, "request_id": other} for each in sent])
            audit.append(conn, other, trail)


def year_end(root: Path, day: int) -> dict[str, float]:
    """How large its file is then, without what only waits to be used again."""
    own = root / f"day-{day}.db"
    copy_file(root / "bot.db", own)
    with closing(Database(f"sqlite:///{own}")) as db, db.read() as conn:

        def one(sql: str) -> float:
            return float(conn.exec_driver_sql(sql).scalar_one() or 0)

        def pages(*tables: str) -> float:
            """Bytes of these and their indexes in the file."""
            names = f"SELECT name FROM sqlite_master WHERE tbl_name IN {(*tables, '')}"
            return one(f"SELECT sum(pgsize) FROM dbstat WHERE name IN ({names})")

        return {
            "events and messages, with their indexes, kB": (
                pages("inbox", "messages", "shared") / 1000
            ),
            "a request's row, with its indexes, bytes": (
                pages("requests") / one("SELECT count(*) FROM requests")
            ),
            FILE: own.stat().st_size / 1e6,
        }


if __name__ == "__main__":
    main()
