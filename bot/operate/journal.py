"""One event in the log for each step of a request, with every id that somebody may search for.

A step is one record of the audit trail. What people wrote is only in that trail, since logs are
sent to more places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from bot.request.entries import Entry
from bot.request.model import Request

log = structlog.get_logger(__name__)

KEPT = ("why", "click", "status", "differences", "missing", "fingerprint")
"""What is kept of an entry's detail: our own words and those of the vendor's API."""


def steps(request: Request | None, entries: Sequence[Entry]) -> None:
    for entry in entries:
        log.info(
            "step",
            step=entry.action,
            state=entry.after.value if entry.after else None,
            before=entry.before.value if entry.before else None,
            by=entry.actor,
            slack_message=entry.message,
            **_request(request),
            **_detail(entry.detail),
        )


def _request(request: Request | None) -> dict[str, Any]:
    if request is None:
        return {}
    ids = {
        "request": request.id,
        "site": request.site,
        "channel": request.channel,
        "card": request.card_ts,
        "pairing": request.pairing_id,
        "task": request.task.id if request.task else None,
    }
    return {key: value for key, value in ids.items() if value is not None}


def _detail(detail: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: detail[key] for key in KEPT if key in detail}
    problem = detail.get("problem")
    if isinstance(problem, dict):
        names = {"kind": "problem", "status": "http_status"}
        names |= {key: key for key in ("error_code", "op_id")}
        kept |= {name: problem[key] for key, name in names.items() if key in problem}
    return kept
