"""The slash command over the real wire: what is stored, and that the asker is answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from structlog.testing import capture_logs

from bot.request.events import Asked, AskRefused
from bot.request.model import State
from bot.request.problem import Problem, ProblemKind
from bot.slack.draw.ids import AskOrigin
from bot.store.per_person import AT_ONCE, EVERY_MS
from bot.store.queries import Overview
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter, Reply
from tests.store.samples import away

AWAY = Problem(kind=ProblemKind.UNSENT, text="it is away")
SITES = {n: made.policy().sites["default"] for n in ("east", "west")}


def with_policy(**changes: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("changed_deps", [{"policy": made.policy(**changes)}], ids=[""])


def _ask(adapter: Adapter, text: str, **changes: str | None) -> Reply:
    return adapter.send(made.command(text, adapter.api.response_url(), **changes))


def _asked(adapter: Adapter) -> list[Asked]:
    return [put.event for put in adapter.puts if isinstance(put.event, Asked)]


def _refused(adapter: Adapter, reply: Reply) -> str:
    """The sentence; nothing may have been stored that becomes a request."""
    assert reply.status == 200
    assert reply.json["response_type"] == "ephemeral"
    assert _asked(adapter) == []
    return str(reply.json["text"])


def test_it_is_stored_as_it_was_asked(adapter: Adapter) -> None:
    secret = "13345224609.738474920.8088930838d88f008e0"
    reply = _ask(adapter, "paris --force the site burnt down", trigger_id=secret)
    assert reply.json["response_type"] == "ephemeral"
    (put,) = adapter.puts
    assert put.event == Asked(
        site="default",
        pairing="paris",
        force=True,
        reason="the site burnt down",
        requester="UREQUESTER",
        team="T1",
        channel="C1",
    )
    assert put.response_url == adapter.api.response_url()
    assert secret.rpartition(".")[2] not in put.origin
    assert adapter.api.calls == []


def test_the_same_command_is_one_request_and_another_trigger_another(adapter: Adapter) -> None:
    replies = [_ask(adapter, "paris gone", trigger_id=t).body for t in ("1.a", "1.a", "2.b")]
    assert replies[0] == replies[1]
    first, second = adapter.puts
    assert first.request_id != second.request_id
    assert first.origin != second.origin


def test_the_word_payload_is_a_word_like_others(adapter: Adapter) -> None:
    """Bolt's own parser would take the command for an empty request."""
    _ask(adapter, "payload-site broken payload=1")
    assert [(e.pairing, e.reason) for e in _asked(adapter)] == [
        ("payload-site", "broken payload=1")
    ]


@pytest.mark.parametrize("text", ["help", "--force"])
def test_what_asks_for_nothing_gets_a_sentence(adapter: Adapter, text: str) -> None:
    assert made.COMMAND in _refused(adapter, _ask(adapter, text))
    assert adapter.puts == []


def test_a_command_of_another_deployment(adapter: Adapter) -> None:
    said = _refused(adapter, _ask(adapter, "paris gone", command="/vr-unpair-<test>"))
    assert made.COMMAND in said
    assert "<test>" not in said


@with_policy(channels=frozenset({"C9"}))
def test_a_request_from_another_channel_is_for_the_check_to_refuse(adapter: Adapter) -> None:
    _ask(adapter, "paris gone")
    _ask(adapter, "paris gone", channel_id="C9", trigger_id="another")
    assert len(_asked(adapter)) == 2


@with_policy(reason_pattern=r"<CHG>\d{7}")
def test_the_pattern_may_stand_anywhere_and_is_shown(adapter: Adapter) -> None:
    for text in ("paris", "paris without a number", "paris &lt;CHG&gt;123"):
        assert r"&lt;CHG&gt;\d{7}" in _refused(adapter, _ask(adapter, text))
    _ask(adapter, "paris as agreed in &lt;CHG&gt;1234567 on Monday")
    assert len(_asked(adapter)) == 1


@with_policy(sites=SITES)
def test_several_appliances(adapter: Adapter) -> None:
    said = _refused(adapter, _ask(adapter, "north/paris gone"))
    assert all(site in said for site in ("north", "east", "west"))
    assert "west/PAIRING" in _refused(adapter, _ask(adapter, "west/ gone"))
    _ask(adapter, "West/paris gone", trigger_id="a")
    _ask(adapter, "paris gone", trigger_id="b")
    assert [(e.site, e.pairing) for e in _asked(adapter)] == [("west", "paris"), ("", "paris")]


@pytest.mark.parametrize(
    ("typed", "pairing"), [("default/paris", "paris"), ("a/b", "a/b"), ("default/", "default/")]
)
def test_one_appliance_takes_any_slash(adapter: Adapter, typed: str, pairing: str) -> None:
    _ask(adapter, f"{typed} gone")
    assert [(e.site, e.pairing) for e in _asked(adapter)] == [("default", pairing)]


def test_a_store_that_fails_is_told_with_a_reference(
    adapter: Adapter, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = adapter.api.response_url("secret-address")
    adapter.store.breaks(sqlite3.OperationalError(f"disk I/O error, parameters: {secret}"))
    reply = adapter.send(made.command("paris gone", secret, trigger_id="77.88.secret-trigger"))
    assert reply.status == 200
    assert reply.json["response_type"] == "ephemeral"
    reference = reply.json["text"].partition("reference ")[2].split()[0]
    logged = capsys.readouterr().out
    assert reference in logged
    assert "disk I/O error" in logged
    assert "secret-address" not in logged
    assert "secret-trigger" not in logged


# ---- refused at once, and left to the audit trail --------------------------------------------

REFUSED = [
    ("paris --force gone", {"channel_id": "D1"}, {}, "direct_message"),
    ("paris --force gone", {"channel_name": "directmessage"}, {}, "direct_message"),
    ("", {"channel_id": "D1"}, {}, "direct_message"),
    ("", {}, {"channels": frozenset({"C9"})}, "channel"),
    ("paris --force", {}, {"require_reason": True}, "reason_missing"),
    ("paris --force \u200b", {}, {"require_reason": True}, "reason_missing"),
    ("paris --force gone", {}, {"reason_pattern": r"CHG\d{7}"}, "reason_pattern"),
]


@pytest.mark.parametrize(
    ("typed", "place", "changed_deps", "why"),
    [
        (typed, place, {"policy": made.policy(**policy)}, why)
        for typed, place, policy, why in REFUSED
    ],
    ids=range(len(REFUSED)),
)
def test_each_refusal_is_one_event(
    adapter: Adapter, typed: str, place: dict[str, str], why: str
) -> None:
    _refused(adapter, _ask(adapter, typed, **place))
    (put,) = adapter.puts
    assert put.event == AskRefused(
        by="UREQUESTER",
        team="T1",
        channel=place.get("channel_id", "C1"),
        pairing="paris" if typed else "",
        force=bool(typed),
        why=why,  # type: ignore[arg-type]
    )
    assert put.request_id == ""
    assert put.response_url is None, "nothing comes of it that would need an address"
    assert adapter.api.calls == []


@with_policy(channels=frozenset({"C9"}))
def test_who_only_looks_or_is_not_understood_was_not_refused_to_ask(adapter: Adapter) -> None:
    for typed in ("list", "status", "preview paris", "help", "--force"):
        _ask(adapter, typed)
    assert adapter.puts == []


@with_policy(require_reason=True)
def test_whoever_types_it_all_day_fills_nothing(adapter: Adapter) -> None:
    def typed(times: int, **changes: str) -> int:
        for n in range(times):
            _refused(adapter, _ask(adapter, f"paris{n}", trigger_id=f"t{n}", **changes))
        return len(adapter.puts)

    with time_machine.travel(1_800_000_000, tick=False) as clock:
        assert typed(20) == 1
        assert typed(20, user_id="UOTHER") == 2
        assert typed(20, channel_id="C2") == 3
        clock.shift(60)
        assert typed(20) == 4


# ---- no card after ten seconds: who asked is told so, once -----------------------------------


@pytest.fixture
def later(changed_deps: dict[str, Any]) -> list[tuple[float, Callable[[], None]]]:
    """What is to be done later."""
    told: list[tuple[float, Callable[[], None]]] = []
    changed_deps["later"] = lambda seconds, then: told.append((seconds, then))
    return told


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (None, 1),
        ({"state": State.CHECKING, "snapshot": None}, 1),
        ({"state": State.CHECKING}, 0),
        ({"state": State.PENDING}, 0),
        ({"state": State.REFUSED, "snapshot": None}, 0),
        ({"state": State.CHECKING, "snapshot": None, "waiting": AWAY}, 0),
    ],
)
def test_what_the_row_says_after_ten_seconds(
    later: list[Any], adapter: Adapter, row: dict[str, Any] | None, said: int
) -> None:
    adapter.store.forgets()
    _ask(adapter, "paris gone")
    ((seconds, then),) = later
    assert seconds == 10
    if row is not None:
        adapter.store.has(id=adapter.puts[0].request_id, **row)
    then()
    if said:
        assert "`paris`" in adapter.whispered(1)[0]
    adapter.whisper.stop(10)
    assert len(adapter.api.of("response")) == said


def test_a_database_that_is_away_after_ten_seconds(
    later: list[Any], adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise away()

    _ask(adapter, "paris gone")
    monkeypatch.setattr(Overview, "get", gone)
    with capture_logs() as logged:
        later[0][1]()
    assert [event["event"] for event in logged] == ["slow_check_untold"]


# ---- one person who asks without end ------------------------------------------------------------


def test_one_person_may_not_ask_for_everything_at_once(adapter: Adapter) -> None:
    """Nonsense and good requests alike, by command and form; others may, and a moment later they
    may again."""

    def asks(number: int, **changes: str) -> str:
        reply = _ask(adapter, f"paris{number} gone", trigger_id=f"t{number}", **changes)
        return str(reply.json["text"])

    for number in range(AT_ONCE):
        assert "Reading" in asks(number)
    refused = asks(AT_ONCE)
    assert "Try again in 30 seconds" in refused
    assert "Reading" in asks(1), "Slack's second try of one that was taken"
    values = {"pairing": made.typed("paris"), "reason": made.typed("gone")}
    values["force"] = {"value": {"selected_option": {"value": "false"}}}
    opened = AskOrigin(request_id="AAAA-9999", channel="C1", opened_by=1).pack()
    form = made.submission(opened, values, "unpair_request", by="UREQUESTER")
    assert adapter.send(form).json["errors"] == {"reason": refused}
    assert len(_asked(adapter)) == AT_ONCE
    assert "Reading" in asks(AT_ONCE + 1, user_id="UOTHER")
    adapter.store.ms += EVERY_MS
    assert "Reading" in asks(AT_ONCE + 2)
    assert "Try again" in asks(AT_ONCE + 3)
