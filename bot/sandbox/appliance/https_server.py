"""HTTP over TLS: certificates with an authority of their own, and an application that turns each
request into a call at the reception, with the faults below HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, unquote

import trustme
from starlette.types import Message, Receive, Scope, Send

from bot.sandbox.appliance.answers_on_demand import Request, Response
from bot.sandbox.appliance.reception import Hanging, Reception
from bot.sandbox.threaded_server import ThreadedServer

LOCAL_NAMES = ("127.0.0.1", "localhost")

_NO_BODY = (204, 304)


class Certificates:
    """The current leaf, in one context for all connections to come; the authorities' PEM files stay
    in `folder`, so an old one can be tried."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0
        self.ca_file = ""
        self.fingerprint = ""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.issue(same_authority=False)

    def issue(self, *, same_authority: bool = True, names: Sequence[str] = LOCAL_NAMES) -> None:
        """Another leaf for these host names, from the same authority or from a new one."""
        if not same_authority:
            self._made += 1
            self._authority = trustme.CA()
            path = self._folder / f"authority-{self._made}.pem"
            self._authority.cert_pem.write_to_path(path)
            self.ca_file = str(path)
        leaf = self._authority.issue_cert(*names)
        leaf.configure_cert(self.context)
        der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
        self.fingerprint = hashlib.sha256(der).digest().hex(":").upper()


class Https:
    """The application. `errors`: mistakes in the sandbox itself, which stop() raises."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self.server: ThreadedServer | None = None
        self.errors: list[Exception] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # No call of this API's used half has a body that matters.
        while (await receive()).get("more_body"):
            pass
        try:
            request = self._request(scope)
            delivery = self._reception.receive(request)
            response: Response | Hanging | None = delivery.response
            if isinstance(response, Hanging):
                await asyncio.wrap_future(response.over)
                response = self._reception.resume(response)
            if response is not None and delivery.wire in (None, "hang"):
                for message in _messages(response):
                    await send(message)
                return
        except Exception as error:
            self.errors.append(error)
        if self.server is not None:
            await self.server.cut(scope, receive)

    def _request(self, scope: Scope) -> Request:
        headers = {name.decode("latin-1"): value.decode() for name, value in scope["headers"]}
        path, base = scope["raw_path"].decode("latin-1"), self._reception.base_path
        inside = path.startswith(base + "/")
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return Request(
            method=scope["method"],
            path=unquote(path.removeprefix(base) if inside else path),
            query={name: tuple(values) for name, values in query.items()},
            authorization=headers.get("authorization"),
            token=headers.get("x-dr-session"),
            remote_address=str(scope["client"][0]),
            inside=inside,
        )


def _messages(response: Response) -> tuple[Message, Message]:
    """The answer as ASGI has it."""
    body = response.raw
    if body is None:
        body = b"" if response.document is None else json.dumps(response.document).encode()
    headers = dict(response.headers)
    if response.status in _NO_BODY:
        body = b""
    else:
        headers["Content-Length"] = str(len(body))
    if body:
        headers["Content-Type"] = response.content_type
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return (
        {"type": "http.response.start", "status": response.status, "headers": pairs},
        {"type": "http.response.body", "body": body},
    )
