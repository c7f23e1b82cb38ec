"""The appliance at its door, over HTTPS: its certificates, one lock over its state, and what
becomes of each call, with the faults below HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, unquote

import trustme
from starlette.types import Message, Receive, Scope, Send

from sandbox.appliance.api_paths import Api
from sandbox.appliance.faults_on_demand import Answer, Call, Request, Response, Rule
from sandbox.appliance.login_sessions import Sessions
from sandbox.appliance.pairings_and_tasks import Inventory
from sandbox.threaded_server import ThreadedServer

T = TypeVar("T")

LOCAL_NAMES = ("127.0.0.1", "localhost")

#: How often a wait looks again without a call or a change: a task may change by the clock alone.
_LOOK_AGAIN_SECONDS = 0.02

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


class HttpsServer:
    """An ASGI application that takes calls in, and lets other threads wait for what they change."""

    base_path = "/api/rest/vr/v2"

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        inventory: Inventory,
        sessions: Sessions,
        certificates: Certificates,
    ) -> None:
        self._clock = clock
        self._certificates = certificates
        self._server = ThreadedServer(self, tls=certificates.context)
        self._inventory = inventory
        self._sessions = sessions
        self._api = Api(inventory, sessions)
        # Answers that wait for their calls: for DELETE on a pairing, and for any.
        self._of_deletes: deque[Answer] = deque()
        self._rules: list[Rule] = []
        self._changed = threading.Condition(threading.RLock())
        self._calls: list[Call] = []
        # Calls that hang: true once they are answered, false when their connection is cut.
        self._hanging: list[Future[bool]] = []
        # Mistakes in the sandbox itself, which stop() raises.
        self._errors: list[Exception] = []
        # True while nothing listens: a call that is still on its way in must not begin to hang.
        self._away = False

    # -- what it saw -------------------------------------------------------------------------

    @property
    def calls(self) -> list[Call]:
        with self._changed:
            return list(self._calls)

    @property
    def deletes(self) -> list[Call]:
        """The DELETE calls on pairings, whatever became of them."""
        return [call for call in self.calls if call.is_unpair]

    @property
    def accepted_deletes(self) -> list[Call]:
        """Those that made a task, whatever their answer said."""
        return [call for call in self.deletes if call.task_id is not None]

    @property
    def logins(self) -> list[Call]:
        """Log-ins at the local site, the refused ones too."""
        return [call for call in self.calls if (call.method, call.path) == ("POST", "/session")]

    def wait_for(self, predicate: Callable[[], T], timeout_seconds: float = 5.0) -> T:
        """The first true value of `predicate`, looked at after each call and each change.

        Raises TimeoutError, naming the last calls, after so many real seconds.
        """
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while not (value := predicate()):
                left = deadline - time.monotonic()
                if left <= 0:
                    last = [f"{call.method} {call.path} {call.status}" for call in self._calls[-5:]]
                    raise TimeoutError(f"not within {timeout_seconds} s; the last calls: {last}")
                self._changed.wait(min(left, _LOOK_AGAIN_SECONDS))
            return value

    # -- what goes wrong on demand -----------------------------------------------------------

    def on_delete(self, *answers: Answer) -> None:
        """What the next DELETE calls on pairings get, one each, in this order."""
        with self._changed:
            self._of_deletes.extend(answers)

    def fail(self, method: str, path_prefix: str, answer: Answer, times: int | None = 1) -> None:
        """The same for other calls. `path_prefix` is below the base path; method `*` is any."""
        with self._changed:
            self._rules.append(Rule(method.upper(), path_prefix, answer, times))

    def clear_faults(self) -> None:
        """Forgets every answer that no call has had yet."""
        with self._changed:
            self._of_deletes.clear()
            self._rules.clear()

    def release_hanging(self) -> None:
        """Calls that hang are answered now."""
        with self._changed:
            self._end_hanging(True)

    # -- one connection, in the server's thread ------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # No call of this API's used half has a body that matters.
        while (await receive()).get("more_body"):
            pass
        try:
            response = await self._answer(self._request(scope))
            if response is not None:
                for message in _messages(response):
                    await send(message)
                return
        except Exception as error:
            self._errors.append(error)
        await self._server.cut(scope, receive)

    def _request(self, scope: Scope) -> Request:
        headers = {name.decode("latin-1"): value.decode() for name, value in scope["headers"]}
        path = scope["raw_path"].decode("latin-1")
        inside = path.startswith(self.base_path + "/")
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return Request(
            method=scope["method"],
            path=unquote(path.removeprefix(self.base_path) if inside else path),
            query={name: tuple(values) for name, values in query.items()},
            authorization=headers.get("authorization"),
            token=headers.get("x-dr-session"),
            remote_address=str(scope["client"][0]),
            inside=inside,
        )

    async def _answer(self, request: Request) -> Response | None:
        """What the call gets, after its effect and the fault that it meets; None: it is cut."""
        with self._changed:
            fault = self._fault(request)
            if fault is None or fault.wire != "hang":
                response = self._response(request, fault)
                silent = fault is not None and fault.wire is not None
                self._note(request, response, None if silent else response.status)
                return None if silent else response
            early = self._response(request, fault) if fault.has_effect else None
            call = self._note(request, early or Response(0), None)
            answered: Future[bool] = Future()
            self._hanging.append(answered)
            if self._away:
                self._end_hanging(False)
        if not await asyncio.wrap_future(answered):
            return None
        with self._changed:
            response = early or self._response(request, replace(fault, wire=None))
            self._complete(call, response, response.status)
            return response

    def _fault(self, request: Request) -> Answer | None:
        """The answer laid out for this call, used up by it: the oldest that fits."""
        if request.is_unpair and self._of_deletes:
            return self._of_deletes.popleft()
        for rule in self._rules:
            if rule.fits(request):
                if rule.left is not None:
                    rule.left -= 1
                    if rule.left == 0:
                        self._rules.remove(rule)
                return rule.answer
        return None

    def _response(self, request: Request, fault: Answer | None) -> Response:
        if fault is None:
            return self._api.answer(request, self._advance())
        own = self._api.answer(request, self._advance()) if fault.has_effect else None
        if own is not None and fault.is_ordinary:
            own.headers.update(fault.headers)
            return own
        response = fault.response()
        response.task_id = None if own is None else own.task_id
        return response

    def _end_hanging(self, answered: bool) -> None:
        for hanging in self._hanging:
            hanging.set_result(answered)
        self._hanging.clear()

    def _note(self, request: Request, response: Response, status: int | None) -> Call:
        call = Call(
            at=self._clock(),
            method=request.method,
            path=request.path,
            query={name: ",".join(values) for name, values in request.query.items()},
            status=status,
            is_unpair=request.is_unpair,
        )
        self._calls.append(call)
        self._complete(call, response, status)
        return call

    def _complete(self, call: Call, response: Response, status: int | None) -> None:
        call.status, call.task_id = status, response.task_id
        self._changed.notify_all()

    # -- shared ------------------------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Iterator[float]:
        """The lock, with the tasks at the clock's time, which is given; at the end the bell."""
        with self._changed:
            yield self._advance()
            self._changed.notify_all()

    def _advance(self) -> float:
        """Moves the tasks to the clock's time, which is returned."""
        now = self._clock()
        if self._inventory.advance(now):
            self._changed.notify_all()
        return now


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
