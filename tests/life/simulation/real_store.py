"""The store of `bot.store`, on SQLite in memory or elsewhere, with what the rules look at."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select, text

from bot.request.audit_chain import GENESIS, Head, Record
from bot.request.event_changes import Absorbed
from bot.request.events import EVENT
from bot.request.messages import Answer
from bot.request.model import Request
from bot.store import audit_trail as trail
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.migrate import upgrade
from bot.store.outbox import CALLED_BY, Outbox
from bot.store.queries import Overview
from bot.store.requests import Requests
from bot.store.saving import Claim
from bot.store.schema import inbox, messages, requests
from bot.store.slack_pauses import Pauses, paused
from tests.life.simulation.memory_outbox import Post
from tests.life.simulation.memory_store import Item, Row

CHANGING = frozenset(
    {"put", "insert_row", "dismiss", "save", "save_intent", "save_passed", "release"}
)


_request = lru_cache(1_000)(Request.model_validate_json)
_event = lru_cache(1_000)(EVENT.validate_json)


class RealStore:
    """As `MemoryStore`, by real SQL; slow, so for a few histories only."""

    def __init__(self, clock: Callable[[], int], lease_ms: int, url: str = "sqlite://") -> None:
        self.db = Database(url, now=clock)
        upgrade(self.db)
        self.clock = clock
        self.changes = 0
        self.on_saved: Callable[[Request | None, Request], None] = lambda before, after: None
        self.on_put: Callable[[Item], None] = lambda item: None
        self._requests = Requests(db=self.db, lease_ms=lease_ms)
        self._inbox = Inbox(self.db)
        self._overview = Overview(self.db)
        self.pauses = Pauses(self.db)
        self.outbox = self._outbox()

    def empty(self) -> None:
        """As new: quicker than another database (PostgreSQL)."""
        with self.db.write() as conn:
            conn.execute(text("TRUNCATE requests, inbox, messages, audit, shared RESTART IDENTITY"))
            conn.execute(text("UPDATE audit_head SET count = 0, hash = :hash"), {"hash": GENESIS})

    def __getattr__(self, name: str) -> Any:
        parts = (self._inbox, self._requests, self._overview)
        part = next((part for part in parts if hasattr(part, name)), self._requests)
        attribute = getattr(part, name)
        if name not in CHANGING:
            return attribute

        def changing(*args: Any, **kwargs: Any) -> Any:
            step = next((a for a in args if isinstance(a, Absorbed)), None)
            before = next((a.request for a in args if isinstance(a, Claim)), None)
            result = attribute(*args, **kwargs)
            # The one in memory does not count these two when nothing came of them.
            if (name != "insert_row" or result) and (name != "put" or result is not None):
                self.changes += 1
            if step and result:
                self.on_saved(before, step.request)
            if name == "put" and result is not None:
                self.on_put(next(item for item in self.items if item.number == result))
            return result

        return changing

    def _outbox(self) -> Any:
        """The real outbox, counting changes for the scheduler."""
        real = Outbox(self.db, 25_000)

        def counting(name: str) -> Callable[..., None]:
            def call(*args: Any, **kwargs: Any) -> None:
                getattr(real, name)(*args, **kwargs)
                self.changes += 1

            return call

        counted = {name: counting(name) for name in ("sent", "put_off", "given_up")}
        return SimpleNamespace(
            claim=real.claim,
            wait=real.wait,
            wait_for_next=real.wait_for_next,
            now=real.now,
            **counted,
        )

    # ---- what the rules look at ---------------------------------------------------------------

    @property
    def rows(self) -> dict[str, Row]:
        found = self._all(requests)
        return {r.id: Row(_request(r.body), r.version, r.due_at, r.lease_until) for r in found}

    @property
    def items(self) -> list[Item]:
        return [
            Item(
                r.number,
                r.origin,
                r.request_id,
                _event(r.body),
                r.at,
                r.response_url,
                r.answer_via,
                r.absorbed_at,
            )
            for r in sorted(self._all(inbox), key=lambda r: r.number)
        ]

    def waiting(self, request_id: str | None = None) -> list[Item]:
        return [
            i for i in self.items if i.absorbed_at is None and request_id in (None, i.request_id)
        ]

    @property
    def posts(self) -> dict[tuple[str, str], Post]:
        names = set(Post.__dataclass_fields__)
        found = {}
        for row in self._all(messages):
            columns = {k: v for k, v in row._mapping.items() if k in names}
            answer = Answer.model_validate_json(row.answer) if row.answer else None
            found[row.request_id, row.slot] = Post(**{**columns, "answer": answer})
        return found

    @property
    def records(self) -> list[Record]:
        return list(trail.export(self.db))

    @property
    def head(self) -> Head:
        return trail.head(self.db)

    def next_time(self) -> int | None:
        now = self.clock()
        held: list[Row | Post] = [*self.rows.values(), *self.posts.values()]
        times = [max(x.due_at, x.lease_until) for x in held if x.due_at is not None]
        times += [x.lease_until for x in held]
        with self.db.read() as conn:
            times += paused(conn, now, *CALLED_BY).values()
        return min((t for t in times if t > now), default=None)

    def _all(self, table: Any) -> list[Any]:
        with self.db.read() as conn:
            return list(conn.execute(select(table)))
