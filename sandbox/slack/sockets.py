"""Socket Mode: addresses, open WebSockets, envelopes and their acknowledgements.

Sources: Slack docs, Socket Mode and apps.connections.open. Where they are silent, assumptions: an
envelope without an acknowledgement is sent again, with the same `envelope_id`, as soon as another
connection is there, at most three times; a ticket is good for one connection; an answer with a
payload is read for commands, submissions and suggestions.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.threaded_server import ThreadedServer

from .api_methods import Answer
from .records import Json
from .signed_requests import Delivery
from .workspace import Workspace

T = TypeVar("T")

MOST_RETRIES = 3
ANSWERED = {"command", "view_submission", "block_suggestion"}


@dataclass(eq=False)
class Socket:
    """One WebSocket. `leaving` after a `disconnect` frame, `frozen` when it stays silent."""

    websocket: WebSocket
    greeted: bool = False
    frozen: bool = False
    leaving: bool = False

    @property
    def usable(self) -> bool:
        return self.greeted and not self.frozen and not self.leaving


@dataclass(eq=False)
class Waiting:
    """An envelope that is not acknowledged. `socket` is where it was sent last."""

    envelope: Json
    socket: Socket | None = None
    answer: Json = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)


class Sockets:
    """Everything that changes does so in the server's thread; the methods for tests and people may
    be called from any other."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._tickets: set[str] = set()
        self._open: list[Socket] = []
        self._turn = 0
        self._waiting: dict[str, Waiting] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.server: ThreadedServer | None = None
        self.freeze_new = False
        #: Every acknowledgement as it came, known or not.
        self.acknowledgements: list[Json] = []
        #: How many connections were ever opened, and every ticket ever given.
        self.opened = 0
        self.all_tickets: set[str] = set()

    def routes(self) -> list[BaseRoute]:
        return [WebSocketRoute("/link/", self._serve)]

    @property
    def usable(self) -> int:
        """Connections that are open, greeted and not frozen."""
        return sum(socket.usable for socket in list(self._open))

    @property
    def open_now(self) -> list[Socket]:
        """All whose end has not been seen, silent and leaving ones included."""
        return list(self._open)

    def new_address(self, token: str | None, base_url: str) -> Answer:
        """Slack docs, apps.connections.open: an app-level token, in the header."""
        if token != self._ws.app_token:
            of_the_bot = token == self._ws.bot_token
            error = "not_allowed_token_type" if of_the_bot else self._ws.refusal(token)
            return Answer(200, {"ok": False, "error": error})
        ticket = f"ticket-{self._ws.number():024x}"
        self._tickets.add(ticket)
        self.all_tickets.add(ticket)
        base = base_url.replace("http://", "ws://")
        url = f"{base}/link/?ticket={ticket}&app_id={self._ws.app_id}"
        return Answer(200, {"ok": True, "url": url})

    # ---- one connection, in the server's thread -------------------------------------------------

    async def _serve(self, websocket: WebSocket) -> None:
        ticket = websocket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await websocket.close()  # before the acceptance: 403
            return
        self._tickets.remove(ticket)
        self._loop = asyncio.get_running_loop()
        await websocket.accept()
        socket = Socket(websocket)
        self.opened += 1
        self._open.append(socket)
        try:
            if self.freeze_new:
                self._freeze(socket)
            else:
                await self._greet(socket)
            while True:
                text = await websocket.receive_text()
                if socket.frozen:
                    self._freeze(socket)  # uvicorn reads on after each message
                self._acknowledged(text)
        except WebSocketDisconnect:
            return
        finally:
            with self._ws.changing():
                self._open.remove(socket)
            self._send_again()

    async def _greet(self, socket: Socket) -> None:
        hello = {
            "type": "hello",
            "num_connections": len(self._open),
            "connection_info": {"app_id": self._ws.app_id},
            "debug_info": {"host": "local", "approximate_connection_time": 18060},
        }
        await socket.websocket.send_text(json.dumps(hello))
        with self._ws.changing():
            socket.greeted = True
        self._send_again()

    def _acknowledged(self, text: str) -> None:
        try:
            ack = json.loads(text)
        except ValueError:
            ack = None
        ack = ack if isinstance(ack, dict) else {"strange": text}
        with self._ws.changing():
            self.acknowledgements.append(ack)
            waiting = self._waiting.pop(str(ack.get("envelope_id")), None)
        if waiting is not None:
            waiting.answer = ack
            waiting.done.set()

    # ---- envelopes ------------------------------------------------------------------------------

    def deliver(self, kind: str, payload: Json, ack_seconds: float) -> Delivery:
        """Sends it over one of the connections and waits for its acknowledgement."""
        types = {"command": "slash_commands", "event_callback": "events_api"}
        envelope = {
            "envelope_id": f"envelope-{self._ws.number():012x}",
            "type": types.get(kind, "interactive"),
            "accepts_response_payload": kind in ANSWERED,
            "payload": payload,
        }
        return self.deliver_envelope(kind, envelope, ack_seconds)

    def deliver_envelope(self, kind: str, envelope: Json, ack_seconds: float) -> Delivery:
        """Any envelope, an old one once more included."""
        delivery = Delivery(kind=kind, sent=json.dumps(envelope).encode(), headers={})
        delivery.envelope_id = str(envelope["envelope_id"])
        waiting = Waiting(envelope)
        if not self._run(lambda: self._sent(waiting)):
            delivery.error = "dispatch_failed"
        elif not waiting.done.wait(ack_seconds):
            delivery.error = "operation_timeout"
        else:
            delivery.status = 200
            said = waiting.answer.get("payload")
            delivery.text = "" if said is None else json.dumps(said)
            if said is not None and not envelope.get("accepts_response_payload"):
                delivery.problem = "an answer to an envelope that takes none"
        return delivery

    def send_raw(self, text: str) -> None:
        """Any text on every open connection, for what Slack would never send."""
        self._each(lambda socket: self._send(socket, text))

    def _sent(self, waiting: Waiting) -> bool:
        """In turn; over a frozen or leaving one only when there is no other, as Slack cannot know.
        False when none is open."""
        good = [s for s in self._open if s.usable] or self._open
        if not good:
            return False
        self._turn += 1
        waiting.socket = good[self._turn % len(good)]
        self._waiting[str(waiting.envelope["envelope_id"])] = waiting
        self._send(waiting.socket, json.dumps(waiting.envelope))
        return True

    def _send_again(self) -> None:
        """What went to a connection that is closed or frozen goes to another one now."""
        for key, waiting in list(self._waiting.items()):
            there = waiting.socket in self._open and not waiting.socket.frozen
            if there or not self.usable:
                continue
            tries = waiting.envelope.get("retry_attempt", 0) + 1
            if tries > MOST_RETRIES:
                del self._waiting[key]
                continue
            waiting.envelope |= {"retry_attempt": tries, "retry_reason": "timeout"}
            self._sent(waiting)

    def _send(self, socket: Socket, text: str) -> None:
        if not socket.frozen:
            self._spawn(socket.websocket.send_text(text))

    # ---- faults ---------------------------------------------------------------------------------

    def freeze(self, *, new_ones: bool = False) -> None:
        """No frame comes any more and no ping is answered, but TCP stays up; with `new_ones` also
        for connections opened from now on, which get no hello."""
        self.freeze_new = new_ones
        self._each(self._freeze)

    def drop(self) -> None:
        """TCP ends without a word."""
        self._each(lambda socket: self._protocol(socket).transport.abort())

    def disconnect(self, reason: str = "warning", *, closes_after: float = 10.0) -> None:
        """Slack's `disconnect` frame, and its end some seconds later."""

        def dismiss(socket: Socket) -> None:
            frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "local"}}
            self._send(socket, json.dumps(frame))
            socket.leaving = True
            self._spawn(self._close_later(socket, closes_after))

        self._each(dismiss)

    def _freeze(self, socket: Socket) -> None:
        socket.frozen = True
        protocol = self._protocol(socket)
        protocol.stop_keepalive()
        protocol.transport.pause_reading()

    async def _close_later(self, socket: Socket, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if socket in self._open:
            self._protocol(socket).transport.close()

    def _protocol(self, socket: Socket) -> Any:
        if self.server is None:
            raise RuntimeError("no socket is open before the server is")
        return self.server.connection(socket.websocket.scope["client"])

    # ---- from another thread --------------------------------------------------------------------

    def _run(self, what: Callable[[], T]) -> T | None:
        """In the server's thread; None where nothing was ever opened or the server is down."""
        if self._loop is None or self.server is None or not self.server.running:
            return None

        async def run() -> T:
            return what()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(5.0)

    def _each(self, what: Callable[[Socket], None]) -> None:
        def each() -> None:
            for socket in list(self._open):
                what(socket)

        self._run(each)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(_until_gone(coroutine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _until_gone(coroutine: Coroutine[Any, Any, None]) -> None:
    try:
        await coroutine
    except (WebSocketDisconnect, RuntimeError):
        return  # the other side has left, or our own close came first
