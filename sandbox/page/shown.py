"""What the page shows: what one person sees in the local Slack, and the board beside it with the
requests, their audit trail, and the calls that were seen."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sandbox.appliance import Call
from sandbox.page.bot_database import newest_requests, trail_length
from sandbox.page.stage import BERLIN, BOT_CALLS, EXAMPLES, MORE_EXAMPLES, PEOPLE, Stage
from sandbox.slack import ApiCall, Ephemeral, Json, LocalSlack, Message, View

REQUESTS_SHOWN = 12
CALLS_SHOWN = 40
REFUSALS_SHOWN = 8

OPEN = {"checking", "pending", "approved", "deleting", "following"}
"""The states that do not end by themselves in silence: all others are final."""


def view_of(slack: LocalSlack, me: str) -> Json:
    """Channels with messages and threads, what is shown to `me` alone, the Home tab, the modal."""
    ws = slack.workspace
    with ws.lock:
        people = {p.id: {"name": p.name, "bot": p.bot} for p in ws.people.values()}
        channels = [c for c in ws.channels.values() if c.dm_with in (None, me)]
        names = {c.id: "vr-unpair" if c.dm_with else c.name for c in ws.channels.values()}
        groups = {g.id: g.handle for g in ws.groups.values()}
        shown = [
            {
                "key": c.id,
                "name": names[c.id],
                "direct": c.dm_with is not None,
                "messages": _channel(slack, c.id, me),
            }
            for c in channels
        ]
        open_view = ws.views.get(me)
        modal = _modal(open_view) if open_view else None
    home = slack.home(me)
    return {
        "me": me,
        "people": people,
        "groups": groups,
        "channels": shown,
        "home": home["blocks"] if home else [],
        "modal": modal,
        "parts": [{"key": p.id, "name": p.name, "role": p.role} for p in PEOPLE],
    }


def _channel(slack: LocalSlack, channel: str, me: str) -> list[Json]:
    threads: dict[str, list[Json]] = defaultdict(list)
    tops: list[Json] = []
    for message in slack.workspace.messages.values():
        if message.channel != channel or message.deleted:
            continue
        if message.thread_ts is None:
            tops.append(_message(message))
            continue
        threads[message.thread_ts].append(_message(message))
        if message.broadcast:
            tops.append({**_message(message), "key": f"{message.ts}-broadcast"})
    known = {top["ts"] for top in tops}
    for shown in slack.ephemerals(me):
        if shown.channel == channel:
            beside = threads[str(shown.thread_ts)] if shown.thread_ts in known else tops
            beside.append(_message(shown))
    for top in tops:
        top["thread"] = sorted(threads[top["ts"]], key=_order)
    return sorted(tops, key=_order)


def _message(message: Message | Ephemeral) -> Json:
    own = isinstance(message, Ephemeral)
    return {
        "key": f"{message.ts}{'-alone' if own else ''}",
        "ts": message.ts,
        "channel": message.channel,
        "user": None if isinstance(message, Ephemeral) else message.user,
        "alone": own,
        "text": message.text,
        "blocks": message.blocks,
        "edited": isinstance(message, Message) and message.edited is not None,
    }


def _order(shown: Json) -> tuple[int, str]:
    """`ts` is unique and grows with each message and each ephemeral one."""
    seconds, _, number = str(shown["ts"]).partition(".")
    return int(seconds), number


def _modal(view: View) -> Json:
    definition: dict[str, Any] = view.definition
    return {
        "id": view.id,
        "hash": view.hash,
        "title": definition["title"]["text"],
        "submit": (definition.get("submit") or {}).get("text"),
        "close": (definition.get("close") or {"text": "Cancel"})["text"],
        "blocks": view.blocks,
        "errors": view.errors,
        "chosen": view.chosen,
    }


class Board:
    """The bot's requests and the calls that the appliances and Slack have seen."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._lock = threading.Lock()
        self._length = -1
        self._requests: list[Json] = []

    def as_json(self) -> Json:
        bot, appliances = self._stage.bot, self._stage.appliances
        calls = [(site, call) for site, one in appliances.items() for call in one.calls]
        calls.sort(key=lambda one: one[1].at)
        deletes = [call for _, call in calls if call.is_unpair]
        return {
            "bot": {"running": bot.alive, "pid": bot.pid},
            "settings": self._stage.changed_settings(),
            "examples": [*EXAMPLES, *MORE_EXAMPLES[: len(self._stage.known) - 1]],
            "requests": [{**one, "deletes": _deletes(deletes, one)} for one in self._read()],
            "deletes": _counts(deletes),
            "calls": _calls(calls)[-CALLS_SHOWN:],
            "callsPerMinute": BOT_CALLS,
            "refusals": _refusals(self._stage.slack.calls),
        }

    def _read(self) -> list[Json]:
        """Again only when the trail has grown."""
        file = self._stage.database
        with self._lock:
            length = trail_length(file)
            if length != self._length:
                self._requests = [_request(*one) for one in newest_requests(file, REQUESTS_SHOWN)]
                self._length = length
            return self._requests


def _request(request: Json, records: list[Json]) -> Json:
    shown = ("number", "at", "actor", "action", "before", "after")
    ended = request["state"] not in OPEN
    return {
        **request,
        "key": request["id"],
        # What is unclear wants to be looked at until somebody has done so.
        "ended": ended and request["state"] != "attention",
        "from": request["created_at"] / 1000,
        "until": records[-1]["at"] / 1000 if ended else None,
        "events": [{name: record[name] for name in shown} for record in records],
    }


def _deletes(deletes: Iterable[Call], request: Json) -> Json:
    """Those of this request: no two open ones are for the same pairing, so the time tells."""
    path, until = f"/pairings/{request['pairing_id']}", request["until"]
    own = [d for d in deletes if d.path == path and request["from"] <= d.at]
    return _counts(d for d in own if until is None or d.at <= until)


def _counts(deletes: Iterable[Call]) -> Json:
    counted = list(deletes)
    accepted = sum(call.task_id is not None for call in counted)
    return {"sent": len(counted), "accepted": accepted}


def _calls(calls: Iterable[tuple[str, Call]]) -> list[Json]:
    """Repeated looks as one line with their number; a DELETE always has a line of its own. Calls at
    the second appliance begin with its site."""

    def same(numbered: tuple[int, tuple[str, Call]]) -> tuple[object, ...]:
        number, (site, call) = numbered
        alone = number if call.is_unpair else None
        return site, call.method, call.path, tuple(call.query.items()), call.status, alone

    lines = []
    for _, run in groupby(enumerate(calls), same):
        group = list(run)
        number, (site, call) = group[0]
        query = "&".join(f"{name}={value}" for name, value in call.query.items())
        lines.append(
            {
                "key": str(number),
                "at": group[-1][1][1].at,
                "method": call.method if site == BERLIN else f"{site} {call.method}",
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
