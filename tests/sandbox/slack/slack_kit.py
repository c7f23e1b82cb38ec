"""A small receiver in the bot's place, and blocks to post."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

from sandbox.slack import Json

ANN, OPS = "U0ANN", "C0OPS"
"""Somebody, and a channel that she and the bot are in."""


def error_of(call: Callable[..., object], *args: object, **kwargs: object) -> str:
    """Slack's name for what this call is refused with."""
    with pytest.raises(SlackApiError) as caught:
        call(*args, **kwargs)
    assert caught.value.response.status_code == 200
    return str(caught.value.response["error"])


class Received:
    """One request as the receiver got it."""

    def __init__(self, body: bytes, headers: dict[str, str], genuine: bool) -> None:
        self.body = body
        self.headers = headers
        self.genuine = genuine

    @property
    def form(self) -> dict[str, str]:
        found = parse_qs(self.body.decode(), keep_blank_values=True)
        return {key: values[0] for key, values in found.items()}


Answer = tuple[int, str, str]


class Receiver:
    """Stands where the bot would: checks the signature, keeps the request, answers as told."""

    def __init__(self, signing_secret: str) -> None:
        self.verifier = SignatureVerifier(signing_secret)
        self.received: list[Received] = []
        self.answer: Callable[[Received], Answer] = lambda request: (200, "", "text/plain")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {key.lower(): value for key, value in self.headers.items()}
                genuine = outer.verifier.is_valid_request(body, headers)
                request = Received(body, headers, genuine)
                outer.received.append(request)
                status, text, kind = outer.answer(request) if genuine else (401, "", "text/plain")
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/slack/events"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def section(text: str = "words") -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(action_id: str = "go", value: str = "1", text: str = "Go", **more: object) -> Json:
    label = {"type": "plain_text", "text": text}
    return {"type": "button", "action_id": action_id, "value": value, "text": label, **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "block_id": "buttons", "elements": list(elements)}


def modal(*blocks: Json, **more: object) -> Json:
    title = {"type": "plain_text", "text": "Title"}
    submit = {"type": "plain_text", "text": "Send"}
    return {"type": "modal", "title": title, "submit": submit, "blocks": list(blocks), **more}


def text_input(block_id: str = "reason", **more: object) -> Json:
    label = {"type": "plain_text", "text": "Reason"}
    element = {"type": "plain_text_input", "action_id": "value"}
    return {"type": "input", "block_id": block_id, "label": label, "element": element, **more}


def option(value: str, text: str | None = None) -> Json:
    return {"text": {"type": "plain_text", "text": text or value}, "value": value}
