"""The home tab: what waits for this person, what they asked, what runs, and how the latest ended.

It only links to the cards, so that decisions are made where everybody sees them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from slack_sdk.models.blocks import Block, DividerBlock

from bot.request.lookups import Home, HomeRead, LookFailed, MayNotLook
from bot.request.model import Request
from bot.slack.draw.card import card_url
from bot.slack.draw.markup import context, header, section
from bot.slack.draw.words import status as words
from bot.slack.draw.words import usage
from bot.slack.draw.words.refused import may_not_look

SHOWN = 10
"""How many of each list are shown. All together stay far below the 100 blocks of a view (Slack
docs, views), and can still be read on a phone."""


def home_view(read: HomeRead, *, workspace_url: str | None, command: str, now: int) -> Any:
    """The view for `views.publish`. `workspace_url` comes from `auth.test`; without it there are no
    links. `now` is in ms."""
    if isinstance(read, MayNotLook):
        blocks: list[Block] = [section(may_not_look(read.reason))]
    elif isinstance(read, LookFailed):
        blocks = [section(usage.unexpected(read.reference))]
    else:
        blocks = _lists(read, workspace_url, command)
    blocks.append(context(words.home_as_of(now, command)))
    return {"type": "home", "blocks": [block.to_dict() for block in blocks]}


def _lists(home: Home, workspace_url: str | None, command: str) -> list[Block]:
    def lines(requests: Sequence[Request]) -> Iterable[Block]:
        for request in requests[:SHOWN]:
            yield section(words.home_line(request, card_url(request, workspace_url)))
        if len(requests) > SHOWN:
            yield context(words.home_more(len(requests) - SHOWN, command))

    blocks: list[Block] = [header(words.WAITING)]
    if home.rights_unread:
        blocks.append(section(words.RIGHTS_UNREAD))
    elif not home.waiting:
        blocks.append(section(words.NOTHING_WAITS))
    blocks += lines(home.waiting)
    for title, requests in (
        (words.ASKED, home.asked),
        (words.RUNNING, home.running),
        (words.OTHERS, home.others),
        (words.ENDED, home.ended),
    ):
        if requests:
            blocks += [DividerBlock(), header(title), *lines(requests)]
    return blocks
