"""The least that a bot like this can be: Bolt, requests, one command that does nothing, waitress.

A process of its own: `python -m tools.bench.bare_bot SECRET`. Says its port as the real bot does.
The listener runs in the thread of its request (process_before_response), the quickest way that Bolt
has.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import requests
import waitress  # type: ignore[import-untyped]
from slack_bolt import Ack, App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

THREADS = 8
"""As many as the real bot has."""


def main(secret: str) -> None:
    app = App(
        signing_secret=secret,
        authorize=_authorize,
        process_before_response=True,
        token_verification_enabled=False,
        logger=_quiet(),
    )
    app.command("/vr-unpair")(_nothing)
    slack = SlackRequestHandler(app, path="/slack/events")

    def wsgi(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/readyz":
            start("200 OK", [("Content-Length", "2")])
            return [b"ok"]
        return slack(environ, start)

    server = waitress.create_server(wsgi, host="127.0.0.1", port=0, threads=THREADS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with requests.Session():
        print(json.dumps({"event": "started", "port": server.effective_port}), file=sys.stderr)
        sys.stderr.flush()
        server.run()


def _nothing(ack: Ack) -> None:
    ack("ok")


def _authorize() -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id=None, bot_token="xoxb-bare")


def _quiet() -> logging.Logger:
    logger = logging.getLogger("bare")
    logger.setLevel(logging.ERROR)
    return logger


if __name__ == "__main__":
    main(*sys.argv[1:])
