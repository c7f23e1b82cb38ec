"""What happens at SIGTERM (`bot/__main__.py` waits for it): in which order the parts stop, and how
long each may take. Hosts kill a process ten seconds after they told it to stop.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from bot.threads import Threads

if TYPE_CHECKING:
    from bot.app import Bot

log = structlog.get_logger(__name__)

STOP_SECONDS = 8.0
"""For all parts together. If each had its own limit, two that hang would take longer than the host
allows, and later parts would be killed half-way."""

CLOSE_SECONDS = 1.5
"""The database gets this long to close, even past the deadline: a `-wal` that somebody has deleted
is written into the file then."""

DRAIN_SECONDS, DRAIN_PROBES_SECONDS = 2.0, 0.5
"""For HTTP requests that have begun: those of Slack, and in Socket Mode only probes and scrapes."""

MOMENT_SECONDS = 0.05
"""For a thread that has nothing left to do and only has to notice the stop."""

LITTLE_LOST_SECONDS = 0.5
"""For lookups, which can be typed again, and the check, which changes nothing."""


def stop(bot: Bot, monotonic: Callable[[], float] = time.monotonic) -> None:
    """Begin nothing new, take no more events, and give all that runs one deadline. Whatever has not
    ended by then is left behind: requests and messages are claimed with a lease, and another
    process takes them up when that is over."""
    began = monotonic()

    def left(most: float = STOP_SECONDS, least: float = 0.0) -> float:
        return min(most, max(least, began + STOP_SECONDS - monotonic()))

    # Ask all of them before waiting for any: a call that began meanwhile would outlast the
    # deadline. What still comes in before the server is closed is stored for the next process.
    bot.stopping.set()
    for part in (bot.worker, bot.slack.poster, bot.lookups, bot.check):
        part.stop(0)
    ended = {}
    if bot.socket and bot.started:
        ended["socket"] = bot.socket.stop(drain_s=left(DRAIN_SECONDS))
    drain_s = DRAIN_PROBES_SECONDS if bot.socket else DRAIN_SECONDS
    drained = [server.close(left(drain_s)) for server in bot.servers]
    ended["http"] = all(drained)
    bot.lookups.stop(left(LITTLE_LOST_SECONDS))
    ended["worker"] = bot.worker.stop(left())
    ended["poster"] = bot.slack.poster.stop(left())
    # After listeners and lookups, which may have had something to tell people until now.
    ended["whisper"] = bot.slack.whisper.stop(left(least=MOMENT_SECONDS))
    ended["lookups"] = bot.lookups.stop(0)
    ended["check"] = bot.check.stop(left(LITTLE_LOST_SECONDS))
    # After all that records something.
    ended["upkeep"] = bot.upkeep.stop(left(least=MOMENT_SECONDS))
    if all(ended.values()):
        ended["database"] = _closed(bot, left(least=CLOSE_SECONDS))
    behind = [part for part, has_ended in ended.items() if not has_ended]
    if behind:
        # The database stays open for them, to store an outcome that comes at the last moment.
        log.warning("left_at_stop", left=behind)
    log.info("stopped", finished=not behind, seconds=round(monotonic() - began, 1))


def _closed(bot: Bot, seconds: float) -> bool:
    """Closing has no time limit of its own, so it is done in a thread that ends with the
    process."""

    def close() -> None:
        for appliance in bot.appliances.values():
            appliance.close()
        bot.store.db.close()

    closing = Threads()
    closing.start("close", close)
    return closing.stop(seconds)
