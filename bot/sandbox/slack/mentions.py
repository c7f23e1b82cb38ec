"""Who a message really calls: the mentions that Slack would act on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .records import Ephemeral, Message

_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|[^<>]*)?>")
_ALL = re.compile(r"<!(channel|here|everyone)(?:\|[^<>]*)?>")


def mentions(message: Message | Ephemeral) -> set[str]:
    """Who is called: user ids, user group ids, and `!channel`, `!here`, `!everyone`.

    `text` and the mrkdwn texts of the blocks count alike. `plain_text` objects and escaped
    brackets (`&lt;!channel&gt;`) call nobody (Slack docs, formatting message text).
    Assumptions on the safe side: a mention inside a code span counts, and so does one in `text`
    while blocks are shown.
    """
    found: set[str] = set()
    for text in [message.text, *_mrkdwn_in(message.blocks)]:
        found.update(_USER.findall(text))
        found.update(_GROUP.findall(text))
        found.update(f"!{name}" for name in _ALL.findall(text))
    return found


def _mrkdwn_in(node: Any) -> Iterator[str]:
    for item in _dicts(node):
        if item.get("type") == "mrkdwn" and isinstance(item.get("text"), str):
            yield item["text"]


def _dicts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _dicts(item)
    elif isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _dicts(value)
