"""Buttons over the real wire: one event each, no matter what Slack leaves out or repeats."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bot.request.events import Clicked, Misdirected
from bot.slack.draw.ids import ButtonValue
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter
from tests.slack.listeners.fake_web_api import Answer, error

BUTTONS = {"approve": "unpair_approve", "cancel": "unpair_cancel", "look": "unpair_look"}


def _press(adapter: Adapter, action: str = "approve", **changes: Any) -> int:
    return adapter.send(
        made.click(BUTTONS.get(action, action), adapter.api.response_url(), **changes)
    ).status


def _event(adapter: Adapter) -> Clicked:
    (put,) = adapter.inbox.puts
    assert isinstance(put.event, Clicked)
    return put.event


@pytest.mark.parametrize("action", BUTTONS)
def test_a_click_is_stored_whole(adapter: Adapter, action: str) -> None:
    assert _press(adapter, action) == 200
    assert _event(adapter) == Clicked(
        action=action,  # type: ignore[arg-type]
        by="UAPPROVER",
        team="T1",
        fingerprint=made.FINGERPRINT,
        channel="C1",
        message_ts=made.CARD_TS,
        ours=True,
    )
    put = adapter.inbox.puts[0]
    assert put.request_id == "K7QM-3XPD"
    assert put.response_url == adapter.api.response_url()
    assert adapter.api.calls == []


def test_the_same_press_twice_is_one_event(adapter: Adapter) -> None:
    assert (_press(adapter), _press(adapter)) == (200, 200)
    assert len(adapter.inbox.puts) == 1


@pytest.mark.parametrize(
    "changes", [{"trigger_id": "another"}, {"by": "UOTHER", "trigger_id": "theirs"}]
)
def test_another_press_is_another_event(adapter: Adapter, changes: dict[str, str]) -> None:
    _press(adapter)
    _press(adapter, **changes)
    assert len(adapter.inbox.puts) == 2


def test_one_trigger_on_two_buttons_is_two_events(adapter: Adapter) -> None:
    _press(adapter, "approve")
    _press(adapter, "cancel")
    assert len(adapter.inbox.puts) == 2


@pytest.mark.parametrize(
    ("changes", "team"),
    [
        ({"team": None, "user": {"id": "UAPPROVER", "team_id": "T7"}}, "T7"),
        ({"user": {"id": "UAPPROVER"}}, "T1"),
        ({"user": {"id": "UAPPROVER", "team_id": None}, "team": None}, None),
    ],
)
def test_the_team_may_be_anywhere_or_nowhere(
    adapter: Adapter, changes: dict[str, Any], team: str | None
) -> None:
    payload = made.click("unpair_approve", adapter.api.response_url()) | changes
    assert adapter.send(payload).status == 200
    assert _event(adapter).team == team


def test_channel_and_ts_from_the_container_alone(adapter: Adapter) -> None:
    adapter.send(
        made.click("unpair_approve", adapter.api.response_url(), channel=None)
        | {"message": {"app_id": "A1"}}
    )
    assert (_event(adapter).channel, _event(adapter).message_ts) == ("C1", made.CARD_TS)


def test_two_people_are_two_clicks_whatever_else_is_the_same(adapter: Adapter) -> None:
    _press(adapter)
    _press(adapter)
    _press(adapter, user={"id": "UOTHER", "team_id": "T1"})
    assert len({put.origin for put in adapter.inbox.puts}) == 2


def test_a_click_before_the_card_is_known_is_stored(adapter: Adapter) -> None:
    row = made.request(card_ts=None)
    adapter.requests.rows[row.id] = row
    _press(adapter)
    assert _event(adapter).ours


# ---- who wrote the message -------------------------------------------------------------------


OTHER = {"ts": "1.9"}
"""Not the card: whoever wrote that one need not be asked."""


def test_the_card_is_ours_whatever_is_said_of_its_author(adapter: Adapter) -> None:
    _press(adapter, message={"ts": made.CARD_TS, "app_id": "A666", "bot_id": "B666"})
    assert _event(adapter).ours
    assert adapter.api.of("auth.test") == []


def test_a_message_of_another_app_is_not_ours(adapter: Adapter) -> None:
    _press(adapter, message={**OTHER, "app_id": "A666", "bot_id": "B1"})
    assert _event(adapter).ours is False


@pytest.mark.parametrize(
    ("author", "ours"),
    [({"bot_id": "B1"}, True), ({"user": "UBOT"}, True), ({"user": "UEVIL"}, False), ({}, True)],
)
def test_without_an_app_id_the_bots_own_ids_tell(
    adapter: Adapter, author: dict[str, str], ours: bool
) -> None:
    _press(adapter, message={**OTHER, **author})
    assert _event(adapter).ours is ours


def test_the_bots_own_ids_are_read_once(adapter: Adapter) -> None:
    for n in range(3):
        _press(adapter, message={**OTHER, "bot_id": "B1"}, trigger_id=f"t{n}")
    assert len(adapter.api.of("auth.test")) == 1


@pytest.mark.parametrize("answer", [error("internal_error"), Answer(cut=True), Answer(status=503)])
def test_when_they_cannot_be_read_the_person_is_asked_to_press_again(
    adapter: Adapter, answer: Answer
) -> None:
    adapter.api.script("auth.test", answer)
    assert _press(adapter, message={**OTHER, "bot_id": "B1"}) == 200
    (refused,) = adapter.inbox.puts
    assert isinstance(refused.event, Misdirected)
    assert (refused.request_id, refused.event.why) == ("K7QM-3XPD", "bot_unread")
    assert "Press again" in adapter.whispered()[0]
    _press(adapter, message={**OTHER, "bot_id": "B1"}, trigger_id="again")
    counted = adapter.inbox.puts[-1].event
    assert isinstance(counted, Clicked)
    assert counted.ours


# ---- answered at once, and kept for the trail --------------------------------------------------


@pytest.mark.parametrize(
    "value", [None, "", "nonsense", "K7QM-3XPD", ":", "K7QM-3XPD:", ":abc", "<!channel>:abc"]
)
def test_a_button_of_nonsense_is_answered_and_kept(adapter: Adapter, value: str | None) -> None:
    assert _press(adapter, value=value) == 200
    (put,) = adapter.inbox.puts
    assert put.event == Misdirected(
        action="approve",
        by="UAPPROVER",
        channel="C1",
        message_ts=made.CARD_TS,
        value=value or "",
        why="unreadable_button",
    )
    assert put.request_id == ""
    assert "not known" in adapter.whispered()[0]


@pytest.mark.parametrize("value", ["x" * 2_000, "K7QM\0\ud800:\udfff"])
def test_of_nonsense_only_what_can_be_stored_is_kept(adapter: Adapter, value: str) -> None:
    assert _press(adapter, value=value) == 200
    (put,) = adapter.inbox.puts
    assert isinstance(put.event, Misdirected)
    kept = put.event.value
    assert 0 < len(kept) <= 100
    assert "\0" not in kept
    assert kept.encode().decode() == kept


def test_an_unknown_request_is_answered(adapter: Adapter) -> None:
    _press(adapter, value=ButtonValue(request_id="ZZZZ-ZZZZ", fingerprint="a"))
    (put,) = adapter.inbox.puts
    assert isinstance(put.event, Misdirected)
    assert (put.request_id, put.event.why) == ("ZZZZ-ZZZZ", "unknown_request")
    assert "not known" in adapter.whispered()[0]


def test_a_button_of_another_version_is_answered_and_kept(adapter: Adapter) -> None:
    assert _press(adapter, "unpair_snooze") == 200
    (put,) = adapter.inbox.puts
    assert isinstance(put.event, Misdirected)
    assert (put.event.action, put.event.why) == ("unpair_snooze", "unknown_button")
    assert (put.event.by, put.event.message_ts) == ("UAPPROVER", made.CARD_TS)
    assert "another version" in adapter.whispered()[0]


def test_what_stands_on_no_message_decides_nothing(adapter: Adapter) -> None:
    nowhere = {"message": None, "channel": None, "container": {"type": "view", "view_id": "V1"}}
    assert _press(adapter, "some_menu", **nowhere) == 200
    assert adapter.inbox.puts == []


class Counted:
    """What `on_repeated` is called for."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.mark.parametrize("changed_deps", [{"on_repeated": Counted()}], ids=["counted"])
def test_what_was_stored_before_is_counted(adapter: Adapter, changed_deps: dict[str, Any]) -> None:
    """A replay inside the window of the signature: nothing new is stored, a metric has it."""
    counted = changed_deps["on_repeated"]
    for value in (ButtonValue(request_id="K7QM-3XPD", fingerprint=made.FINGERPRINT), "nonsense"):
        for _ in range(3):
            _press(adapter, value=value, trigger_id=f"t-{value}")
    assert len(adapter.inbox.puts) == 2
    assert counted.times == 4
    for _ in range(2):
        adapter.send(made.click("unpair_deny", adapter.api.response_url(), trigger_id="d"))
        adapter.send(made.command("paris gone", adapter.api.response_url(), trigger_id="c"))
    assert counted.times == 6


def test_what_is_whispered_is_for_one_person_and_replaces_nothing(adapter: Adapter) -> None:
    _press(adapter, value="nonsense")
    (call,) = adapter.api.wait_for("response")
    assert call.body["response_type"] == "ephemeral"
    assert call.body["replace_original"] is False


def test_without_a_response_url_nonsense_is_still_acknowledged(adapter: Adapter) -> None:
    payload = made.click("unpair_approve", "", value="nonsense")
    assert adapter.send(payload).status == 200


def test_a_hanging_response_url_holds_nobody_up(
    adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.send.whisper.TIMEOUT_S", 1)
    adapter.api.script("response", Answer(hang=True))
    started = time.monotonic()
    for n in range(8):
        _press(adapter, value="nonsense", trigger_id=f"t{n}")
    assert time.monotonic() - started < 1
    adapter.api.wait_for("response")


def test_a_store_that_fails_is_told_with_a_reference(
    adapter: Adapter, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter.inbox.broken = RuntimeError("the disk is full")
    assert _press(adapter) == 200
    said = adapter.whispered()[0]
    reference = said.partition("reference ")[2].split()[0]
    logged = capsys.readouterr().out
    assert reference in logged
    assert "the disk is full" in logged
    assert "the disk is full" not in said
