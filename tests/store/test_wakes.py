"""Who waits for work: woken once by what is stored, and no more after the end. And the limits of a
connection to PostgreSQL."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest
from sqlalchemy.engine import make_url

from bot.store.database import Database
from bot.store.outbox import Outbox
from bot.store.postgres import IDLE_MS, with_limits
from bot.store.queues import POST, Queue
from tests.support.postgres import PostgresServer

HEARD_WITHIN_SECONDS = 60.0
REST_SECONDS = 0.1


def test_a_wake_is_heard_once_by_a_poster_that_may_not_look(sqlite_db: Database) -> None:
    """While Slack is away nothing is claimed: each wake would else be heard again and again, and a
    core be burned until Slack is asked next."""
    outbox = Outbox(sqlite_db, 25_000)
    outbox.claim()
    sqlite_db.wakes.wake(POST)
    began = time.monotonic()
    outbox.wait(HEARD_WITHIN_SECONDS)
    assert time.monotonic() - began < HEARD_WITHIN_SECONDS / 2
    began = time.monotonic()
    outbox.wait(REST_SECONDS)
    assert time.monotonic() - began >= REST_SECONDS


def test_nobody_waits_after_the_end(sqlite_db: Database) -> None:
    """Nor a poster that has seen that it may go on, before the end, and then looks for messages."""
    outbox = Outbox(sqlite_db, 25_000)
    sqlite_db.wakes.end(Queue.ACT)
    outbox.end_waiting()
    began = time.monotonic()
    sqlite_db.wakes.wait(Queue.ACT, HEARD_WITHIN_SECONDS)
    outbox.wait_for_next(HEARD_WITHIN_SECONDS)
    assert time.monotonic() - began < HEARD_WITHIN_SECONDS / 2


def test_nobody_is_woken_before_an_answer_is_out(sqlite_db: Database) -> None:
    """By the thread that answers; what others store meanwhile is heard at once, and what an answer
    that fails has stored at its end."""
    wakes = sqlite_db.wakes
    with suppress(ZeroDivisionError), wakes.held():
        wakes.wake(Queue.CHECK, site="berlin")
        assert not wakes.wait(Queue.CHECK, 0)
        other = threading.Thread(target=lambda: wakes.wake(Queue.DECIDE))
        other.start()
        other.join()
        assert wakes.wait(Queue.DECIDE, 0)
        raise ZeroDivisionError
    assert not wakes.wait(Queue.CHECK, 0, ("berlin",))
    assert wakes.wait(Queue.CHECK, 0)
    wakes.wake(Queue.CHECK)
    assert wakes.wait(Queue.CHECK, 0)


def test_a_transaction_in_which_nothing_comes_is_ended(postgres_db: Database) -> None:
    """By the server, so that a frozen copy holds no lock for long."""
    with postgres_db.read() as conn:
        limit = conn.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one()
    assert limit == f"{IDLE_MS // 1000}s"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("?connect_timeout=30", {"connect_timeout": "30"}),
        ("?sslmode=require", {"sslmode": "require"}),
        ("?options=-c%20search_path%3Dunpair", {}),
    ],
)
def test_what_the_address_says_is_kept_beside_our_limits(said: str, kept: dict[str, str]) -> None:
    query = with_limits(make_url(f"postgresql+psycopg://bot@db.example.net/bot{said}")).query
    assert kept.items() <= query.items()
    assert query["tcp_user_timeout"] == "10000"
    options = str(query["options"])
    assert "statement_timeout" in options
    assert options.endswith(" -c search_path=unpair") is not bool(kept)


def test_a_commit_is_on_the_disk_whatever_the_server_says(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    copy = Database(url)
    with copy.write() as conn:
        name = conn.exec_driver_sql("SELECT current_database()").scalar_one()
        conn.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    copy.close()
    copy = Database(url)
    with copy.write() as conn:
        assert conn.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    copy.close()
