"""A stage over HTTP alone: for what comes after the way in; signatures, only HTTP has."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.asked import PATIENCE_SECONDS, Asked
from tests.support.bot_on_stage import World, staged
from tests.support.way_in import OverHttp

Stage = Callable[..., World]


@pytest.fixture
def http_stage(tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as stack:

        def build(**settings: str) -> World:
            return stack.enter_context(staged(OverHttp(), tmp_path, settings, {}))

        yield build


def trail(world: World, action: str, count: int = 0) -> list[dict[str, Any]]:
    """The records of this action, waited for until there are `count`: what belongs to no request is
    answered before it is written."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        done = world.console.run("audit", "export")
        records = [json.loads(line) for line in done.stdout.splitlines()]
        found = [record for record in records if record["action"] == action]
        if len(found) >= count:
            return found
        assert time.monotonic() < until, found


def says(world: World, asked: Asked, user: str, action: str, *words: str) -> str:
    """Presses, and reads the clicker's own answer."""
    text = world.answer(asked.clicks(user, action)).text
    for each in words:
        assert each in text, text
    return text
