"""Answers to a `response_url` (Slack docs, handling user interaction, message responses).

Five uses in thirty minutes, in any channel whether the bot is a member or not. Ephemeral unless
`response_type` is `in_channel`. The forms of the refusals are not documented; `used_url` and
`expired_url` with HTTP 404 are an assumption, and so is that a refused answer costs no use and
that a message is replaced only when `replace_original` says so.
"""

from __future__ import annotations

from .chat_methods import content
from .errors import SlackError, truthy
from .records import Ephemeral, Json, Message, ResponseUrl
from .web_api import Answer
from .workspace import Workspace

MOST_USES = 5
SECONDS = 30 * 60


def answer(ws: Workspace, path: str, body: Json | None) -> Answer:
    """Carries one answer out. The caller holds the workspace's lock. `body` None: not JSON."""
    url = ws.response_urls.get(path)
    if url is None:
        return _no(404, "no_service")
    if ws.clock() - url.made_at > SECONDS:
        return _no(404, "expired_url")
    if url.uses >= MOST_USES:
        return _no(404, "used_url")
    if body is None:
        return _no(400, "invalid_payload")
    try:
        _carry_out(ws, url, body)
    except SlackError as refused:
        return Answer(400, refused.body())
    url.uses += 1
    return Answer(200, {"ok": True})


def show_acknowledgement(ws: Workspace, url: ResponseUrl, body: Json) -> None:
    """What stands in the answer to a command itself is shown like a first response."""
    text, blocks = content(body)
    _show(ws, url, body, text, blocks, via="ack")


def _no(status: int, error: str) -> Answer:
    return Answer(status, {"ok": False, "error": error})


def _carry_out(ws: Workspace, url: ResponseUrl, body: Json) -> None:
    original = _original(ws, url)
    if truthy(body.get("delete_original")):
        _remove(ws, url, original)
        return
    text, blocks = content(body)
    if truthy(body.get("replace_original")):
        if original is not None and original.user == ws.bot_user_id:
            ws.edit_message(original, text, blocks)
            return
        _remove(ws, url, None)
    _show(ws, url, body, text, blocks, via="response_url")


def _show(
    ws: Workspace, url: ResponseUrl, body: Json, text: str, blocks: list[Json], *, via: str
) -> None:
    thread_ts = str(body["thread_ts"]) if body.get("thread_ts") else None
    if body.get("response_type") == "in_channel":
        ws.add_message(url.channel, text, blocks, user=ws.bot_user_id, thread_ts=thread_ts)
        return
    shown = Ephemeral(
        ts=ws.new_ts(),
        user=url.origin.user,
        channel=url.channel,
        text=text,
        blocks=ws.with_ids(blocks),
        via=via,
        answers=url.origin,
        thread_ts=thread_ts,
    )
    ws.ephemerals.append((url.path, shown))


def _original(ws: Workspace, url: ResponseUrl) -> Message | None:
    if url.origin.message_ts is None:
        return None
    return ws.message(url.channel, url.origin.message_ts)


def _remove(ws: Workspace, url: ResponseUrl, original: Message | None) -> None:
    """Takes away the message clicked on, or this address's last ephemeral answer."""
    if original is not None and original.user == ws.bot_user_id:
        ws.delete_message(original)
        return
    for place in reversed(range(len(ws.ephemerals))):
        if ws.ephemerals[place][0] == url.path:
            del ws.ephemerals[place]
            return
