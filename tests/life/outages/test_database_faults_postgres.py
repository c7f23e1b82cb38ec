"""The server at fault, or no connection to either database free: a sentence, never with a password,
and on by itself."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from bot.request.model import State
from bot.store import postgres as of_server
from bot.store import sqlite
from bot.store.database import Database
from bot.store.faults import StoreError
from bot.store.migrate import ready_problem
from tests.support.postgres import PostgresServer
from tests.support.world import FIRST, World

REQUEST = "AAAA-BBBB"


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_pool_that_ran_dry(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for module in (sqlite, of_server):
        monkeypatch.setattr(module, "CONNECTIONS", 1)
        monkeypatch.setattr(module, "POOL_SECONDS", 0.05)
    file = f"sqlite:///{tmp_path}/small.db"
    world = World(file if kind == "sqlite" else postgres.new_database())
    world.pending()
    with ExitStack() as held:
        overflow = world.db.engine.pool._max_overflow  # type: ignore[attr-defined]
        for _ in range(1 + overflow):
            held.enter_context(world.db.read())
        assert (ready_problem(world.db) or "").startswith("All connections of the bot to ")
        with pytest.raises(StoreError):
            world.click(REQUEST, "approve", FIRST)
    assert ready_problem(world.db) is None
    world.click(REQUEST, "approve", FIRST)
    world.settle()
    assert world.state() is State.FOLLOWING
    world.close()


def test_a_server_that_takes_reads_only(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    world = World(url)
    world.pending()

    def reads_only(on: bool) -> None:
        name = make_url(url).database
        with world.db.engine.connect() as conn:
            conn.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
            conn.commit()
            conn.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = {on}")
            conn.commit()
        world.db.engine.dispose()

    reads_only(True)
    assert "may only be read" in (ready_problem(world.db) or "")
    with pytest.raises(StoreError):
        world.click(REQUEST, "approve", FIRST)
    reads_only(False)
    assert ready_problem(world.db) is None
    assert world.state() is State.PENDING
    world.close()


def test_nobody_listens_and_no_such_database(postgres: PostgresServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    away = f"postgresql+psycopg://me:hunter2@127.0.0.1:{port}/bot"
    missing = make_url(postgres.new_database()).set(database="nowhere")
    found = [
        (away, "gives no answer, or no connection"),
        (missing.render_as_string(hide_password=False), '"nowhere" does not exist'),
    ]
    for url, what in found:
        db = Database(url)
        said = ready_problem(db) or ""
        assert what in said
        assert "hunter2" not in said
        db.close()
