"""What every ending consists of: what happened, in a title and a few sentences, and a next step."""

from __future__ import annotations

from bot.request.frozen import Frozen


class Ending(Frozen):
    """`title` is one sentence; each of `body` is a paragraph; `next_step` is exactly one step."""

    title: str
    body: tuple[str, ...] = ()
    next_step: str
