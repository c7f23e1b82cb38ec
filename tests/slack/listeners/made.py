"""The real store with a request in it, a policy, and what Slack sends about them."""

from __future__ import annotations

import json
import time
from typing import Any, NamedTuple
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier
from sqlalchemy import delete, insert, select

from bot.request.events import EVENT, Event
from bot.request.messages import Answer, Message
from bot.request.model import Request
from bot.request.who_may import Policy
from bot.slack.draw.ids import ButtonValue
from bot.store import schema
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.migrate import upgrade
from bot.store.outbox import Outbox, Pauses
from bot.store.queries import Overview
from bot.store.saving import add, row_of
from tests.slack.cards import samples
from tests.support import world

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
COMMAND = "/vr-unpair"
ID = "K7QM-3XPD"
CARD_TS = "1700000000.000100"
FINGERPRINT = "a" * 16
Json = dict[str, Any]


def policy(**changes: Any) -> Policy:
    usual = {"approvers": frozenset({"UAPPROVER", "UOTHER"}), "notify": ("UAPPROVER",)}
    return world.policy(**{**usual, "schedule_max_ms": 604_800_000, **changes})


def request(**changes: Any) -> Request:
    """Pending, with its card in Slack."""
    usual: Json = {
        "site": "default",
        "requester": "UREQUESTER",
        "channel": "C1",
        "fingerprint": FINGERPRINT,
        "card_ts": CARD_TS,
    }
    return samples.sample(**(usual | changes))


class Put(NamedTuple):
    """One event as a listener left it."""

    event: Event
    origin: str
    request_id: str
    response_url: str | None
    answer_via: int | None


class Store:
    """`ms` is what its clock says."""

    def __init__(self, url: str = "sqlite://") -> None:
        self.ms = samples.NOW
        self.db = Database(url, now=lambda: self.ms)
        upgrade(self.db)
        self.inbox, self.overview = Inbox(self.db), Overview(self.db)
        self.outbox, self.pauses = Outbox(self.db), Pauses(self.db)
        self.has()

    @property
    def puts(self) -> list[Put]:
        table = schema.inbox.c
        columns = (table.body, table.origin, table.request_id, table.response_url, table.answer_via)
        with self.db.read() as conn:
            rows = conn.execute(select(*columns).order_by(table.number)).all()
        return [Put(EVENT.validate_json(body), *more) for body, *more in rows]

    def has(self, **changes: Any) -> Request:
        """There is this request, instead of one with the same id."""
        row = request(**changes)
        self.forgets(row.id)
        with self.db.write() as conn:
            values = {**row_of(row), "version": 1, "lease_until": 0, "due_at": None}
            conn.execute(insert(schema.requests).values(values))
        return row

    def forgets(self, request_id: str = ID) -> None:
        with self.db.write() as conn:
            conn.execute(delete(schema.requests).where(schema.requests.c.id == request_id))

    def owes(
        self, slot: str, answer: Answer | None = None, *, request_id: str = ID, **columns: Any
    ) -> None:
        """This message is due, instead of one in the same slot."""
        usual = {"channel": "C1", "wanted": 1, "answer": answer and answer.model_dump_json()}
        with self.db.write() as conn:
            conn.execute(delete(schema.messages).where(_is(request_id, slot)))
            add(conn, request_id, Message(slot=slot), self.ms, **usual | columns)

    def message(self, slot: str, request_id: str = ID) -> Any:
        with self.db.read() as conn:
            return conn.execute(select(schema.messages).where(_is(request_id, slot))).one()

    def breaks(self, error: Exception) -> None:
        """Nothing can be stored any more."""

        def put(*_: object, **__: object) -> None:
            raise error

        self.inbox.put = put  # type: ignore[assignment]


def _is(request_id: str, slot: str) -> Any:
    return (schema.messages.c.request_id == request_id) & (schema.messages.c.slot == slot)


def command(text: str, response_url: str, **changes: str | None) -> Json:
    fields: Json = {
        "token": "legacy",
        "team_id": "T1",
        "channel_id": "C1",
        "channel_name": "ops",
        "user_id": "UREQUESTER",
        "command": COMMAND,
        "text": text,
        "api_app_id": "A1",
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": "1.2.abc",
    }
    return {k: v for k, v in (fields | changes).items() if v is not None}


def click(action_id: str, response_url: str, **changes: Any) -> Json:
    """`block_actions`. Changes: `value`, `by`, `message`, or any top-level key; None drops it."""
    value = changes.pop("value", ButtonValue(request_id="K7QM-3XPD", fingerprint=FINGERPRINT))
    action: Json = {
        "type": "button",
        "action_id": action_id,
        "block_id": "b",
        "action_ts": "1700000001.5",
        "value": value.pack() if isinstance(value, ButtonValue) else value,
    }
    payload: Json = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": changes.pop("by", "UAPPROVER"), "team_id": "T1"},
        "api_app_id": "A1",
        "token": "legacy",
        "container": {"type": "message", "message_ts": CARD_TS, "channel_id": "C1"},
        "channel": {"id": "C1", "name": "ops"},
        "message": {"ts": CARD_TS, "app_id": "A1", "bot_id": "B1", "user": "UBOT"},
        "trigger_id": "3.4.def",
        "response_url": response_url,
        "actions": [action],
    }
    return {k: v for k, v in (payload | changes).items() if v is not None}


def typed(words: Any) -> Json:
    """The state of an input in which this was typed."""
    return {"value": {"type": "plain_text_input", "value": words}}


def submission(
    metadata: str,
    values: Json,
    form: str = "unpair_deny_reason",
    *,
    by: str = "UAPPROVER",
    **changes: Any,
) -> Json:
    """`view_submission` of this modal, by the block ids of its inputs."""
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": form,
        "private_metadata": metadata,
        "state": {"values": values},
    }
    payload: Json = {
        "type": "view_submission",
        "team": {"id": "T1"},
        "user": {"id": by, "team_id": "T1"},
        "api_app_id": "A1",
        "trigger_id": "5.6.ghi",
        "view": view,
        "response_urls": [],
    }
    return payload | changes


def form(payload: Json) -> str:
    """As Slack sends it: a command as fields, everything else as JSON in the field `payload`."""
    if "command" in payload:
        return urlencode(payload)
    return urlencode({"payload": json.dumps(payload)})


def signed(body: str, *, secret: str = SECRET, age_s: int = 0) -> dict[str, str]:
    timestamp = str(int(time.time()) - age_s)
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    assert signature is not None
    return {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }
