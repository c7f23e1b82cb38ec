"""Logs on stderr: one event for each step, for people (`console`) or machines (`json`).

The libraries' logs are processed in the same way. Secrets are kept out twice: no code logs them,
and what looks like one is masked here.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from bot.operate.show import printable, to_json

SECRET_KEYS = frozenset({"response_url", "trigger_id", "token", "authorization", "password"})
MASK = "***"

_LOOKS_SECRET = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|https?://[^\s\"']*/(?:actions|commands|response)/[^\s\"']+"
    r"|(?i:basic|bearer) [\w+/=.-]{8,}"
)
"""Slack tokens, `response_url`s, and headers that carry credentials."""


def set_up(level: str, form: str, secrets: Iterable[str] = ()) -> None:
    """To be called once per process. `secrets` are masked wherever they turn up."""
    known = tuple(s for s in secrets if s)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        lambda _logger, _name, event: _masked(event, known),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(to_json, ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # Not rich's, which prints local variables and with them secrets.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,  # first, so that dropped events cost nothing
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    if form == "console":
        last.insert(1, lambda _logger, _name, event: _printable(event))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Their debug output holds whole requests with headers, and with them secrets.
    for library in ("slack_bolt", "slack_sdk", "urllib3", "waitress", "alembic"):
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))
    # It warns of each request that finds no idle thread, so strangers could fill the log.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def _masked(event: EventDict, secrets: tuple[str, ...]) -> EventDict:
    return {key: MASK if key in SECRET_KEYS else _clean(event[key], secrets) for key in event}


def _printable(event: EventDict) -> EventDict:
    """Texts as they may go to a terminal; what is no text is drawn by `repr`, which escapes too."""
    shown = {key: printable(v) if isinstance(v, str) else v for key, v in event.items()}
    for key in ("exception", "stack"):
        if isinstance(text := event.get(key), str):
            shown[key] = "\n".join(printable(line) for line in text.split("\n"))
    return shown


def _clean(value: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return _LOOKS_SECRET.sub(MASK, value)
    if isinstance(value, dict):
        return {k: MASK if k in SECRET_KEYS else _clean(v, secrets) for k, v in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "tb_frame"):
        cleaned = [_clean(v, secrets) for v in value]
        return cleaned if isinstance(value, list) else tuple(cleaned)
    return value
