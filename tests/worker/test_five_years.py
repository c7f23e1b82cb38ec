"""Five years of twenty requests a day: what grows is the audit trail and a short line for each
request, and nothing else."""

from __future__ import annotations

import gc
import itertools
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from bot.request.audit import Entry
from bot.request.model import ALPHABET, Request, State
from bot.store import audit
from bot.store.database import Database
from bot.store.migrate import upgrade
from bot.store.prune import prune
from bot.store.queries import figures
from bot.store.schema import inbox, messages, requests
from tests.worker.world import FIRST, World

DAY_MS = 86_400_000
KEEP_MS = 180 * DAY_MS
YEARS, A_DAY = 5, 20
RESTART_DAYS = 60
BEGINNING_DAY = 365
"""What is kept for KEEP_FOR has come to its full size by then."""

IDS = ("".join(letters) for letters in itertools.product(ALPHABET, repeat=4))


@dataclass(frozen=True)
class Measures:
    """`working`: bytes of all that serves the bot alone; `line`: of one request."""

    working: int
    line: float
    free_pages: int
    start_s: float
    memory: int


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_at_their_end_it_is_as_large_and_as_quick_as_at_their_beginning(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    world = started(url, None)
    beginning = None
    for day in range(1, YEARS * 365 + 1):
        a_day(world)
        while prune(world.db, KEEP_MS):
            pass
        if day % RESTART_DAYS == 0:
            world = started(url, world)
        if day == BEGINNING_DAY:
            beginning = measured(world, url)
    end = measured(world, url)
    world.db.close()
    assert beginning is not None
    print(beginning, end, sep="\n")
    assert audited(url) is None
    assert end.working <= beginning.working * 1.1
    assert end.line <= beginning.line * 1.1
    assert end.free_pages == 0
    assert end.start_s <= beginning.start_s * 1.1
    assert end.memory <= beginning.memory * 1.1


def started(url: str, before: World | None) -> World:
    """A process that goes on where the one before it has stopped. The disk's own waits aside."""
    made = World(url)
    event.listen(made.db.engine, "connect", _without_waits)
    made.db.engine.dispose()
    if before is not None:
        before.db.close()
        made.ms, made._origins, made._ts = before.ms, before._origins, before._ts
    return made


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
        events = conn.execute(select(inbox).where(inbox.c.request_id == request_id)).mappings()
        sent = conn.execute(select(messages).where(messages.c.request_id == request_id)).mappings()
        events, sent = events.all(), sent.all()
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


def measured(world: World, url: str) -> Measures:
    with world.db.read() as conn:

        def one(sql: str) -> float:
            return float(conn.exec_driver_sql(sql).scalar_one() or 0)

        working = sum(
            one(f"SELECT sum(length(coalesce({column.name}, ''))) FROM {table}")
            for table, columns in (("inbox", inbox.c), ("messages", messages.c))
            for column in columns
        )
        line = one("SELECT avg(length(body)) FROM requests")
        free = int(one("PRAGMA freelist_count"))
    start_s = min(a_start(url, world.ms) for _ in range(5))
    gc.collect()
    tracemalloc.start()
    a_start(url, world.ms)
    _, memory = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Measures(int(working), line, free, start_s, memory)


def a_start(url: str, now: int) -> float:
    """Processor seconds until the database is checked and all that a scrape asks is answered."""
    began = time.process_time()
    db = Database(url, now=lambda: now)
    upgrade(db)
    figures(db, [])
    db.close()
    return time.process_time() - began


def audited(url: str) -> int | None:
    db = Database(url)
    broken, head = audit.check(db)
    db.close()
    assert head.count > YEARS * 365 * A_DAY
    return broken
