"""`python -m tools.five_years`: five years of twenty requests a day.

What grows is the audit trail, which is kept for ever, and a short line for each request, and
nothing else: not what a start takes, nor what a bot at rest does.

A process is measured on the file of the first year's end and on that of the fifth's, with the
clock of that day. Both run side by side, since the machine is never twice the same. Their times are
those of the processor, and the least of all rounds is compared: what else runs on a machine only
adds (the medians of two processes on the same file were 6 % apart, the least ones 1 %).
"""

from __future__ import annotations

import itertools
import shutil
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from bot.request.audit_chain import Entry, Running
from bot.request.model import ALPHABET, Request, State
from bot.sandbox import demo
from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.slack import LocalSlack
from bot.store import audit_trail as audit
from bot.store import migrate, schema
from bot.store.audit_trail import AuditLines, verify_trail
from bot.store.database import Database, wall_clock_ms
from bot.store.prune import prune
from bot.store.schema import inbox, messages, requests
from bot.store.sqlite import copy_file
from tests.support.bot_with_clock import CLOCK
from tests.support.world import FIRST, World
from tools.bench.processes import ENVIRONMENT, resident_mb, seconds_to_ready, wait_until_idle
from tools.bench.worlds import folder

DAY_MS = 86_400_000
KEEP_MS = 180 * DAY_MS
YEARS, A_DAY = 5, 20
RESTART_DAYS = 60
UPGRADE_DAY = 200
"""Of each year."""

BEGINNING_DAY = 365
"""What is kept for KEEP_FOR has come to its full size by then."""

ROUNDS = 8
REST_SECONDS = 10.0
"""In each round, with both at rest: a multiple of the times after which threads look by themselves
(`bot.store.queues.nets`)."""

MOST = 1.1

IDS = ("".join(letters) for letters in itertools.product(ALPHABET, repeat=4))

MIGRATION = """
from alembic import op
from sqlalchemy import Column, Text

revision, down_revision = "{revision}", "{before}"


def upgrade() -> None:
    op.execute("ALTER TABLE requests ADD COLUMN of_year_{year} TEXT")
    # The whole table is written anew, and its old pages are given back.
    with op.batch_alter_table("messages", recreate="always") as table:
        table.add_column(Column("of_year_{year}", Text))
"""


@dataclass
class Told:
    """The log: each record of the trail is told once, and nothing of it is held."""

    lines: int = 0

    def info(self, _event: str, *, number: int, hash: str) -> None:
        self.lines += 1
        assert number == self.lines


def main() -> None:
    """At their end it is as large and as quick as at their beginning."""
    with folder() as root, pytest.MonkeyPatch.context() as monkeypatch:
        five_years(root, monkeypatch)


def five_years(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, told = f"sqlite:///{tmp_path}/bot.db", Told()
    monkeypatch.setattr(audit, "log", told)
    year_ends = {}
    world, lines = started(url, None)
    for day in range(1, YEARS * 365 + 1):
        a_day(world)
        keep_up(world, lines)
        upgrades = day % 365 == UPGRADE_DAY
        if upgrades:
            add_migration(tmp_path, day // 365 + 1, monkeypatch)
        if upgrades or day % RESTART_DAYS == 0:
            world, lines = started(url, world)
        if day in (BEGINNING_DAY, YEARS * 365):
            year_ends[day] = year_end(tmp_path, day, world.ms)
    world.db.close()
    assert audited(url) == told.lines
    monkeypatch.undo()
    beginning, end = year_ends.values()
    measured(beginning, end)
    rows = [
        ("events and messages, with their indexes, kB", beginning.working, end.working),
        ("a request's row, with its indexes, bytes", beginning.line, end.line),
        ("start to /readyz, ms of a processor", min(beginning.start_ms), min(end.start_ms)),
        ("resident memory, MB", median(beginning.memory_mb), median(end.memory_mb)),
        ("at rest, ms of a processor in a second", min(beginning.idle), min(end.idle)),
    ]
    for name, first, last in rows:
        print(f"| {name} | {first:,.2f} | {last:,.2f} | {last / first:.2f} |")
    print([f"{each.file_mb:.0f} MB" for each in (beginning, end)], beginning, end, sep="\n")
    assert [name for name, first, last in rows if last > first * MOST] == []


@dataclass
class YearEnd:
    """A file as it was then, and what a process on it has taken, round by round."""

    folder: Path
    ms: int
    working: float
    line: float
    file_mb: float
    start_ms: list[float]
    memory_mb: list[float]
    idle: list[float]


# ---- five years ----------------------------------------------------------------------------------


def started(url: str, before: World | None) -> tuple[World, AuditLines]:
    """A process that goes on where the one before it has stopped. The disk's own waits aside."""
    made = World(url)
    event.listen(made.db.engine, "connect", _without_waits)
    made.db.engine.dispose()
    if before is not None:
        before.db.close()
        made.ms, made._origins, made._ts = before.ms, before._origins, before._ts
    running = Running(version="1", mode="http", command="/vr-unpair", policy=made.policy)
    audit.note_start(made.db, running)
    return made, AuditLines(made.db)


def keep_up(world: World, lines: AuditLines) -> None:
    """As `bot.worker.queue_threads` does."""
    while prune(world.db, KEEP_MS):
        pass
    lines.write()
    lines.keep()


def _without_waits(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def add_migration(tmp_path: Path, year: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next start upgrades the schema, as that of a newer version does."""
    folder = tmp_path / "migrations"
    if year == 1:
        shutil.copytree(Path(migrate.__file__).parent / "migrations", folder)
        monkeypatch.setattr(migrate, "__file__", str(tmp_path / "migrate.py"))
    before, revision = schema.REVISION, f"{int(schema.REVISION) + 1:04}"
    code = MIGRATION.format(revision=revision, before=before, year=year)
    (folder / "versions" / f"{revision}_year.py").write_text(code)
    monkeypatch.setattr(schema, "REVISION", revision)


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


def year_end(tmp_path: Path, day: int, now: int) -> YearEnd:
    own = tmp_path / f"day-{day}"
    own.mkdir()
    copy_file(tmp_path / "bot.db", own / "bot.db")
    with closing(Database(f"sqlite:///{own}/bot.db")) as db, db.read() as conn:

        def one(sql: str) -> float:
            return float(conn.exec_driver_sql(sql).scalar_one() or 0)

        def pages(*tables: str) -> float:
            """Bytes of these and their indexes in the file."""
            names = f"SELECT name FROM sqlite_master WHERE tbl_name IN {(*tables, '')}"
            return one(f"SELECT sum(pgsize) FROM dbstat WHERE name IN ({names})")

        working, lines = pages("inbox", "messages", "shared") / 1000, pages("requests")
        count = one("SELECT count(*) FROM requests")
    size = (own / "bot.db").stat().st_size / 1e6
    return YearEnd(own, now, working, lines / count, size, [], [], [])


def audited(url: str) -> int:
    """How many records there are, all of them whole."""
    with closing(Database(url)) as db:
        broken, head = verify_trail(db)
    assert broken is None
    assert head.count > YEARS * 365 * A_DAY
    return head.count


# ---- processes -----------------------------------------------------------------------------------


class BotOfThen(BotProcess):
    module = "tests.support.bot_with_clock"


def measured(*files: YearEnd) -> None:
    """In each round one after the other starts, then both rest; who is first changes."""
    with SimulatedAppliance() as appliance, LocalSlack() as slack:
        slack.add_person("Alan", id=FIRST)
        settings = {**ENVIRONMENT, **demo.settings(appliance, slack, FIRST)}
        for number in range(-1, ROUNDS):
            bots = {}
            try:
                for each in files[:: -1 if number % 2 else 1]:
                    (each.folder / CLOCK).write_text(str(each.ms - wall_clock_ms()))
                    own = {**settings, "DATABASE_URL": f"sqlite:///{each.folder}/bot.db"}
                    bot = BotOfThen(own, each.folder)
                    seconds_to_ready(bot)
                    bots[bot.pid] = each, bot
                    if number >= 0:  # the first round reads the files
                        each.start_ms.append(processor_ms(bot.pid))
                    wait_until_idle(bot.pid)
                if number >= 0:
                    rest(bots)
            finally:
                for _, bot in bots.values():
                    assert bot.stop() == 0


def rest(bots: dict[int, tuple[YearEnd, BotProcess]]) -> None:
    time.sleep(1)  # for the check of a start, which waits for others
    for pid in bots:
        wait_until_idle(pid)
    before = {pid: processor_ms(pid) for pid in bots}
    time.sleep(REST_SECONDS)
    for pid, (each, _) in bots.items():
        each.idle.append((processor_ms(pid) - before[pid]) / REST_SECONDS)
        each.memory_mb.append(resident_mb(pid))


def processor_ms(pid: int) -> float:
    """Of all its threads so far: the kernel's clock of that process, since /proc counts in steps of
    10 ms."""
    return time.clock_gettime(~pid << 3 | 2) * 1000


if __name__ == "__main__":
    main()
