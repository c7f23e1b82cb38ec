"""The WSGI application on HOST:PORT: requests from Slack, health, readiness, metrics."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import structlog

from bot.slack.signed_requests import Door

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

log = structlog.get_logger(__name__)

LARGEST_BODY = 1024 * 1024
"""Bytes. Slack's largest payloads, modals with their state, are far smaller (contract, HTTP)."""

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
"""The text exposition format (Prometheus docs)."""

Readiness = Callable[[], tuple[bool, Mapping[str, Any]]]
"""Whether it is ready, and why. The mapping is shown as JSON in both cases."""


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = TEXT


class Wsgi:
    """`door` is None in Socket Mode: then `/slack/events` does not exist.

    `ready` and `metrics` may raise: that is answered with 503 and 500, and the process goes on.
    """

    def __init__(self, *, door: Door | None, ready: Readiness, metrics: Callable[[], bytes]):
        self._door = door
        self._ready = ready
        self._reads: dict[str, Callable[[], _Answer]] = {
            "/healthz": lambda: _Answer(200, b"ok\n"),
            "/readyz": self._readiness,
            "/metrics": lambda: _Answer(200, metrics(), content_type=PROMETHEUS),
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        try:
            answer = self._route(method, path, environ)
        except Exception:
            # Nothing that Slack sends can cause this, only a failure in our own code.
            log.exception("http_failed", path=path if path in self._reads else "other")
            answer = _Answer(500, b"internal error\n")
        status = HTTPStatus(answer.status)
        headers = [
            *answer.headers,
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            ("Cache-Control", "no-store"),
        ]
        start_response(f"{status.value} {status.phrase}", headers)
        return [] if method == "HEAD" else [answer.body]

    def _route(self, method: str, path: str, environ: WSGIEnvironment) -> _Answer:
        if path in self._reads:
            if method not in ("GET", "HEAD"):
                return _not_allowed("GET, HEAD")
            return self._reads[path]()
        if path == "/slack/events" and self._door is not None:
            return self._slack(self._door, environ) if method == "POST" else _not_allowed("POST")
        return _Answer(404, b"not found\n")

    def _slack(self, door: Door, environ: WSGIEnvironment) -> _Answer:
        # The server has received the whole body by now, even a chunked one, and gives its length.
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > LARGEST_BODY:
            answer = door.too_large()
        else:
            body = cast(BinaryIO, environ["wsgi.input"]).read(length)
            answer = door.answer(body, _headers(environ))
        content_type = answer.headers.get("content-type", [TEXT])[0]
        return _Answer(answer.status, (answer.body or "").encode(), content_type=content_type)

    def _readiness(self) -> _Answer:
        try:
            ready, reasons = self._ready()
        except Exception as error:
            log.exception("readiness_failed")
            ready, reasons = False, {"readiness": f"could not be told: {type(error).__name__}"}
        body = json.dumps({"ready": ready, **reasons}, default=str).encode() + b"\n"
        return _Answer(200 if ready else 503, body, content_type=JSON)


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    headers = {
        key[5:].replace("_", "-").lower(): str(value)
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    headers["content-type"] = str(environ.get("CONTENT_TYPE") or "")
    # Bolt has switches in these headers, meant for functions as a service. A client must not reach
    # them.
    return {k: v for k, v in headers.items() if not k.startswith("x-slack-bolt-")}


def _not_allowed(allowed: str) -> _Answer:
    return _Answer(405, b"method not allowed\n", headers=(("Allow", allowed),))
