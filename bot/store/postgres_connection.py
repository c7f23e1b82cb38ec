"""Connections to PostgreSQL with time limits, so that neither we nor the server wait for ever."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import URL

T = TypeVar("T")

CONNECT_SECONDS = 5
"""libpq takes whole seconds, and applies them to each address."""

STATEMENT_MS = 8_000
"""The server cancels a statement after this time. Ours take milliseconds; one that takes longer
waits for a lock, whose holder is ended after `IDLE_MS` if it does nothing."""

IDLE_MS = 4_000
"""The server ends a transaction that does nothing for this long (PostgreSQL docs,
idle_in_transaction_session_timeout). Otherwise a copy that is frozen, or whose machine is gone,
would keep the head of the audit trail locked and block every other copy for hours."""

PATIENCE_SECONDS = 10.0
"""We give up a connection that is silent for this long. It is more than `STATEMENT_MS`, so that the
server's own error comes first. TCP alone does not notice a proxy or a firewall that drops
everything, and libpq has no time limit for reading an answer."""

KEPT_ALIVE = {
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""For connections that only listen or wait in the pool: that the other machine is gone is noticed
within eleven seconds (libpq docs, keepalives). The system's own default is two hours."""


DURABLE = "-c synchronous_commit=on"
"""Not left to the server's default: a commit that is lost in a crash may be the intent of a DELETE
that was sent. With a synchronous standby a commit also waits for that one (PostgreSQL docs)."""


class PatientConnection(psycopg.Connection[Any]):
    """Waits `patience` seconds for the server's answer. Then it closes the connection, since it is
    unknown what became of the statement, and raises OperationalError."""

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
    """The address with our limits for each connection added. What the operator's address sets
    itself overrides them."""
    own = {"connect_timeout": str(CONNECT_SECONDS), **KEPT_ALIVE}
    limits = f"-c statement_timeout={STATEMENT_MS} -c idle_in_transaction_session_timeout={IDLE_MS}"
    said = url.query.get("options", "")
    ours = [DURABLE, limits]
    options = {"options": " ".join([*ours, *([said] if isinstance(said, str) else said)]).strip()}
    return url.set(query={**own, **url.query, **options})
