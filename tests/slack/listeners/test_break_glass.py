"""Break glass: who gets the form, and what its submission becomes. The rest is as with Deny."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.request.events import Clicked, Opened
from bot.request.model import Request, State
from bot.slack.draw.ids import ButtonValue, ReasonOrigin
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter
from tests.slack.listeners.fake_web_api import error


@dataclass
class Slack:
    """What Slack says of who may, at the press; `asked` remembers who was asked about."""

    yes: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def may(self, user: str, team: str | None) -> bool:
        self.asked.append((user, team))
        return self.yes


@pytest.fixture
def rights() -> Slack:
    return Slack()


@pytest.fixture
def listed() -> frozenset[str]:
    return frozenset({"UCHIEF", "UREQUESTER"})


@pytest.fixture
def changed_deps(rights: Slack, listed: frozenset[str]) -> dict[str, Any]:
    policy = made.policy(break_glass=listed, reason_pattern="CHG")
    return {"policy": policy, "may_break_glass": rights.may}


def with_glass(**changes: Any) -> Request:
    plain = made.request(**changes)
    return plain.model_copy(update={"terms": plain.terms.model_copy(update={"break_glass": True})})


@pytest.fixture(autouse=True)
def row(adapter: Adapter) -> Request:
    row = with_glass()
    adapter.requests.rows[row.id] = row
    return row


def press(adapter: Adapter, **changes: Any) -> None:
    payload = made.click(
        "unpair_break_glass", adapter.api.response_url(), **{"by": "UCHIEF", **changes}
    )
    assert adapter.send(payload).status == 200


def submission(metadata: str, reason: str | None, **changes: Any) -> dict[str, Any]:
    payload = made.submission(metadata, reason, **{"user": {"id": "UCHIEF"}, **changes})
    payload["view"]["callback_id"] = "unpair_break_glass_reason"
    return payload


def opened(adapter: Adapter, **changes: Any) -> str:
    press(adapter, **changes)
    (call,) = adapter.api.of("views.open")
    view = call.body["view"]
    assert isinstance(view, dict)
    assert view["callback_id"] == "unpair_break_glass_reason"
    metadata = view["private_metadata"]
    assert isinstance(metadata, str)
    return metadata


@pytest.mark.parametrize("by", ["UCHIEF", "UREQUESTER"])
def test_who_may_gets_the_form_the_requester_included(
    adapter: Adapter, rights: Slack, by: str
) -> None:
    origin = ReasonOrigin.unpack(opened(adapter, by=by))
    (put,) = adapter.inbox.puts
    assert put.event == Opened(action="break_glass", by=by)
    assert origin is not None
    assert (origin.fingerprint, origin.opened_by) == (made.FINGERPRINT, 1)
    assert rights.asked == [(by, "T1")], "of now, and once"


@pytest.mark.parametrize("listed", [frozenset({"SCHIEFS"})])
def test_a_group_is_asked_about_before_anybody_is_asked_why(
    adapter: Adapter, rights: Slack
) -> None:
    rights.yes = False
    press(adapter, by="UANYBODY")
    assert rights.asked == [("UANYBODY", "T1")]
    assert adapter.api.of("views.open") == []
    rights.yes = True
    opened(adapter, by="UANYBODY", trigger_id="9.9.zzz")


NO_FORM: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a stranger": ({}, {"by": "USTRANGER"}),
    "an approver": ({}, {"by": "UAPPROVER"}),
    "approved": ({"state": State.APPROVED}, {}),
    "other fingerprint": (
        {},
        {"value": ButtonValue(request_id="K7QM-3XPD", fingerprint="b" * 16)},
    ),
    "a copy of the card": ({}, {"message": {"ts": "1.2", "app_id": "A1"}}),
    "a forgery": ({"card_ts": None}, {"message": {"ts": made.CARD_TS, "app_id": "A666"}}),
}


@pytest.mark.parametrize("name", NO_FORM)
def test_what_will_be_refused_gets_no_form_and_asks_slack_nothing(
    adapter: Adapter, rights: Slack, name: str
) -> None:
    """Stored all the same, without a reason, so that the worker refuses it with words."""
    row_changes, click_changes = NO_FORM[name]
    row = with_glass(**row_changes)
    adapter.requests.rows[row.id] = row
    press(adapter, **click_changes)
    (put,) = adapter.inbox.puts
    assert isinstance(put.event, Clicked)
    assert (put.event.action, put.event.reason) == ("break_glass", None)
    assert adapter.api.of("views.open") == []
    assert rights.asked == []


def test_a_request_without_glass_gets_no_form(adapter: Adapter, rights: Slack) -> None:
    row = made.request()
    adapter.requests.rows[row.id] = row
    press(adapter)
    assert adapter.api.of("views.open") == []
    assert rights.asked == []


def test_a_form_that_does_not_open_is_told(adapter: Adapter) -> None:
    adapter.api.script("views.open", error("trigger_expired"))
    press(adapter)
    assert "nothing was decided. Press Break glass again" in adapter.whispered()[0]


def test_a_reason_makes_the_decision_and_a_repeated_submission_is_one_event(
    adapter: Adapter,
) -> None:
    metadata = opened(adapter)
    for _ in range(2):
        assert adapter.send(submission(metadata, "  it burns  ")).body == b""
    _, put = adapter.inbox.puts
    assert put.event == Clicked(
        action="break_glass",
        by="UCHIEF",
        team="T1",
        fingerprint=made.FINGERPRINT,
        channel="C1",
        message_ts=made.CARD_TS,
        ours=True,
        reason="it burns",
    )
    assert (put.request_id, put.answer_via) == ("K7QM-3XPD", 1)


def test_a_decision_that_was_taken_and_is_corrected_says_what_was_sent(adapter: Adapter) -> None:
    metadata = opened(adapter)
    adapter.send(submission(metadata, "it burns"))
    reply = adapter.send(submission(metadata, "it is flooded", trigger_id="again"))
    assert "already sent, with this reason: “it burns”" in reply.json["errors"]["reason"]
    assert len(adapter.inbox.puts) == 2


def test_a_pattern_for_reasons_is_not_asked_of_an_emergency(adapter: Adapter) -> None:
    metadata = opened(adapter)
    assert adapter.send(submission(metadata, "no change number, it burns")).body == b""


@pytest.mark.parametrize("reason", [None, "", " \n", "x" * 2001])
def test_a_reason_that_is_none_is_said_at_its_field(adapter: Adapter, reason: str | None) -> None:
    metadata = opened(adapter)
    reply = adapter.send(submission(metadata, reason))
    assert list(reply.json["errors"]) == ["reason"]
    assert len(adapter.inbox.puts) == 1


@pytest.mark.parametrize("metadata", ["", "{}", "nonsense", '{"request_id": 5}'])
def test_a_form_that_lost_its_request_says_so(adapter: Adapter, metadata: str) -> None:
    reply = adapter.send(submission(metadata, "it burns"))
    assert "press Break glass" in reply.json["errors"]["reason"]
    assert adapter.inbox.puts == []


def test_a_store_that_fails_is_said_at_the_field(adapter: Adapter) -> None:
    metadata = opened(adapter)
    adapter.inbox.broken = RuntimeError("no space")
    reply = adapter.send(submission(metadata, "it burns"))
    assert "reference" in reply.json["errors"]["reason"]
