"""As `vr-unpair run`, but a bot that says each of its commits."""

from __future__ import annotations

import json
import os
import threading
import time

from sqlalchemy import Connection, Engine, event

from bot.__main__ import main

COMMITTED, CHANGES_BEFORE = "committed", "changes_before"


def say_each_commit() -> None:
    """One line of JSON on stderr, between those of the log: when (epoch) and in which thread. One
    that changed nothing is none. SQLite alone counts the rows that a connection has changed."""

    def changes(conn: Connection) -> int:
        driver = conn.connection.driver_connection
        assert driver is not None
        return int(driver.total_changes)

    def begin(conn: Connection) -> None:
        conn.info[CHANGES_BEFORE] = changes(conn)

    def commit(conn: Connection) -> None:
        if changes(conn) != conn.info[CHANGES_BEFORE]:
            thread = threading.current_thread().name
            line = {"event": COMMITTED, "level": "info", "thread": thread, "at": time.time()}
            os.write(2, f"{json.dumps(line)}\n".encode())

    event.listen(Engine, "begin", begin)
    event.listen(Engine, "commit", commit)


if __name__ == "__main__":
    say_each_commit()
    main()
