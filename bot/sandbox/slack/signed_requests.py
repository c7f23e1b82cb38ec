"""Requests to the bot, signed as Slack signs them (Slack docs, verifying requests)."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import requests
from urllib3.exceptions import NewConnectionError

from .records import Json

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

#: Slack waits this long for the acknowledgement.
ACK_SECONDS = 3.0


@dataclass
class Delivery:
    """One request to the bot, or one envelope over a socket, and what came back.

    `status` is None when no answer came; `error` then says what the person is shown:
    `operation_timeout`, or `dispatch_failed` (also for an answer other than 2xx). `problem` is
    what Slack would find wrong with the content of an answer. Over a socket `sent` is the envelope,
    `status` 200 for an acknowledgement, and `text` its payload.
    """

    kind: str
    sent: bytes
    headers: dict[str, str]
    status: int | None = None
    text: str = ""
    error: str | None = None
    problem: str | None = None
    trigger_id: str = ""
    response_url: str = ""
    envelope_id: str = ""
    payload: Json = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Acknowledged in time with 2xx, and nothing wrong with the answer."""
        return self.error is None and self.problem is None

    @property
    def json(self) -> Json:
        """The answer's body; empty when it is empty or not an object."""
        try:
            body = json.loads(self.text) if self.text else {}
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}


class Courier:
    """Signs and sends. One connection per request: nothing is left open.

    With several `request_urls` it is also what stands before several copies of the bot: each
    request goes to the next of them in turn, and past those where nobody listens, as a load
    balancer does. What has been sent to one is never sent to another.
    """

    def __init__(self, signing_secret: str) -> None:
        self.signing_secret = signing_secret
        self.request_urls: list[str] = []
        self._turn = itertools.count()
        self.ack_seconds = ACK_SECONDS

    def sign(
        self, body: bytes, *, spoil_signature: bool = False, shift_seconds: float = 0
    ) -> dict[str, str]:
        """The two signature headers; `shift_seconds` below 0 makes the request old. Real time, even
        where the workspace's clock is a test's: the bot checks against it."""
        timestamp = str(int(time.time() + shift_seconds))
        base = b"v0:" + timestamp.encode() + b":" + body
        digest = hmac.new(self.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        if spoil_signature:
            digest = ("1" if digest[0] == "0" else "0") + digest[1:]
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}

    def send(self, kind: str, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Sends this body with these headers as they are. Raises RuntimeError without address."""
        urls = list(self.request_urls)
        if not urls:
            raise RuntimeError("request_url is not set: the local Slack does not know the bot")
        first = next(self._turn) % len(urls)
        delivery = Delivery(kind=kind, sent=body, headers=dict(headers))
        began = time.monotonic()
        for url in (*urls[first:], *urls[:first]):
            if self._sent_to(url, delivery):
                break
        if delivery.error is None and time.monotonic() - began > self.ack_seconds:
            delivery.error = "operation_timeout"
        return delivery

    def _sent_to(self, url: str, delivery: Delivery) -> bool:
        """False when nobody listens there, so that nothing was sent."""
        delivery.error = None
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(
                    url,
                    data=delivery.sent,
                    headers=delivery.headers,
                    timeout=self.ack_seconds,
                    allow_redirects=False,
                )
            # Without a charset `requests` would guess Latin-1 for text.
            delivery.status = answer.status_code
            delivery.text = answer.content.decode(errors="replace")
            if not 200 <= answer.status_code < 300:
                delivery.error = "dispatch_failed"
        except requests.Timeout:
            delivery.error = "operation_timeout"
        except requests.RequestException as error:
            delivery.error = "dispatch_failed"
            return not _refused(error)
        return True


def _refused(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


def form(fields: Mapping[str, str]) -> bytes:
    """A form body, as commands have it."""
    return urlencode(fields).encode()
