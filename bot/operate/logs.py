"""Logs on stderr: one event for each step, for people (`console`) or machines (`json`).

The libraries' logs are processed in the same way. Secrets are kept out twice: no code logs them,
and what looks like one is masked here.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from bot.operate.json_and_csv import printable, to_json
from bot.request.audit_chain import Entry
from bot.request.model import Request

log = structlog.get_logger(__name__)

SECRET_KEYS = frozenset({"response_url", "trigger_id", "token", "authorization", "password"})
MASK = "***"

KEPT = ("why", "click", "status", "differences", "missing", "fingerprint")
"""What is kept of the detail of a step: our own words and those of the vendor's API."""

OF_PROBLEM = {
    "kind": "problem",
    "status": "http_status",
    "error_code": "error_code",
    "op_id": "op_id",
}
"""What is kept of a problem in it, and its name in the log."""

_LOOKS_SECRET = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|https?://[^\s\"']*/(?:actions|commands|response)/[^\s\"']+"
    r"|(?i:basic|bearer) [\w+/=.-]{8,}"
)
"""Slack tokens, `response_url`s, and headers that carry credentials."""


AUDIT = "bot.store.audit_trail"
"""Whose lines are the witness of the audit trail. They are written whatever LOG_LEVEL is: a log
that leaves some out would prove nothing."""


class _Handler(logging.StreamHandler[Any]):
    def handleError(self, record: logging.LogRecord) -> None:
        """A line of the trail that could not be written is written later: whoever wrote it has to
        know."""
        if record.name == AUDIT:
            raise
        super().handleError(record)


_known: list[str] = []
"""What is masked wherever it turns up, the longest first: one may begin like another."""


def set_up(level: str, form: str, secrets: Iterable[str] = ()) -> None:
    """To be called once per process. `secrets` are masked wherever they turn up."""
    _known.clear()
    mask_too(secrets)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        lambda _logger, _name, event: _clean(event),
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
    handler = _Handler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Their debug output holds whole requests with headers, and with them secrets.
    for library in ("slack_bolt", "slack_sdk", "urllib3", "tornado", "asyncio", "alembic"):
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))
    logging.getLogger(AUDIT).setLevel(logging.INFO)
    # It warns of connections that broke, so strangers could fill the log.
    logging.getLogger("tornado.general").setLevel(logging.ERROR)
    # A connection that died under a statement is told of as a fault of the database. What the pool
    # adds, an error with a traceback for closing the cursor of it, would look like a second one.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


def mask_too(secrets: Iterable[str]) -> None:
    """These as well from now on: secrets change while the bot runs."""
    _known[:] = sorted({*_known, *filter(None, secrets)}, key=len, reverse=True)


def steps(request: Request | None, entries: Sequence[Entry]) -> None:
    """One event for each step of a request, with every id that somebody may search for. A step is
    one record of the audit trail. What people wrote is only in there, since logs are sent to more
    places."""
    ids: dict[str, Any] = {}
    if request is not None:
        ids = {
            "request": request.id,
            "site": request.site,
            "channel": request.channel,
            "card": request.card_ts,
            "pairing": request.pairing_id,
            "task": request.task.id if request.task else None,
        }
    known = {name: value for name, value in ids.items() if value is not None}
    for entry in entries:
        kept = {key: entry.detail[key] for key in KEPT if key in entry.detail}
        if isinstance(problem := entry.detail.get("problem"), dict):
            kept |= {name: problem[key] for key, name in OF_PROBLEM.items() if key in problem}
        log.info(
            "step",
            step=entry.action,
            state=entry.after.value if entry.after else None,
            before=entry.before.value if entry.before else None,
            by=entry.actor,
            slack_message=entry.message,
            **known,
            **kept,
        )


def _printable(event: EventDict) -> EventDict:
    """Texts as they may go to a terminal; what is no text is drawn by `repr`, which escapes too.
    Lines of a traceback are quoted: the words of an error could look like a line of the log."""
    shown = {key: printable(v) if isinstance(v, str) else v for key, v in event.items()}
    for key in ("exception", "stack"):
        if isinstance(text := event.get(key), str):
            shown[key] = "\n".join(f"> {printable(line)}" for line in text.split("\n"))
    return shown


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        for secret in _known:
            value = value.replace(secret, MASK)
        return _LOOKS_SECRET.sub(MASK, value)
    if isinstance(value, dict):
        return {key: MASK if key in SECRET_KEYS else _clean(v) for key, v in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "tb_frame"):
        cleaned = [_clean(v) for v in value]
        return cleaned if isinstance(value, list) else tuple(cleaned)
    return value
