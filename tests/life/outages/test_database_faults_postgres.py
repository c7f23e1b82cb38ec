"""PostgreSQL at fault: one sentence for each, never with a password, and on by itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from structlog.testing import capture_logs

from bot.request.model import State
from bot.store import faults, postgres
from bot.store.database import Database
from bot.store.faults import fault_of
from bot.store.migrate import ready_problem
from tests.support.postgres import PostgresServer
from tests.support.world import FIRST, World

REQUEST = "AAAA-BBBB"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    started = PostgresServer().start()
    yield started
    started.stop()


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[MutableMapping[str, Any]]]:
    monkeypatch.setattr(faults, "QUIET_SECONDS", 0.0)
    with capture_logs() as events:
        yield events


def named(logged: list[MutableMapping[str, Any]], name: str) -> list[MutableMapping[str, Any]]:
    return [event for event in logged if event["event"] == name]


def test_a_pool_that_ran_dry(
    server: PostgresServer,
    logged: list[MutableMapping[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "CONNECTIONS", 1)
    monkeypatch.setattr(postgres, "POOL_SECONDS", 0.05)
    world = World(server.new_database())
    world.pending()
    with ExitStack() as held:
        overflow = world.db.engine.pool._max_overflow  # type: ignore[attr-defined]
        for _ in range(1 + overflow):
            held.enter_context(world.db.read())
        for _ in range(2):
            said = ready_problem(world.db) or ""
            assert said.startswith("All connections of the bot to the database ")
            assert said.endswith("the bot goes on by itself then.")
        with pytest.raises(SQLAlchemyError):
            world.click(REQUEST, "approve", FIRST)
    assert ready_problem(world.db) is None
    assert len(named(logged, "database_fault")) == len(named(logged, "database_back")) == 1
    world.click(REQUEST, "approve", FIRST)
    world.settle()
    assert world.state() is State.FOLLOWING
    world.close()


def test_a_server_that_takes_reads_only(
    server: PostgresServer, logged: list[MutableMapping[str, Any]]
) -> None:
    url = server.new_database()
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
    assert "may only be read. Name the server that takes writes" in (ready_problem(world.db) or "")
    with pytest.raises(SQLAlchemyError):
        world.click(REQUEST, "approve", FIRST)
    reads_only(False)
    assert ready_problem(world.db) is None
    assert world.state() is State.PENDING
    world.close()


def test_nobody_listens_and_no_such_database(server: PostgresServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    away = f"postgresql+psycopg://me:hunter2@127.0.0.1:{port}/bot"
    missing = make_url(server.new_database()).set(database="nowhere")
    found = [
        (away, "gives no answer, or no connection"),
        (missing.render_as_string(hide_password=False), '"nowhere" does not exist'),
    ]
    for url, what in found:
        db = Database(url)
        with pytest.raises(SQLAlchemyError) as caught:
            db.clock()
        fault = fault_of(caught.value, make_url(url))
        assert fault is not None
        for said in (fault.running(), fault.at_start()):
            assert what in said
            assert "See whether it is up" in said
            assert "hunter2" not in said
        db.close()
