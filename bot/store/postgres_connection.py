"""Connections to PostgreSQL on which nobody waits for ever, neither here nor in the server."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import URL

T = TypeVar("T")

CONNECT_SECONDS = 5
"""libpq takes whole seconds, and per address."""

STATEMENT_MS = 8_000
"""The server ends a statement then. Ours take milliseconds; what takes longer waits for a lock, and
whoever holds it has `IDLE_MS`."""

IDLE_MS = 4_000
"""The server ends a transaction then in which nothing comes. A copy that is frozen, or whose
machine is gone, would otherwise hold the head of the audit trail, and with it every other copy, for
hours (PostgreSQL docs, idle_in_transaction_session_timeout)."""

PATIENCE_SECONDS = 10.0
"""We give up a connection then that says nothing. Above `STATEMENT_MS`, so that the server's own
word comes first. TCP alone does not notice a proxy or a firewall that swallows everything, and
libpq has no limit of its own for reading an answer."""

KEPT_ALIVE = {
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""For connections that only listen, or lie in the pool: a machine that is gone is noticed in eleven
seconds (libpq docs, keepalives; the system's own default is two hours)."""


DURABLE = "-c synchronous_commit=on"
"""Whatever the server's own default is: a commit that a crash takes back may be the intent of a
DELETE that went out. With a synchronous standby this waits for it too (PostgreSQL docs)."""


class PatientConnection(psycopg.Connection[Any]):
    """Gives a statement `patience` seconds; then the connection is closed, since nobody knows what
    became of the statement, and OperationalError is raised."""

    patience = PATIENCE_SECONDS

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        began = time.monotonic()
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.OperationalError as error:
            if time.monotonic() - began < self.patience:
                raise
            self.pgconn.finish()
            seconds = f"{self.patience:g} s"
            raise psycopg.OperationalError(f"no answer from the server in {seconds}") from error


def with_limits(url: URL) -> URL:
    """The address with what we ask of each connection; whatever it says itself comes first."""
    own = {"connect_timeout": str(CONNECT_SECONDS), **KEPT_ALIVE}
    limits = f"-c statement_timeout={STATEMENT_MS} -c idle_in_transaction_session_timeout={IDLE_MS}"
    said = url.query.get("options", "")
    ours = [DURABLE, limits]
    options = {"options": " ".join([*ours, *([said] if isinstance(said, str) else said)]).strip()}
    return url.set(query={**own, **url.query, **options})
