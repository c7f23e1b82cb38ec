"""What the bot says: `chat.postMessage`, `chat.update` (Slack docs, one page each), and answers to
a `response_url` (handling user interaction, message responses)."""

from __future__ import annotations

import copy
from typing import Any

from .block_limits import POST_TEXT, UPDATE_TEXT, blocks_too_long, check_blocks
from .records import (
    Channel,
    Ephemeral,
    Json,
    Message,
    ResponseUrl,
    SlackError,
    invalid,
    required,
    truthy,
)
from .workspace import Workspace

RESPONSE_URL_USES = 5
RESPONSE_URL_SECONDS = 30 * 60


def post_message(ws: Workspace, args: Json) -> Json:
    """Posts to a channel, a conversation, or (with a user id) to a person."""
    channel = _channel_to_post(ws, args)
    thread_ts = _thread(ws, channel.id, args.get("thread_ts"))
    text, blocks = content(args)
    message = ws.add_message(
        channel.id,
        text,
        blocks,
        user=ws.bot_user_id,
        thread_ts=thread_ts,
        broadcast=thread_ts is not None and truthy(args.get("reply_broadcast")),
    )
    return {"channel": channel.id, "ts": message.ts, "message": message_json(ws, message)}


def update(ws: Workspace, args: Json) -> Json:
    """Edits a message of the bot's own. `ts` stays.

    Slack docs, chat.update: `text` above 4,000 characters is `msg_too_long`; `blocks: []` removes
    the blocks; an archived channel is `is_inactive`. Without `blocks` the old ones stay. A newer
    wording of the same page says that a call with `text` alone removes them: whoever always sends
    both is right under either.
    """
    channel_id, ts = required(args, "channel", "ts")
    channel = _known_channel(ws, channel_id)
    message = ws.message(channel_id, ts)
    if message is None:
        raise SlackError("message_not_found")
    if message.user != ws.bot_user_id:
        raise SlackError("cant_update_message")
    if channel.archived:
        raise SlackError("is_inactive")
    text = str(args.get("text") or "")
    blocks = message.blocks if args.get("blocks") is None else _blocks(args)
    if len(text) > UPDATE_TEXT:
        raise SlackError("msg_too_long")
    if not text and (args.get("blocks") is None or not blocks):
        raise SlackError("no_text")
    changed = ws.edit_message(
        message,
        text=text,
        blocks=ws.with_ids(blocks),
        edited=ws.clock(),
        edits=message.edits + 1,
    )
    return {"channel": channel_id, "ts": ts, "text": text, "message": message_json(ws, changed)}


def answer_response_url(ws: Workspace, path: str, body: Json | None) -> tuple[int, Json]:
    """(HTTP status, body). The caller holds the workspace's lock. `body` None: not JSON.

    Five uses in thirty minutes, in any channel whether the bot is a member or not. Only what one
    person sees is played here. The forms of the refusals are not documented; `used_url` and
    `expired_url` with HTTP 404 are an assumption, and so is that a refused answer costs no use.
    """
    url = ws.response_urls.get(path)
    error = None
    if url is None:
        error = "no_service"
    elif ws.clock() - url.trigger.made_at > RESPONSE_URL_SECONDS:
        error = "expired_url"
    elif url.uses >= RESPONSE_URL_USES:
        error = "used_url"
    if url is None or error is not None:
        return 404, {"ok": False, "error": error}
    if body is None:
        return 400, {"ok": False, "error": "invalid_payload"}
    try:
        show_to_one(ws, url, body, via="response_url")
    except SlackError as refused:
        return 400, refused.body()
    url.uses += 1
    return 200, {"ok": True}


def show_to_one(ws: Workspace, url: ResponseUrl, body: Json, *, via: str) -> None:
    """An answer to whoever acted. Raises SlackError."""
    text, blocks = content(body)
    others = truthy(body.get("replace_original")) or truthy(body.get("delete_original"))
    if others or body.get("response_type") == "in_channel":
        raise SlackError("not_played_here")
    ws.ephemerals.append(
        Ephemeral(
            ts=ws.new_ts(),
            user=url.trigger.user,
            channel=url.channel,
            text=text,
            blocks=ws.with_ids(blocks),
            via=via,
            trigger_id=url.trigger.id,
            thread_ts=str(body["thread_ts"]) if body.get("thread_ts") else None,
        )
    )


def content(args: Json) -> tuple[str, list[Json]]:
    """Text and blocks of a new message. Text above 40,000 characters is cut, as Slack does."""
    text = str(args.get("text") or "")
    blocks = _blocks(args)
    if not text and not blocks:
        raise SlackError("no_text")
    return text[:POST_TEXT], blocks


def message_json(ws: Workspace, message: Message) -> Json:
    """A message as it stands in answers and in the payload of a click."""
    body: Json = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": ws.team_id,
        "blocks": copy.deepcopy(message.blocks),
    }
    if message.user == ws.bot_user_id:
        body |= {"bot_id": ws.bot_id, "app_id": ws.app_id}
    if message.thread_ts is not None:
        body["thread_ts"] = message.thread_ts
    elif any(m.thread_ts == message.ts for m in ws.messages.values()):
        body["thread_ts"] = message.ts
    if message.broadcast:
        body["subtype"] = "thread_broadcast"
    if message.edited is not None:
        body["edited"] = {"user": message.user, "ts": f"{int(message.edited)}.000000"}
    return body


def _known_channel(ws: Workspace, channel_id: str) -> Channel:
    """A private channel without the bot is not even known to it."""
    channel = ws.channels.get(channel_id)
    if channel is None or (channel.private and not channel.bot_is_member):
        raise SlackError("channel_not_found")
    return channel


def _channel_to_post(ws: Workspace, args: Json) -> Channel:
    (target,) = required(args, "channel")
    if target in ws.people:
        person = ws.people[target]
        if person.deleted or person.bot:
            # Slack docs, conversations.open: nobody to talk to. The name is an assumption.
            raise SlackError("channel_not_found")
        return ws.direct_channel(target)
    channel = _known_channel(ws, target)
    if channel.archived:
        raise SlackError("is_archived")
    if not channel.bot_is_member:
        raise SlackError("not_in_channel")
    return channel


def _thread(ws: Workspace, channel: str, thread_ts: Any) -> str | None:
    """Assumption: a thread that is not there, or a reply's own `ts`, is refused.

    What Slack does with it is not documented; refusing shows the mistake. The workspace's
    `deleted_takes_replies` is the other reading for a first message that was deleted.
    """
    if thread_ts in (None, ""):
        return None
    if ws.deleted_takes_replies and (channel, str(thread_ts)) in ws.messages:
        return str(thread_ts)
    parent = ws.message(channel, str(thread_ts))
    if parent is None or parent.thread_ts is not None:
        raise SlackError("thread_not_found")
    return str(thread_ts)


def _blocks(args: Json) -> list[Json]:
    """Checked blocks. Attachments are refused: nothing here would show them."""
    if args.get("attachments"):
        raise SlackError("invalid_attachments")
    blocks = args.get("blocks")
    if blocks is None:
        return []
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    problems = check_blocks(blocks)
    if problems:
        raise invalid("invalid_blocks", problems)
    if blocks_too_long(blocks):
        raise SlackError("msg_blocks_too_long")
    return blocks
