"""The Socket Mode client in this process against the local Slack."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from slack_bolt import BoltResponse
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from bot.slack.receive.payload import Malformed
from bot.slack.receive.socket_mode import SocketMode
from bot.slack.send.web_api import api_client
from sandbox.slack import LocalSlack
from tests.support.clock import wait_for

UNHURRIED_S = 5.0
"""Between pings where no test waits for them: a machine that stalls must not look deaf."""

PATIENCE_S = 60.0
RITA, CHANNEL = "U0RITA", "C0ROOM"


class Client:
    """A bot that only keeps what it was sent. A click on `hold` waits for `release`, one on `fail`
    meets an error of ours. `then` is done behind each acknowledgement."""

    def __init__(self, slack: LocalSlack, **times: float) -> None:
        self.slack = slack
        self.commands: list[dict[str, Any]] = []
        self.clicks: list[str] = []
        self.rejected: list[str] = []
        self.release = threading.Event()
        self.then: Callable[[], object] = lambda: None
        api = api_client(slack.app_token, base_url=slack.api_url, timeout_s=2)
        self.mode = SocketMode(
            api, self._listen, self.rejected.append, answering=self._answering, **times
        )

    @contextmanager
    def _answering(self) -> Iterator[None]:
        yield
        self.then()

    def _listen(self, payload: dict[str, Any]) -> BoltResponse:
        if "command" in payload:
            self.commands.append(payload)
            said = {"text": f"heard {payload['text']}", "response_type": "ephemeral"}
            return BoltResponse(status=200, body=said)
        pressed = payload["actions"][0]["action_id"]
        if pressed == "refuse":
            raise Malformed("nonsense in it")
        if pressed == "fail":
            raise ZeroDivisionError
        if pressed == "hold":
            self.release.wait(PATIENCE_S)
        self.clicks.append(payload["trigger_id"])
        return BoltResponse(status=200, body="")

    def wait_until_ready(self) -> None:
        wait_for(lambda: self.mode.problem() is None)


class OneAnswer:
    """Instead of a Web API client: it gives this each time, or raises it."""

    token = "xapp-1"

    def __init__(self, answer: Any, base_url: str = "https://slack.com/api/") -> None:
        self.answer = answer
        self.base_url = base_url

    def api_call(self, method: str) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


HELLO = json.dumps({"type": "hello", "num_connections": 1})


class Talk:
    """A WebSocket server that greets each connection and then does what a test wants of it."""

    def __init__(
        self, then: Callable[[ServerConnection, int], None], context: ssl.SSLContext | None = None
    ) -> None:
        self._then = then
        self._context = context
        self.port = 0
        self.asked: list[str] = []
        """The path of each connection."""
        self.said: list[str | bytes] = []

    def __call__(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.asked.append(connection.request.path)
        with suppress(ConnectionClosed, OSError):
            connection.send(HELLO)
            self._then(connection, len(self.asked))
            for text in connection:
                self.said.append(text)

    @contextmanager
    def serving(self) -> Iterator[str]:
        options: dict[str, Any] = {
            "ssl": self._context,
            "ping_interval": None,
            "close_timeout": 0.2,
        }
        with serve(self, "127.0.0.1", 0, **options) as running:
            thread = threading.Thread(target=running.serve_forever)
            thread.start()
            self.port = running.socket.getsockname()[1]
            yield f"ws://127.0.0.1:{self.port}/link/?ticket=1"
            running.shutdown()
            thread.join()


@contextmanager
def connected(url: str, *, ping: float = UNHURRIED_S) -> Iterator[tuple[SocketMode, list[Any]]]:
    """A client at this address, and the payloads that its listener has got."""
    heard: list[Any] = []

    def listen(payload: dict[str, Any]) -> BoltResponse:
        heard.append(payload)
        return BoltResponse(status=200, body="")

    mode = SocketMode(
        OneAnswer({"url": url}, "http://127.0.0.1:9/api/"),  # type: ignore[arg-type]
        listen,
        lambda kind: None,
        ping_s=ping,
        first_gap_s=0.05,
        leaving_s=1.0,
    )
    mode.start()
    try:
        yield mode, heard
    finally:
        # Else a test that failed would go on connecting, to the servers of the next ones too.
        mode.stop(drain_s=1.0)


def press(slack: LocalSlack, action: str = "press", *, user: str = RITA) -> Any:
    """A click on a button of a card in the room."""
    card = slack.messages(CHANNEL)[0]
    return slack.click(user, card, action)


@pytest.fixture
def slack() -> Iterator[LocalSlack]:
    with LocalSlack(rate_limits=False) as local:
        local.mode = "socket"
        local.add_person("Rita", id=RITA)
        local.add_channel("room", id=CHANNEL)
        with local.workspace.changing():
            local.workspace.add_message(
                CHANNEL, "card", [_buttons()], user=local.bot_user_id, thread_ts=None
            )
        yield local


@pytest.fixture
def make_client(slack: LocalSlack) -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(**times: float) -> Client:
        usual = {"ping_s": UNHURRIED_S, "first_gap_s": 0.05, "leaving_s": 1.0}
        made.append(Client(slack, **{**usual, **times}))
        made[-1].mode.start()
        return made[-1]

    yield make
    for client in made:
        client.release.set()
        client.mode.stop(drain_s=1.0)


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    """Connected and ready."""
    one = make_client()
    one.wait_until_ready()
    return one


def _buttons() -> dict[str, Any]:
    names = ("press", "hold", "refuse", "fail")
    elements = [
        {"type": "button", "action_id": name, "text": {"type": "plain_text", "text": name}}
        for name in names
    ]
    return {"type": "actions", "block_id": "buttons", "elements": elements}
