"""The slash command over the real wire: what is stored, and what the asker reads."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from bot.request.events import Asked
from bot.request.model import State
from bot.request.problem import Problem, ProblemKind
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter, Reply

AWAY = Problem(kind=ProblemKind.UNSENT, text="it is away")


def _ask(adapter: Adapter, text: str, **changes: str | None) -> Reply:
    return adapter.send(made.command(text, adapter.api.response_url(), **changes))


def _asked(adapter: Adapter) -> list[Asked]:
    return [put.event for put in adapter.inbox.puts if isinstance(put.event, Asked)]


def _refused(adapter: Adapter, reply: Reply) -> str:
    """The sentence; nothing may have been stored that becomes a request."""
    assert reply.status == 200
    assert reply.json["response_type"] == "ephemeral"
    assert _asked(adapter) == []
    return str(reply.json["text"])


def test_it_is_stored_as_it_was_asked(adapter: Adapter) -> None:
    reply = _ask(adapter, "paris --force the site burnt down")
    assert reply.json["response_type"] == "ephemeral"
    assert "card" in reply.json["text"]
    (put,) = adapter.inbox.puts
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
    assert adapter.api.calls == []


def test_a_repeated_command_stores_nothing_and_reads_the_same(adapter: Adapter) -> None:
    first, second = _ask(adapter, "paris gone"), _ask(adapter, "paris gone")
    assert first.body == second.body
    assert len(adapter.inbox.puts) == 1


def test_another_command_is_another_request(adapter: Adapter) -> None:
    _ask(adapter, "paris gone")
    _ask(adapter, "paris gone", trigger_id="another")
    first, second = adapter.inbox.puts
    assert first.request_id != second.request_id
    assert first.origin != second.origin


def test_the_trigger_is_not_kept_in_clear(adapter: Adapter) -> None:
    _ask(adapter, "paris gone", trigger_id="13345224609.738474920.8088930838d88f008e0")
    assert "8088930838d88f008e0" not in adapter.inbox.puts[0].origin


def test_the_word_payload_is_a_word_like_others(adapter: Adapter) -> None:
    _ask(adapter, "payload-site broken payload=1")
    (put,) = adapter.inbox.puts
    assert isinstance(put.event, Asked)
    assert (put.event.pairing, put.event.reason) == ("payload-site", "broken payload=1")


@pytest.mark.parametrize(
    "changes", [{"channel_id": "D123", "channel_name": "x"}, {"channel_name": "directmessage"}]
)
def test_a_direct_message_is_no_place_to_ask(adapter: Adapter, changes: dict[str, str]) -> None:
    assert "channel" in _refused(adapter, _ask(adapter, "paris gone", **changes))


def test_help_names_everything_that_can_be_typed(adapter: Adapter) -> None:
    text = _refused(adapter, _ask(adapter, "help"))
    for form in (
        "",
        " PAIRING [--force] [--at TIME] [reason]",
        " preview PAIRING [--force]",
        " list",
        " status",
    ):
        assert f"`{made.COMMAND}{form}`" in text
    assert f"`{made.COMMAND} status ID`" in text


@pytest.mark.parametrize("text", ["--force", "previw paris", "staus K7QM-3XPD"])
def test_what_is_not_understood_gets_a_sentence(adapter: Adapter, text: str) -> None:
    assert made.COMMAND in _refused(adapter, _ask(adapter, text))


def test_a_command_of_another_deployment(adapter: Adapter) -> None:
    said = _refused(adapter, _ask(adapter, "paris gone", command="/vr-unpair-<test>"))
    assert made.COMMAND in said
    assert "<test>" not in said


POLICIES = {
    "channels": {"policy": made.policy(channels=frozenset({"C9"}))},
    "reason": {"policy": made.policy(require_reason=True)},
    "pattern": {"policy": made.policy(reason_pattern=r"<CHG>\d{7}")},
    "both": {"policy": made.policy(require_reason=True, reason_pattern=r"CHG\d{7}")},
    "sites": {
        "policy": made.policy(sites={n: made.policy().sites["default"] for n in ("east", "west")})
    },
}


@pytest.mark.parametrize("changed_deps", [POLICIES["channels"]], ids=["channels"])
def test_in_another_channel_there_is_neither_form_nor_list(adapter: Adapter) -> None:
    assert "<#C9>" in _refused(adapter, _ask(adapter, ""))
    assert "<#C9>" in adapter.send(made.command("list", adapter.api.response_url())).json["text"]
    assert _asked(adapter) == []


@pytest.mark.parametrize("changed_deps", [POLICIES["channels"]], ids=["channels"])
def test_a_request_from_another_channel_is_for_the_check_to_refuse(adapter: Adapter) -> None:
    _ask(adapter, "paris gone")
    _ask(adapter, "paris gone", channel_id="C9", trigger_id="another")
    assert len(_asked(adapter)) == 2


@pytest.mark.parametrize("changed_deps", [POLICIES["reason"]], ids=["reason"])
def test_a_missing_reason_is_asked_for(adapter: Adapter) -> None:
    assert "needs a reason" in _refused(adapter, _ask(adapter, "paris"))
    _ask(adapter, "paris gone")
    assert len(_asked(adapter)) == 1


@pytest.mark.parametrize("changed_deps", [POLICIES["pattern"]], ids=["pattern"])
@pytest.mark.parametrize("text", ["paris", "paris without a number", "paris <CHG>123"])
def test_a_reason_that_does_not_fit_is_told_the_pattern(adapter: Adapter, text: str) -> None:
    said = _refused(adapter, _ask(adapter, text.replace("<", "&lt;").replace(">", "&gt;")))
    assert r"&lt;CHG&gt;\d{7}" in said


@pytest.mark.parametrize("changed_deps", [POLICIES["pattern"]], ids=["pattern"])
def test_the_pattern_may_stand_anywhere(adapter: Adapter) -> None:
    _ask(adapter, "paris as agreed in &lt;CHG&gt;1234567 on Monday")
    assert len(adapter.inbox.puts) == 1


@pytest.mark.parametrize("changed_deps", [POLICIES["both"]], ids=["both"])
def test_a_missing_reason_names_the_pattern_too(adapter: Adapter) -> None:
    assert r"CHG\d{7}" in _refused(adapter, _ask(adapter, "paris"))


@pytest.mark.parametrize("changed_deps", [POLICIES["sites"]], ids=["sites"])
def test_several_appliances(adapter: Adapter) -> None:
    said = _refused(adapter, _ask(adapter, "north/paris gone"))
    assert all(site in said for site in ("north", "east", "west"))
    assert "west/PAIRING" in _refused(adapter, _ask(adapter, "west/ gone"))
    _ask(adapter, "West/paris gone", trigger_id="a")
    _ask(adapter, "paris gone", trigger_id="b")
    assert [(event.site, event.pairing) for event in _asked(adapter)] == [
        ("west", "paris"),
        ("", "paris"),
    ]


@pytest.mark.parametrize(
    ("typed", "pairing"), [("default/paris", "paris"), ("a/b", "a/b"), ("default/", "default/")]
)
def test_one_appliance_takes_any_slash(adapter: Adapter, typed: str, pairing: str) -> None:
    _ask(adapter, f"{typed} gone")
    event: Any = adapter.inbox.puts[0].event
    assert (event.site, event.pairing) == ("default", pairing)


def test_a_reason_beyond_the_limit_is_refused(adapter: Adapter) -> None:
    assert "2,900" in _refused(adapter, _ask(adapter, "paris " + "x" * 2_901))
    _ask(adapter, "paris " + "x" * 2_900)
    assert len(_asked(adapter)) == 1


def test_a_store_that_fails_is_told_with_a_reference(
    adapter: Adapter, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = adapter.api.response_url("secret-address")
    adapter.inbox.broken = sqlite3.OperationalError(f"disk I/O error, parameters: {secret}")
    reply = adapter.send(made.command("paris gone", secret, trigger_id="77.88.secret-trigger"))
    assert reply.status == 200
    assert reply.json["response_type"] == "ephemeral"
    reference = reply.json["text"].partition("reference ")[2].split()[0]
    assert len(reference) == 8
    logged = capsys.readouterr().out
    assert reference in logged
    assert "disk I/O error" in logged
    assert "secret-address" not in logged
    assert "secret-trigger" not in logged


def test_many_at_once_lose_nothing(adapter: Adapter) -> None:
    statuses: list[int] = []

    def one(n: int) -> None:
        statuses.append(_ask(adapter, "paris gone", trigger_id=f"t{n % 10}").status)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 30
    assert len(adapter.inbox.puts) == 10


class TestSilence:
    """No card after ten seconds: who asked is told so, once."""

    @pytest.fixture
    def later(self) -> list[tuple[float, Callable[[], None]]]:
        return []

    @pytest.fixture
    def changed_deps(self, later: list[tuple[float, Callable[[], None]]]) -> dict[str, Any]:
        return {"later": lambda seconds, then: later.append((seconds, then))}

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
    def test_what_the_row_says_then(
        self, adapter: Adapter, later: list[Any], row: dict[str, Any] | None, said: int
    ) -> None:
        _ask(adapter, "paris gone")
        (put,) = adapter.inbox.puts
        ((seconds, then),) = later
        assert seconds == 10
        if row is not None:
            adapter.requests.rows[put.request_id] = made.request(id=put.request_id, **row)
        then()
        if said:
            assert adapter.whispered(1)[0].startswith("Still reading `paris`: it takes longer")
        adapter.whisper.stop(10)
        assert len(adapter.api.of("response")) == said

    def test_a_database_that_is_away(
        self, adapter: Adapter, later: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(request_id: str) -> None:
            raise OperationalError("SELECT", {}, sqlite3.OperationalError("disk I/O error"))

        _ask(adapter, "paris gone")
        monkeypatch.setattr(adapter.requests, "get", away)
        with capture_logs() as logged:
            later[0][1]()
        assert [event["event"] for event in logged] == ["slow_check_untold"]
