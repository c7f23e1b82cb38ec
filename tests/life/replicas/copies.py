"""The two sandbox servers, and several copies of the bot on one PostgreSQL."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from sandbox.appliance import SimulatedAppliance
from sandbox.slack import LocalSlack
from tests.life.kills.faults import AS_IT_IS, Faults
from tests.life.kills.people import Story
from tests.life.kills.stage import DyingBot, Stage
from tests.support.stage import servers
from tests.support.way_in import OverHttp, WayIn

PROBE_SECONDS = 30.0
"""For `/readyz`, which takes two at the most, and a busy machine."""

DATABASE_AWAY = frozenset({"step_failed", "poster_failed", "listener_failed", "database_fault"})
"""Faults of the store that a loop or a listener met; nothing of them is lost."""

QUICK_SETTINGS = {"VR_TIMEOUT_SECONDS": "1", "VR_POLL_SECONDS": "0.2"}
"""Go with the faults' `QUICK`."""


class Copies(Stage):
    """`lives` are all copies, dead ones included, in the order of their start."""

    def __init__(
        self,
        appliance: SimulatedAppliance,
        slack: LocalSlack,
        folder: Path,
        way_in: WayIn,
        settings: dict[str, str],
    ) -> None:
        super().__init__(appliance, slack, folder, settings)
        self.way_in = way_in
        self.own |= way_in.settings(slack)

    # ---- copies -------------------------------------------------------------------------------

    def add(self, *many: Faults, **settings: str) -> list[DyingBot]:
        """So many more copies, which start at the same time; returns when Slack reaches them."""
        all_settings = {**self.own, **settings}
        new = [DyingBot({**all_settings, **faults.environment()}, self.folder) for faults in many]
        self.lives += new
        with ThreadPoolExecutor(len(new)) as pool:
            list(pool.map(lambda bot: bot.start(), new))
        for bot in new:
            self.way_in.connect(self.slack, bot)
        self.balance()
        return new

    @property
    def alive(self) -> list[DyingBot]:
        return [bot for bot in self.lives if bot.alive]

    def balance(self) -> None:
        """What a load balancer does now and then: only those get requests whose `/readyz` is 200.
        In Socket Mode Slack looks at the connections alone."""
        if isinstance(self.way_in, OverHttp):
            ready = [bot for bot in self.alive if is_ready(bot)]
            self.slack.courier.request_urls = [f"{bot.url}/slack/events" for bot in ready]

    def kill(self, bot: DyingBot) -> None:
        """SIGKILL by its own hand, so that it can say first what was on its way to Slack."""
        os.kill(bot.pid, signal.SIGUSR1)
        self.wait_until(lambda: not bot.alive)

    def told(self) -> str:
        ready = [(bot.port, readiness(bot)) for bot in self.alive]
        return f"{super().told()}\nready: {ready}"

    # ---- people -------------------------------------------------------------------------------

    def finish(self, stories: Sequence[Story], more: Callable[[], None] = lambda: None) -> None:
        """People do what there is to do, until everything is done and said. `more`: in between."""

        def finished() -> bool:
            more()
            for story in stories:
                story.acts()
            return all(story.finals() for story in stories) and self.at_rest()

        self.wait_until(finished)

    def seconds_to_take_over(self, story: Story) -> float:
        """From the death of one of two copies, which comes by itself in that story, to the final
        reply of the other. `make bench` measures it too."""

        def one_is_dead() -> bool:
            story.acts()
            return len(self.alive) == 1

        self.wait_until(one_is_dead)
        died = time.monotonic()
        self.wait_until(lambda: bool(story.finals()))
        seconds = time.monotonic() - died
        self.finish([story])
        return seconds


def is_ready(bot: DyingBot) -> bool:
    return readiness(bot)[0] == 200


def readiness(bot: DyingBot) -> tuple[int, dict[str, Any]]:
    """Status and body of `/readyz`; 0 when nothing comes in time."""
    try:
        answer = requests.get(f"{bot.url}/readyz", timeout=PROBE_SECONDS)
    except requests.RequestException:
        return 0, {}
    return answer.status_code, answer.json()


@contextmanager
def copies(
    database: str,
    folder: Path,
    way_in: WayIn,
    many: tuple[Faults, ...] = (AS_IT_IS, AS_IT_IS),
    settings: dict[str, str] | None = None,
    **appliance: Any,
) -> Iterator[Copies]:
    """Servers without their limits, and copies on that database, which are killed at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    with servers(rate_limits=False, **appliance) as both:
        own = {"DATABASE_URL": database, **(settings or {})}
        stage = Copies(*both, folder, way_in, own)
        try:
            if many:
                stage.add(*many)
            with stage.explained():
                yield stage
        finally:
            stage.bury()
