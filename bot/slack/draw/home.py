"""Lists of requests: the Home tab, with what waits for this person, what they asked, what runs, and
how the latest ended; and `status`, with what is open and how the latest ended.

Both only link to the cards, so that decisions are made where everybody sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from slack_sdk.models.blocks import Block, DividerBlock

from bot.request.lookups import Home, HomeRead, LookFailed, MayNotLook
from bot.request.messages import Drawn
from bot.request.model import Request
from bot.slack.draw.card import card_url
from bot.slack.draw.markup import context, drawn, header, section
from bot.slack.draw.words import status as words
from bot.slack.draw.words import usage
from bot.slack.draw.words.refused import may_not_look

SHOWN = 10
"""How many of each list are shown on Home. All together stay far below the 100 blocks of a view
(Slack docs, views), and can still be read on a phone."""

OPEN_MOST, ENDED_MOST = 20, 5
"""How many `status` shows: far below the 50 blocks of a message."""


def home_view(read: HomeRead, *, workspace_url: str | None, command: str, now: int) -> Any:
    """The view for `views.publish`. `workspace_url` comes from `auth.test`; without it there are no
    links. `now` is in ms."""
    match read:
        case MayNotLook(reason=reason):
            blocks: list[Block] = [section(may_not_look(reason))]
        case LookFailed(reference=reference):
            blocks = [section(usage.unexpected(reference))]
        case Home():
            blocks = _home(read, workspace_url, command)
    blocks.append(context(words.as_of(now, command)))
    return {"type": "home", "blocks": [block.to_dict() for block in blocks]}


def status_list(
    opened: Sequence[Request], ended: Sequence[Request], *, workspace_url: str | None, command: str
) -> Drawn:
    """The newest first; `ended` with the latest end first."""
    lists = [(words.open_ones(len(opened)), opened[::-1])]
    lists += [(words.ENDED, ended[:ENDED_MOST])] if ended else []
    text = "\n".join(
        part
        for title, requests in lists
        for part in (f"*{title}*", *(words.line(each, None) for each in requests[:OPEN_MOST]))
    )
    blocks: list[Block] = []
    for title, requests in lists:
        blocks += [header(title), *_lines(requests, OPEN_MOST, words.older, workspace_url)]
    last = words.one_of_them(command)
    return drawn(f"{text}\n{last}", *blocks, context(last))


def _home(home: Home, workspace_url: str | None, command: str) -> list[Block]:
    def lines(requests: Sequence[Request]) -> Iterable[Block]:
        return _lines(requests, SHOWN, lambda left: words.more(left, command), workspace_url)

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


def _lines(
    requests: Sequence[Request],
    most: int,
    more: Callable[[int], str],
    workspace_url: str | None,
) -> Iterable[Block]:
    for request in requests[:most]:
        yield section(words.line(request, card_url(request, workspace_url)))
    if len(requests) > most:
        yield context(more(len(requests) - most))
