"""The real store with a request in it, a policy, what Slack sends about them, and lookups that
bring what a test has set."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from slack_sdk.signature import Clock, SignatureVerifier
from sqlalchemy import delete, insert, select

from bot.request.events import EVENT, CallFailed, Event
from bot.request.lookup_results import (
    Home,
    HomeRead,
    ListedPairing,
    LookFailed,
    MayNotLook,
    PairingsListed,
    PreviewRead,
    SitesRead,
    SiteUnread,
)
from bot.request.messages import Answer, Message
from bot.request.model import Request
from bot.request.pairing import Pairing, PairingUnresolved, Server
from bot.request.problem import Problem, ProblemKind
from bot.request.who_may import Policy
from bot.slack.draw.ids import ButtonValue
from bot.store import schema
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.migrate import upgrade
from bot.store.outbox import Outbox
from bot.store.queries import Overview
from bot.store.saving import add, row_of
from bot.store.slack_pauses import Pauses
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
        self.outbox, self.pauses = Outbox(self.db, 25_000), Pauses(self.db)
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

        object.__setattr__(self.inbox, "put", put)


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


SIGNED_AT_S = 1_800_000_000


class SlackClock(Clock):
    """It stands still: between signing and checking a busy machine may take seconds."""

    def now(self) -> float:
        return SIGNED_AT_S


def signed(body: str, *, secret: str = SECRET, age_s: int = 0) -> dict[str, str]:
    timestamp = str(SIGNED_AT_S - age_s)
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    assert signature is not None
    return {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }


# ---- lookups -----------------------------------------------------------------------------------

READ_AT = 1_700_000_000_000


def pairing(number: int = 1, *, remote: str = "prague", status: str | None = "OK") -> Pairing:
    return Pairing(
        id=f"{number:08d}-0000-0000-0000-000000000000",
        local_vc=Server(id="vc-berlin", name="berlin", status="OK"),
        remote_vc=Server(id=f"vc-{remote}", name=remote, status="OK"),
        local_vrms=Server(id="vr-berlin", name="vr-berlin", status="OK"),
        remote_vrms=Server(id=f"vr-{remote}", name=f"vr-{remote}", status=status),
    )


def itself(number: int = 9) -> Pairing:
    same = Server(id="vc-berlin", name="berlin")
    return pairing(number).model_copy(update={"remote_vc": same})


def listed(*pairings: Pairing, site: str = "default", **more: object) -> PairingsListed:
    items = tuple(ListedPairing(pairing=each) for each in pairings)
    return PairingsListed.model_validate(
        {"site": site, "pairings": items, "read_at": READ_AT, **more}
    )


def unread(site: str = "default", kind: ProblemKind = ProblemKind.UNSENT) -> SiteUnread:
    problem = Problem(kind=kind, text="no connection to vr.local <b>")
    return SiteUnread(site=site, failed=CallFailed(problem=problem))


class FakeLookups:
    """Gives what is set, at once and in the thread of whoever asks; `full` takes nothing.
    `asked` remembers what was looked up, by whom."""

    def __init__(self) -> None:
        self.sites: dict[str, PairingsListed | SiteUnread] = {}
        self.read: PreviewRead = PairingUnresolved(why="none")
        self.refusal: MayNotLook | LookFailed | None = None
        self.in_memory: dict[str, PairingsListed] = {}
        self.full = False
        self.asked: list[tuple[object, ...]] = []
        self.homes: dict[str, HomeRead] = {}

    def preview(self, site: str, typed: str, by: str, then: Callable[[PreviewRead], None]) -> bool:
        return self._take(("preview", site, typed, by), then, lambda: self.read)

    def pairings(
        self,
        sites: Sequence[str],
        by: str,
        then: Callable[[SitesRead], None],
        *,
        counted: bool = False,
        fresh_s: float = 0,
    ) -> bool:
        asked = ("pairings", tuple(sites), by, counted)
        return self._take(asked, then, lambda: tuple(self.sites[site] for site in sites))

    def stored(
        self,
        by: str,
        read: Callable[[], Any],
        then: Callable[[Any], None],
        *,
        team: str | None = None,
        channel: str | None = None,
    ) -> bool:
        return self._take(("stored", by, team, channel) if channel else ("stored", by), then, read)

    def home(self, by: str, then: Callable[[HomeRead], None]) -> bool:
        return self._take(("home", by), then, lambda: self.homes.get(by, Home()))

    def known(self, site: str, *, within_s: float) -> PairingsListed | None:
        return self.in_memory.get(site)

    def _take(
        self, asked: tuple[object, ...], then: Callable[[Any], None], found: Callable[[], Any]
    ) -> bool:
        if not self.full:
            self.asked.append(asked)
            then(self.refusal or found())
        return not self.full
