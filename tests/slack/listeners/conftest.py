"""The whole adapter on loopback: port, Bolt's App, a fake Web API, the real store in memory."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.operate.ready import Ready
from bot.request.events import Opened
from bot.request.messages import Answer as Words
from bot.slack.people import Identity
from bot.slack.receive.bolt_app import dispatch
from bot.slack.receive.deps import Deps
from bot.slack.receive.http_server import Paths, Server
from bot.slack.receive.listeners import make_app
from bot.slack.receive.signature import FromSlack
from bot.slack.send.one_message import Whisper
from bot.slack.send.web_api import api_client
from tests.slack.listeners import made
from tests.slack.listeners.fake_web_api import PATIENCE_SECONDS, FakeWebApi


@dataclass
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Adapter:
    """One running bot, as Slack sees it."""

    api: FakeWebApi
    store: made.Store
    whisper: Whisper
    server: Server
    identity: Identity
    lookups: made.FakeLookups = field(default_factory=made.FakeLookups)
    rejected: list[str] = field(default_factory=list)
    repeated: int = 0
    problem: str | None = None
    broken: Exception | None = None
    #: Monotonic seconds, for the lines in the log about what is not from Slack.
    now: float = 0.0
    #: The signing secret as the bot knows it, and as it is set.
    secret: str = made.SECRET
    secret_set: str = made.SECRET

    def secret_now(self, refused: bool) -> str:
        if refused:
            self.secret = self.secret_set
        return self.secret

    @property
    def puts(self) -> list[made.Put]:
        return self.store.puts

    def repeat(self) -> None:
        self.repeated += 1

    def send(self, payload: dict[str, Any]) -> Reply:
        """Signed, as Slack sends it."""
        body = made.form(payload)
        return self.raw("POST", "/slack/events", body.encode(), made.signed(body))

    def raw(
        self,
        method: str,
        path: str,
        body: Any = b"",
        headers: Mapping[str, str] | None = None,
        *,
        chunked: bool = False,
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}), encode_chunked=chunked)
            answer = connection.getresponse()
            return Reply(answer.status, answer.read(), dict(answer.headers))
        finally:
            connection.close()

    def whispered(self, count: int = 1) -> list[str]:
        return [c.body["text"] for c in self.api.wait_for("response", count)]


@pytest.fixture
def api() -> Iterator[FakeWebApi]:
    server = FakeWebApi()
    yield server
    server.close()


@pytest.fixture
def changed_deps(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The policy of a row's `settings`, where it has some. Tests may override it."""
    call = getattr(request.node, "callspec", None)
    settings = call.params.get("settings", {}) if call else {}
    return {"policy": made.policy(**settings)}


def deps_for(client: WebClient, whisper: Whisper, store: made.Store, **changes: Any) -> Deps:
    """All that the listeners need."""
    usual = {
        "inbox": store.inbox,
        "policy": made.policy(),
        "command": made.COMMAND,
        "identity": Identity(client),
        "views": client,
        "whisper": whisper,
        "lookups": made.FakeLookups(),
        "overview": store.overview,
    }
    return Deps(**(usual | changes))


@pytest.fixture
def store() -> Iterator[made.Store]:
    store = made.Store()
    yield store
    store.db.close()


@pytest.fixture
def whisper() -> Iterator[Whisper]:
    # One connection is all that a store in memory has, and a whisper has its own thread.
    store = made.Store()
    whisper = Whisper(store.pauses, "http://127.0.0.1/api/")
    yield whisper
    assert whisper.stop(PATIENCE_SECONDS)
    store.db.close()


@pytest.fixture
def adapter(
    api: FakeWebApi, store: made.Store, whisper: Whisper, changed_deps: dict[str, Any]
) -> Iterator[Adapter]:
    client = api_client("xoxb-test-token", base_url=api.api_url, timeout_s=2)
    counted = {"on_repeated": lambda: made_adapter.repeat()}
    deps: Any = deps_for(client, whisper, store, **(counted | changed_deps))
    app = make_app(deps)
    from_slack = FromSlack(
        lambda refused: made_adapter.secret_now(refused),
        partial(dispatch, app),
        lambda kind: made_adapter.rejected.append(kind),
        now=lambda: made_adapter.now,
        clock=made.SlackClock(),
    )

    def metrics() -> bytes:
        if made_adapter.broken:
            raise made_adapter.broken
        return b"up 1\n"

    pages = Ready({"database": lambda: made_adapter.problem}).pages(metrics)
    server = Server(
        Paths(pages, from_slack.answer),
        "127.0.0.1",
        0,
        on_too_large=partial(from_slack.turn_away, "too_large"),
    )
    made_adapter = Adapter(api, store, whisper, server, deps.identity, deps.lookups)
    server.start()
    yield made_adapter
    server.close()


@pytest.fixture
def answers(api: FakeWebApi, store: made.Store) -> Callable[..., dict[str, Any]]:
    """An answer that is due, to somebody whose address is this one."""

    def answer(
        url: str | None, *, matters: bool = False, user: str | None = "U1", kept: made.Store = store
    ) -> Any:
        number = kept.inbox.put(
            Opened(action="deny", by="U1"), origin="o", request_id=made.ID, response_url=url
        )
        assert number is not None
        words = Words(event=number, code="denied", matters=matters)
        return {"slot": f"answer:{number}:denied", "answer": words, "person": user}

    return answer
