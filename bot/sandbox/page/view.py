"""What one person sees in the local Slack, as JSON for the page."""

from __future__ import annotations

from typing import Any

from bot.sandbox.page import cast
from bot.sandbox.slack import Ephemeral, Json, LocalSlack, Message, View


def view_of(slack: LocalSlack, me: str) -> Json:
    """Channels with messages and threads, what is shown to `me` alone, the Home tab, and the modal
    on top."""
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
        "parts": [{"key": p.id, "name": p.name, "role": p.role} for p in cast.PEOPLE],
        "examples": cast.EXAMPLES,
    }


def _channel(slack: LocalSlack, channel: str, me: str) -> list[Json]:
    alone = [e for e in slack.ephemerals(me) if e.channel == channel]
    threads: dict[str, list[Json]] = {}
    for message in slack.workspace.messages.values():
        if message.channel == channel and message.thread_ts and not message.deleted:
            threads.setdefault(message.thread_ts, []).append(_message(message))
    tops = [_message(m) for m in slack.messages(channel)]
    for message in slack.workspace.messages.values():
        if message.channel == channel and message.broadcast and not message.deleted:
            tops.append({**_message(message), "key": f"{message.ts}-broadcast"})
    known = {top["ts"] for top in tops}
    for shown in alone:
        if shown.thread_ts in known:
            threads.setdefault(str(shown.thread_ts), []).append(_message(shown))
        else:
            tops.append(_message(shown))
    for top in tops:
        top["thread"] = sorted(threads.get(top["ts"], []), key=_order)
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
