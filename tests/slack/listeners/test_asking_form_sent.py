"""The request modal is sent: what is stored, and what is said at a field instead."""

from __future__ import annotations

from typing import Any

import pytest

from bot.request.events import Asked
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter
from tests.slack.listeners.request_form import ONE, open_form, opened, send, view_of


def test_what_is_sent_is_stored_as_the_command_would(adapter: Adapter) -> None:
    metadata = opened(adapter)
    reply = send(adapter, metadata, force="true", reason="  gone,\nfor good ")
    assert (reply.status, reply.body) == (200, b"")
    first, asked = adapter.inbox.puts
    assert asked.event == Asked(
        site="default",
        pairing=ONE.id,
        force=True,
        reason="gone,\nfor good",
        requester="UREQUESTER",
        team="T1",
        channel="C1",
    )
    assert (asked.request_id, asked.answer_via) == (first.request_id, 1)
    assert asked.response_url is None
    (said,) = adapter.whispered()
    assert said == f"Reading `{ONE.id}` from the appliance. The card comes next, in this channel."


@pytest.mark.parametrize(
    ("picked", "at"),
    [
        ({"date": "2026-12-03", "time": "22:00"}, "2026-12-03T22:00"),
        ({"time": "07:05"}, "07:05"),
        ({}, None),
    ],
)
def test_a_time_is_stored_as_the_command_would(
    adapter: Adapter, picked: dict[str, str], at: str | None
) -> None:
    send(adapter, opened(adapter), **picked)
    asked = adapter.inbox.puts[-1].event
    assert isinstance(asked, Asked)
    assert asked.at == at


def test_a_day_without_a_time_is_said_there(adapter: Adapter) -> None:
    reply = send(adapter, opened(adapter), date="2026-12-03")
    assert reply.json["errors"] == {"time": "Choose the time too, or clear the day."}


def test_one_form_asks_once(adapter: Adapter) -> None:
    metadata = opened(adapter)
    for press in ("first", "second"):
        assert send(adapter, metadata, trigger_id=press).body == b""
    assert len(adapter.inbox.puts) == 2
    assert len(adapter.whispered()) == 1


@pytest.mark.parametrize(
    ("corrected", "says"),
    [
        ({"reason": "moving out in May"}, {"reason": "“moving out”"}),
        ({"time": "22:00"}, {"time": "no time"}),
        ({"force": "true"}, {"force": "“Both sites drop the pairing”"}),
        ({"pairing": "paris"}, {"pairing": f"{ONE.id}."}),
        ({"force": "true", "reason": None}, {"force": "Both sites", "reason": "“moving out”"}),
    ],
)
def test_a_form_that_was_taken_and_is_corrected_says_what_was_sent(
    adapter: Adapter, corrected: dict[str, Any], says: dict[str, str]
) -> None:
    """The acknowledgement was lost, so the form stayed open. The second content must not look as if
    it had been taken."""
    metadata = opened(adapter)
    send(adapter, metadata)
    reply = send(adapter, metadata, trigger_id="again", **corrected)
    assert reply.json["response_action"] == "errors"
    errors = reply.json["errors"]
    assert errors.keys() == says.keys()
    request_id = adapter.inbox.puts[0].request_id
    for field, words in says.items():
        assert errors[field].startswith(f"This was already sent, as request {request_id}, with ")
        assert words in errors[field]
        assert "Close this form" in errors[field]
    assert len(adapter.inbox.puts) == 2
    assert send(adapter, metadata, trigger_id="as before").body == b""


def test_the_pairing_that_was_sent_is_named_by_its_sites(adapter: Adapter) -> None:
    metadata = opened(adapter)
    send(adapter, metadata)
    request_id = adapter.inbox.puts[0].request_id
    adapter.requests.rows[request_id] = made.request(id=request_id)
    said = send(adapter, metadata, pairing="paris").json["errors"]["pairing"]
    assert "london → paris" in said


def test_two_forms_ask_twice(adapter: Adapter) -> None:
    metadata = opened(adapter)
    open_form(adapter, trigger_id="another")
    other: str = view_of(adapter)["private_metadata"]
    send(adapter, metadata)
    send(adapter, other, view_id="V2")
    ids = {p.request_id for p in adapter.inbox.puts if isinstance(p.event, Asked)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"pairing": None}, ["pairing"]),
        ({"pairing": "x" * 151}, ["pairing"]),
        ({"force": None}, ["force"]),
        ({"force": "yes"}, ["force"]),
        ({"reason": "x" * 2_901}, ["reason"]),
        ({"reason": "&" * 600}, ["reason"]),
        ({"pairing": None, "force": None, "reason": "x" * 2_901}, ["pairing", "force", "reason"]),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    adapter: Adapter, changes: dict[str, Any], fields: list[str]
) -> None:
    reply = send(adapter, opened(adapter), **changes)
    assert reply.json["response_action"] == "errors"
    assert list(reply.json["errors"]) == fields
    assert len(adapter.inbox.puts) == 1


@pytest.mark.parametrize(
    "changed_deps",
    [{"policy": made.policy(require_reason=True, reason_pattern=r"<CHG>\d{7}")}],
    ids=["pattern"],
)
@pytest.mark.parametrize("reason", [None, "", "  ", "CHG1"])
def test_a_reason_that_does_not_fit_is_told_the_pattern(
    adapter: Adapter, reason: str | None
) -> None:
    metadata = opened(adapter)
    said = send(adapter, metadata, reason=reason).json["errors"]["reason"]
    assert "\u2039CHG\u203a\\d{7}" in said
    assert send(adapter, metadata, reason="as in <CHG>1234567").body == b""


@pytest.mark.parametrize(
    "changed_deps", [{"policy": made.policy(require_reason=True)}], ids=["required"]
)
@pytest.mark.parametrize("reason", [None, " \n"])
def test_a_reason_that_is_needed(adapter: Adapter, reason: str | None) -> None:
    reply = send(adapter, opened(adapter), reason=reason)
    assert list(reply.json["errors"]) == ["reason"]


@pytest.mark.parametrize("metadata", ["", "{}", "nonsense", '{"request_id": "x"}'])
def test_a_form_of_another_version_says_so(adapter: Adapter, metadata: str) -> None:
    reply = send(adapter, metadata)
    assert made.COMMAND in reply.json["errors"]["reason"]
    assert adapter.inbox.puts == []


def test_a_store_that_fails_is_said_at_the_field(
    adapter: Adapter, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = opened(adapter)
    adapter.inbox.broken = RuntimeError("no space")
    said = send(adapter, metadata).json["errors"]["reason"]
    reference = said.partition("reference ")[2].split()[0]
    assert reference in capsys.readouterr().out
