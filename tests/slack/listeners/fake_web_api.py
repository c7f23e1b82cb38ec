"""A small stand-in for Slack's Web API and its `response_url`: scripted answers, recorded calls."""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

PATIENCE_SECONDS = 60
"""For what comes by itself. Generous: the machine may be busy."""


@dataclass
class Call:
    """`method` is `chat.postMessage` and so on, or `response` for a response_url."""

    method: str
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Answer:
    """`hang` holds the connection until the server is closed; `cut` ends it without an answer."""

    body: Any = field(default_factory=lambda: {"ok": True})
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    cut: bool = False


def error(word: str) -> Answer:
    return Answer({"ok": False, "error": word})


def limited(seconds: int | None = 7) -> Answer:
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Answer({"ok": False, "error": "ratelimited"}, status=429, headers=headers)


USUAL: dict[str, Callable[[dict[str, Any]], Any]] = {
    "auth.test": lambda body: {
        "ok": True,
        "team_id": "T1",
        "user_id": "UBOT",
        "bot_id": "B1",
    },
    "chat.postMessage": lambda body: {"ok": True, "ts": "1700000000.000100"},
    "chat.update": lambda body: {"ok": True, "ts": body["ts"]},
    "views.open": lambda body: {"ok": True, "view": {"id": "V1", "hash": "1.a"}},
    "views.publish": lambda body: {"ok": True, "view": {"id": "V1", "hash": "1.c"}},
    "views.update": lambda body: {"ok": True, "view": {"id": "V1", "hash": "1.b"}},
    "response": lambda body: {"ok": True},
}


class FakeWebApi:
    """`script` queues answers for a method; without one it answers as Slack usually does.
    `requests` is how many came in on each connection, of which it `keeps` none if not told to."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.requests: list[int] = []
        self.keeps = False
        self._scripts: dict[str, deque[Answer]] = defaultdict(deque)
        self._release = threading.Event()
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.002,))
        self._thread.start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def api_url(self) -> str:
        return f"{self.base}/api/"

    def response_url(self, name: str = "one") -> str:
        return f"{self.base}/respond/{name}"

    def script(self, method: str, *answers: Answer) -> None:
        self._scripts[method].extend(answers)

    def of(self, method: str) -> list[Call]:
        return [c for c in self.calls if c.method == method]

    def wait_for(
        self, method: str, count: int = 1, seconds: float = PATIENCE_SECONDS
    ) -> list[Call]:
        """The calls of a method, once there are that many."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.of(method)) >= count, seconds)
        assert arrived, f"{method} was called {len(self.of(method))} times, not {count}"
        return self.of(method)

    def answer(self, call: Call) -> Answer:
        with self._changed:
            self.calls.append(call)
            self._changed.notify_all()
            if self._scripts[call.method]:
                return self._scripts[call.method].popleft()
        usual = USUAL.get(call.method)
        return Answer(usual(call.body)) if usual else error("unknown_method")

    def hold(self) -> None:
        self._release.wait(2 * PATIENCE_SECONDS)

    def release(self) -> None:
        """Calls that hang are cut now, and those to come at once."""
        self._release.set()

    def close(self) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True


def _handler(api: FakeWebApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.number = len(api.requests)
            api.requests.append(0)

        def do_POST(self) -> None:
            api.requests[self.number] += 1
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            path = self.path.split("?")[0]
            method = "response" if path.startswith("/respond/") else path.rpartition("/")[2]
            body = json.loads(raw) if raw.startswith("{") else dict(parse_qsl(raw))
            answer = api.answer(Call(method, body, dict(self.headers)))
            if answer.hang:
                api.hold()
            if answer.hang or answer.cut:
                self.close_connection = True
                return
            payload = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body)
            payload = payload.encode() if isinstance(payload, str) else payload
            lines = [f"HTTP/1.1 {answer.status} X", f"Content-Length: {len(payload)}"]
            self.close_connection = not api.keeps
            headers = {"Content-Type": "application/json", **answer.headers}
            headers |= {} if api.keeps else {"Connection": "close"}
            lines += [f"{k}: {v}" for k, v in headers.items()]
            self.wfile.write("\r\n".join([*lines, "", ""]).encode() + payload)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler
