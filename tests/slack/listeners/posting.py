"""A poster over the fake Web API and the real outbox, for the tests of both."""

from __future__ import annotations

from typing import Any

from bot.request.messages import Drawn
from bot.request.model import Request
from bot.slack.send.poster import Poster
from bot.slack.send.web_api import api_client
from tests.slack.listeners.fake_web_api import (
    FakeWebApi,
)
from tests.slack.listeners.made import CARD_TS, Store

POST, UPDATE = "chat.postMessage", "chat.update"
CARD: dict[str, Any] = {"slot": "card"}
EDIT: dict[str, Any] = {"slot": "card", "ts": CARD_TS, "shown": "old"}
END: dict[str, Any] = {"slot": "final", "ts": "1.1", "shown": "old"}


def drawn_quickly(request: Request, slot: str) -> Drawn:
    blocks = ({"type": "section", "text": {"type": "mrkdwn", "text": request.state.value}},)
    return Drawn(text=f"{slot} {request.state.value}", blocks=blocks)


def poster_for(api: FakeWebApi, store: Store, *, timeout_s: int = 1, **changes: Any) -> Poster:
    usual: dict[str, Any] = {
        "client": api_client("xoxb-t", base_url=api.api_url, timeout_s=timeout_s),
        "pauses": store.pauses,
        "draw": drawn_quickly,
        "draw_answer": lambda answer, request: Drawn(text=f"{answer.code} {request is None}"),
        "nets": (0.05, 0.05),
    }
    return Poster(store.outbox, **(usual | changes))


def delivered(api: FakeWebApi, store: Store, due: dict[str, Any], **changes: Any) -> Any:
    """One delivery; the message as it is kept after that."""
    store.owes(**due)
    assert poster_for(api, store, **changes).once() is True
    return store.message(due["slot"])


def gap_ms(store: Store, row: Any) -> int:
    """Until it is tried again."""
    gap: int = row.due_at - store.ms
    return gap


def given_up(row: Any) -> str | None:
    """Why it is never tried again."""
    assert row.due_at is None
    why: str | None = row.last_error
    return why
