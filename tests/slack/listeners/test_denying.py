"""Deny: the form, its submission, and the clicks that get no form."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from bot.request.events import Clicked, Opened
from bot.request.model import State
from bot.slack.draw.ids import ButtonValue, ReasonOrigin
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter
from tests.slack.listeners.fake_web_api import Answer, error, limited


def _deny(adapter: Adapter, **changes: Any) -> int:
    return adapter.send(made.click("unpair_deny", adapter.api.response_url(), **changes)).status


def _opened(adapter: Adapter) -> str:
    """The metadata of the form that was opened."""
    assert _deny(adapter) == 200
    (call,) = adapter.api.of("views.open")
    view = call.body["view"]
    metadata = view["private_metadata"] if isinstance(view, dict) else None
    assert isinstance(metadata, str)
    return metadata


def test_a_form_is_opened_and_the_click_is_kept(adapter: Adapter) -> None:
    origin = ReasonOrigin.unpack(_opened(adapter))
    (put,) = adapter.inbox.puts
    assert put.event == Opened(action="deny", by="UAPPROVER")
    assert put.response_url == adapter.api.response_url()
    assert origin == ReasonOrigin(
        request_id="K7QM-3XPD",
        fingerprint=made.FINGERPRINT,
        channel="C1",
        message_ts=made.CARD_TS,
        opened_by=1,
        ours=True,
    )
    assert adapter.api.of("views.open")[0].body["trigger_id"] == "3.4.def"


def test_a_repeated_press_opens_no_second_form(adapter: Adapter) -> None:
    _opened(adapter)
    assert _deny(adapter) == 200
    assert len(adapter.api.of("views.open")) == 1
    assert len(adapter.inbox.puts) == 1


def test_in_checking_a_form_is_opened_too(adapter: Adapter) -> None:
    row = made.request(state=State.CHECKING, card_ts=None)
    adapter.requests.rows[row.id] = row
    _opened(adapter)


NO_FORM: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "own request": ({}, {"by": "UREQUESTER"}),
    "no approver": ({}, {"by": "USTRANGER"}),
    "approved": ({"state": State.APPROVED}, {}),
    "succeeded": ({"state": State.SUCCEEDED}, {}),
    "other fingerprint": (
        {},
        {"value": ButtonValue(request_id="K7QM-3XPD", fingerprint="b" * 16)},
    ),
    "a copy of the card": (
        {},
        {"message": {"ts": "1.2", "app_id": "A1"}},
    ),
    "another channel": ({}, {"channel": {"id": "C2"}}),
    "a forgery": ({"card_ts": None}, {"message": {"ts": made.CARD_TS, "app_id": "A666"}}),
}


@pytest.mark.parametrize("name", NO_FORM)
def test_what_will_be_refused_gets_no_form(adapter: Adapter, name: str) -> None:
    """Stored all the same, so that the worker refuses it with words."""
    row_changes, click_changes = NO_FORM[name]
    row = made.request(**row_changes)
    adapter.requests.rows[row.id] = row
    assert _deny(adapter, **click_changes) == 200
    (put,) = adapter.inbox.puts
    assert isinstance(put.event, Clicked)
    assert (put.event.action, put.event.reason) == ("deny", None)
    assert put.response_url == adapter.api.response_url()
    assert adapter.api.of("views.open") == []


@pytest.mark.parametrize(
    "changed_deps", [{"policy": made.policy(approvers=frozenset({"SGROUP"}))}], ids=["group"]
)
def test_with_a_group_of_approvers_anybody_may_be_one(adapter: Adapter) -> None:
    _deny(adapter, by="UANYBODY")
    assert len(adapter.api.of("views.open")) == 1


@pytest.mark.parametrize(
    "answer",
    [
        error("trigger_expired"),
        error("invalid_auth"),
        limited(),
        Answer(status=500),
        Answer(cut=True),
        Answer(b"<html>", status=200),
        Answer([1], status=200),
    ],
    ids=["expired", "auth", "429", "500", "cut", "html", "array"],
)
def test_a_form_that_does_not_open_is_told(adapter: Adapter, answer: Answer) -> None:
    adapter.api.script("views.open", answer)
    assert _deny(adapter) == 200
    assert "Press Deny again" in adapter.whispered()[0]
    assert len(adapter.api.of("views.open")) == 1


def test_a_hanging_form_holds_its_thread_for_two_seconds(adapter: Adapter) -> None:
    adapter.api.script("views.open", Answer(hang=True))
    started = time.monotonic()
    slow = threading.Thread(target=_deny, args=(adapter,))
    slow.start()
    adapter.api.wait_for("views.open")
    assert adapter.send(made.click("unpair_approve", adapter.api.response_url())).status == 200
    assert time.monotonic() - started < 1.5
    slow.join()
    assert time.monotonic() - started < 3
    assert "Press Deny again" in adapter.whispered()[0]


# ---- the submission --------------------------------------------------------------------------


def test_a_reason_makes_the_denial(adapter: Adapter) -> None:
    metadata = _opened(adapter)
    reply = adapter.send(made.submission(metadata, "  wrong site  "))
    assert (reply.status, reply.body) == (200, b"")
    put = adapter.inbox.puts[1]
    assert put.event == Clicked(
        action="deny",
        by="UAPPROVER",
        team="T1",
        fingerprint=made.FINGERPRINT,
        channel="C1",
        message_ts=made.CARD_TS,
        ours=True,
        reason="wrong site",
    )
    assert (put.request_id, put.answer_via, put.response_url) == ("K7QM-3XPD", 1, None)


def test_a_repeated_submission_is_one_event(adapter: Adapter) -> None:
    metadata = _opened(adapter)
    for _ in range(2):
        assert adapter.send(made.submission(metadata, "no")).body == b""
    assert len(adapter.inbox.puts) == 2


def test_a_denial_that_was_taken_and_is_corrected_says_what_was_sent(adapter: Adapter) -> None:
    """The acknowledgement was lost, so the form stayed open: each sending has its own trigger."""
    metadata = _opened(adapter)
    adapter.send(made.submission(metadata, "wrong <site>"))
    reply = adapter.send(made.submission(metadata, "wrong day", trigger_id="again"))
    said = reply.json["errors"]["reason"]
    assert "already sent, with this reason: “wrong \u2039site\u203a”" in said
    assert adapter.send(made.submission(metadata, "wrong <site>", trigger_id="3")).body == b""
    assert len(adapter.inbox.puts) == 2


def test_a_new_press_opens_a_form_that_counts_anew(adapter: Adapter) -> None:
    for press in ("first", "second"):
        _deny(adapter, trigger_id=press)
        metadata = adapter.api.of("views.open")[-1].body["view"]["private_metadata"]
        assert adapter.send(made.submission(metadata, press)).body == b""
    assert [p.event.reason for p in adapter.inbox.puts if isinstance(p.event, Clicked)] == [
        "first",
        "second",
    ]


@pytest.mark.parametrize("reason", [None, "", "   ", "\n\t", "x" * 2001])
def test_a_reason_that_is_none_is_said_at_its_field(adapter: Adapter, reason: str | None) -> None:
    metadata = _opened(adapter)
    reply = adapter.send(made.submission(metadata, reason))
    assert reply.json["response_action"] == "errors"
    assert list(reply.json["errors"]) == ["reason"]
    assert len(adapter.inbox.puts) == 1


def test_after_a_correction_the_same_form_counts(adapter: Adapter) -> None:
    metadata = _opened(adapter)
    adapter.send(made.submission(metadata, ""))
    adapter.send(made.submission(metadata, "no", trigger_id="second press"))
    event = adapter.inbox.puts[1].event
    assert isinstance(event, Clicked)
    assert event.reason == "no"


@pytest.mark.parametrize("metadata", ["", "{}", "[]", "nonsense", '{"request_id": 5}'])
def test_a_form_that_lost_its_request_says_so(adapter: Adapter, metadata: str) -> None:
    reply = adapter.send(made.submission(metadata, "no"))
    assert "press Deny" in reply.json["errors"]["reason"]
    assert adapter.inbox.puts == []


def test_a_form_of_an_older_version_is_closed(adapter: Adapter) -> None:
    payload = made.submission("x", "no")
    payload["view"]["callback_id"] = "unpair_other"
    assert adapter.send(payload).json == {"response_action": "clear"}


def test_a_store_that_fails_is_said_at_the_field(
    adapter: Adapter, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = _opened(adapter)
    adapter.inbox.broken = RuntimeError("no space")
    reply = adapter.send(made.submission(metadata, "no"))
    said = reply.json["errors"]["reason"]
    reference = said.partition("reference ")[2].split()[0]
    assert len(reference) == 8
    assert reference in capsys.readouterr().out
