"""Who is told of each record of the audit trail, as the settings have it: its log, and a collector.
Apart from `app.py` since `check` asks the same collector."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bot import __version__
from bot.request.problem import Problem
from bot.settings import Settings
from bot.store.audit_witness import COLLECTED, LINES, Telling, before_act, write_lines
from bot.store.database import Database

if TYPE_CHECKING:
    from bot.operate.collector import Collector

SecretNow = Callable[[str, bool], str]
"""A secret by its setting, read again where the last one was refused (`SlackSecrets.get`)."""

TOKEN = "AUDIT_TOKEN"  # noqa: S105 - its name


def collector_of(settings: Settings, secret: SecretNow) -> Collector | None:
    if settings.audit_url is None:
        return None
    # Imported here: few have one.
    from bot.operate.collector import Collector

    token = partial(secret, TOKEN) if settings.audit_token else None
    return Collector(settings.audit_url, token, f"vr-unpair/{__version__}")


def witnesses_of(
    settings: Settings, db: Database, secret: SecretNow
) -> tuple[list[Telling], Callable[[float], Problem | None]]:
    """All of them, and who must be told before a DELETE is sent."""
    lines = Telling(db, LINES, write_lines)
    collector = collector_of(settings, secret)
    if collector is not None:
        collected = Telling(db, COLLECTED, collector.take)
        return [lines, collected], before_act(collected, f"The collector at {collector.place}")
    if settings.audit_before_act == "log":
        return [lines], before_act(lines, "The log")
    return [lines], lambda _within_s: None
