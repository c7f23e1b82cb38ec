"""Events of requests that have no row: an `Asked` becomes one, all others are answered and kept in
the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from bot.request.entries import Answer, Entry
from bot.request.events import EVENT, Stored
from bot.store import audit, inbox
from bot.store.due import first_without_row
from bot.store.requests import Requests
from bot.store.saving import OnSaved, Saving, row_of, store_rest
from bot.store.schema import requests
from bot.store.wakes import Room
from bot.store.wanted import add_answers


@dataclass
class NewRequests(Requests):
    """`on_saved` is told of each step after its commit; it must not raise."""

    on_saved: OnSaved = lambda _request, _entries: None

    def event_without_row(self) -> tuple[str, Stored] | None:
        """The oldest event of a request that has no row: somebody asked, or clicked on a request
        that does not exist."""
        with self.db.read() as conn:
            row = conn.execute(first_without_row()).one_or_none()
        if row is None:
            return None
        event = EVENT.validate_json(row.body)
        return row.request_id, Stored(number=row.number, at=row.at, event=event)

    def insert_row(self, saving: Saving) -> bool:
        """Insert a new row, due at once; False when another copy was quicker."""
        request = saving.request
        try:
            with self.db.write() as conn:
                now = self.db.now(conn)
                conn.execute(
                    insert(requests).values(**row_of(request), version=1, due_at=now, lease_until=0)
                )
                store_rest(conn, saving, now)
        except IntegrityError:
            return False
        self._committed(saving)
        return True

    def dismiss(
        self, request_id: str, stored: Stored, answers: Iterable[Answer], entries: Iterable[Entry]
    ) -> None:
        """An event of a request that does not exist: answered, kept in the audit trail, done."""
        with self.db.write() as conn:
            now = self.db.now(conn)
            if not inbox.mark_absorbed(conn, stored.number, now):
                return  # another copy was quicker
            add_answers(conn, request_id, tuple(answers), now)
            entries = tuple(entries)
            audit.append(conn, request_id or None, entries)
        self.on_saved(None, entries)
        self.db.wakes.wake(Room.POST)

    def _committed(self, saving: Saving, *rooms: Room) -> None:
        self.on_saved(saving.request, saving.entries)
        # After the commit: whoever woke before it would find nothing and sleep again.
        if saving.wanted or saving.answers:
            rooms = (*rooms, Room.POST)
        if rooms:
            self.db.wakes.wake(*rooms)
