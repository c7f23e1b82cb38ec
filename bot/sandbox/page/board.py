"""The board beside the channel: requests with their audit trail, and the calls that were seen."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from bot.operate import show
from bot.sandbox.appliance import Call
from bot.sandbox.page.stage import Stage
from bot.sandbox.slack import ApiCall
from bot.store import audit
from bot.store.database import Database
from bot.store.requests import Requests

Json = dict[str, Any]

REQUESTS_SHOWN = 12
CALLS_SHOWN = 40
REFUSALS_SHOWN = 8


class Board:
    """Reads the bot's database from outside, as `vr-unpair show` does; writes nothing."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._db = Database(stage.database_url)
        self._lock = threading.Lock()
        self._head = -1
        self._requests: list[Json] = []

    def close(self) -> None:
        self._db.close()

    def as_json(self) -> Json:
        appliance, bot = self._stage.appliance, self._stage.bot
        calls = appliance.calls
        return {
            "bot": {"running": bot.alive, "pid": bot.pid},
            "requests": self._read(),
            "deletes": {
                "sent": sum(call.is_unpair for call in calls),
                "accepted": sum(call.task_id is not None for call in calls),
            },
            "calls": _calls(calls)[-CALLS_SHOWN:],
            "callsPerMinute": bot.environment["VR_CALLS_PER_MINUTE"],
            "refusals": _refusals(self._stage.slack.calls),
        }

    def _read(self) -> list[Json]:
        """Again only when the trail has grown: every change of state leaves a record."""
        with self._lock:
            head = audit.head(self._db).count
            if head != self._head:
                found = Requests(self._db).newest(limit=REQUESTS_SHOWN)
                self._requests = [self._request(show.as_json(r)) for r in found]
                self._head = head
            return self._requests

    def _request(self, request: Json) -> Json:
        kept = ("id", "state", "pairing", "asked", "force", "requester")
        records = [show.record_json(r) for r in audit.of_request(self._db, request["id"])]
        shown = ("number", "time", "actor", "action", "before", "after")
        return {
            "key": request["id"],
            **{name: request[name] for name in kept},
            "events": [{name: record[name] for name in shown} for record in records],
        }


def _calls(calls: Iterable[Call]) -> list[Json]:
    """Repeated looks as one line with their number; a DELETE always has a line of its own."""

    def same(numbered: tuple[int, Call]) -> tuple[object, ...]:
        number, call = numbered
        alone = number if call.is_unpair else None
        return call.method, call.path, tuple(call.query.items()), call.status, alone

    lines = []
    for _, run in groupby(enumerate(calls), same):
        group = list(run)
        number, call = group[0]
        query = "&".join(f"{name}={value}" for name, value in call.query.items())
        lines.append(
            {
                "key": str(number),
                "at": group[-1][1].at,
                "method": call.method,
                "path": f"{call.path}?{query}" if query else call.path,
                "status": call.status,
                "times": len(group),
                "unpair": call.is_unpair,
            }
        )
    return lines


def _refusals(calls: Iterable[ApiCall]) -> list[Json]:
    """What Slack did not take, with Slack's own name for it."""
    refused = [
        {"key": str(number), "at": call.at, "method": call.method, "error": call.error}
        for number, call in enumerate(calls)
        if call.error
    ]
    return refused[-REFUSALS_SHOWN:]
