"""Buttons over the real wire: one event each, no matter what Slack leaves out or repeats."""

from __future__ import annotations

from typing import Any

import pytest

from bot.request.events import Clicked, Misdirected
from bot.request.lookup_results import MayNotLook
from bot.request.model import State
from bot.request.who_may import Reason
from bot.slack.draw import ids
from bot.slack.draw.card_buttons import FORMS
from bot.slack.draw.ids import ButtonValue
from bot.slack.draw.words import usage
from bot.slack.draw.words.check_refused import may_not_look
from bot.slack.people import Myself
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter
from tests.slack.listeners.fake_web_api import error

BUTTONS = {"approve": "unpair_approve", "cancel": "unpair_cancel", "look": "unpair_look"}


def _press(adapter: Adapter, action: str = "approve", **changes: Any) -> None:
    click = made.click(BUTTONS.get(action, action), adapter.api.response_url(), **changes)
    assert adapter.send(click).status == 200


def _event(adapter: Adapter) -> Clicked:
    (put,) = adapter.puts
    assert isinstance(put.event, Clicked)
    return put.event


@pytest.mark.parametrize("action", BUTTONS)
def test_a_click_is_stored_whole(adapter: Adapter, action: str) -> None:
    _press(adapter, action)
    assert _event(adapter) == Clicked(
        action=action,  # type: ignore[arg-type]
        by="UAPPROVER",
        team="T1",
        fingerprint=made.FINGERPRINT,
        channel="C1",
        message_ts=made.CARD_TS,
        ours=True,
    )
    (put,) = adapter.puts
    assert (put.request_id, put.response_url) == ("K7QM-3XPD", adapter.api.response_url())
    assert adapter.api.calls == []


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        ("approve", {"trigger_id": "another"}),
        ("approve", {"by": "UOTHER"}),
        ("cancel", {}),
    ],
    ids=["another trigger", "another person", "another button"],
)
def test_another_press_is_another_event(
    adapter: Adapter, action: str, changes: dict[str, str]
) -> None:
    _press(adapter)
    _press(adapter, action, **changes)
    assert len({put.origin for put in adapter.puts}) == 2


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
    _press(adapter, channel=None, message={"app_id": "A1"})
    assert (_event(adapter).channel, _event(adapter).message_ts) == ("C1", made.CARD_TS)


# ---- who wrote the message -------------------------------------------------------------------

MYSELF = Myself(team="T1", enterprise=None, user="UBOT", bot="B1")


@pytest.mark.parametrize(
    ("message", "known", "ours"),
    [
        ({"ts": made.CARD_TS, "app_id": "A666", "bot_id": "B666"}, None, True),
        ({"app_id": "A1"}, None, True),
        ({"app_id": "A666", "bot_id": "B1"}, MYSELF, False),
        ({"bot_id": "B1"}, MYSELF, True),
        ({"user": "UBOT"}, MYSELF, True),
        ({"user": "UEVIL"}, MYSELF, False),
        ({"bot_id": "B1"}, None, False),
        ({}, None, True),
    ],
)
def test_whose_message_was_pressed(
    adapter: Adapter, message: dict[str, str], known: Myself | None, ours: bool
) -> None:
    """In the card's place, of our app, or of the bot's own ids, as far as Slack says any."""
    if known:
        adapter.identity.learn(known)
    _press(adapter, message={"ts": "1.9", **message})
    assert _event(adapter).ours is ours
    assert adapter.api.calls == []


def test_a_click_before_the_card_is_known_is_stored(adapter: Adapter) -> None:
    adapter.store.has(card_ts=None)
    _press(adapter)
    assert _event(adapter).ours


# ---- what leads nowhere ----------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, "", "nonsense", "K7QM-3XPD", ":abc", "K7QM-3XPD:"])
def test_a_value_of_nonsense_is_answered_and_kept(adapter: Adapter, value: str | None) -> None:
    _press(adapter, value=value)
    (put,) = adapter.puts
    assert put.event == Misdirected(
        action="approve",
        by="UAPPROVER",
        channel="C1",
        message_ts=made.CARD_TS,
        value=value or "",
        why="unreadable_button",
    )
    assert put.request_id == ""
    (call,) = adapter.api.wait_for("response")
    assert (call.body["response_type"], call.body["replace_original"]) == ("ephemeral", False)


@pytest.mark.parametrize("value", ["x" * 2_000, "K7QM\0\ud800:\udfff"])
def test_of_nonsense_only_what_can_be_stored_is_kept(adapter: Adapter, value: str) -> None:
    _press(adapter, value=value)
    (put,) = adapter.puts
    assert isinstance(put.event, Misdirected)
    kept = put.event.value
    assert 0 < len(kept) <= 100
    assert "\0" not in kept
    assert kept.encode().decode() == kept


@pytest.mark.parametrize(
    ("action", "value", "request_id", "why"),
    [
        ("approve", "ZZZZ-ZZZZ:a", "ZZZZ-ZZZZ", "unknown_request"),
        ("unpair_snooze", f"K7QM-3XPD:{made.FINGERPRINT}", "K7QM-3XPD", "unknown_button"),
    ],
)
def test_a_button_of_another_version_is_answered_and_kept(
    adapter: Adapter, action: str, value: str, request_id: str, why: str
) -> None:
    _press(adapter, action, value=value)
    (put,) = adapter.puts
    assert isinstance(put.event, Misdirected)
    assert (put.event.action, put.event.why) == (action, why)
    assert (put.request_id, put.event.by) == (request_id, "UAPPROVER")
    adapter.whispered()


REGISTERED = [value for name, value in vars(ids).items() if name.startswith("UNPAIR_")]


@pytest.mark.parametrize("its_id", REGISTERED)
def test_every_id_that_is_drawn_has_its_listener(
    adapter: Adapter, its_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter.lookups.full = True  # nothing is opened
    form = its_id in {f.callback_id for f in FORMS.values()} | {ids.UNPAIR_REQUEST}
    url = adapter.api.response_url()
    sent = made.submission("{}", {}, its_id) if form else made.click(its_id, url)
    assert adapter.send(sent).status == 200
    logged = capsys.readouterr().out
    assert "payload_unhandled" not in logged
    assert "listener_failed" not in logged


def test_an_id_that_nobody_knows_is_answered(
    adapter: Adapter, capsys: pytest.CaptureFixture[str]
) -> None:
    url = adapter.api.response_url()
    command = made.command("paris gone", url) | {"command": "/vr-other"}
    assert "`/vr-other`" in adapter.send(command).json["text"]
    assert adapter.send(made.submission("{}", {}, "of_old")).json == {"response_action": "clear"}
    menu = made.click("x", url) | {"type": "block_suggestion", "action_id": "of_old"}
    assert adapter.send(menu).json == {"options": []}
    assert adapter.puts == []
    adapter.send(made.click("of_old", url))
    assert adapter.whispered() == [usage.UNKNOWN_BUTTON]
    assert capsys.readouterr().out.count("payload_unhandled") == 4


def test_what_stands_on_no_message_decides_nothing(adapter: Adapter) -> None:
    nowhere = {"message": None, "channel": None, "container": {"type": "view", "view_id": "V1"}}
    _press(adapter, "some_menu", **nowhere)
    assert adapter.puts == []


def test_what_was_stored_before_is_counted(adapter: Adapter) -> None:
    """A replay inside the window of the signature: nothing new is stored, a metric has it."""
    known = ButtonValue(request_id="K7QM-3XPD", fingerprint=made.FINGERPRINT)
    for value, trigger in ((known, "a"), ("nonsense", "b")):
        for _ in range(3):
            _press(adapter, value=value, trigger_id=trigger)
    assert len(adapter.puts) == 2
    assert adapter.repeated == 4
    for _ in range(2):
        _press(adapter, "unpair_deny", trigger_id="d")
        adapter.send(made.command("paris gone", adapter.api.response_url(), trigger_id="c"))
    assert adapter.repeated == 6


def test_without_a_response_url_nonsense_is_still_acknowledged(adapter: Adapter) -> None:
    assert adapter.send(made.click("unpair_approve", "", value="nonsense")).status == 200


def test_a_store_that_fails_is_told_with_a_reference(
    adapter: Adapter, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter.store.breaks(RuntimeError("the disk is full"))
    _press(adapter)
    said = adapter.whispered()[0]
    reference = said.partition("reference ")[2].split()[0]
    logged = capsys.readouterr().out
    assert reference in logged
    assert "the disk is full" in logged
    assert "the disk is full" not in said


# ---- the button for all names of a card ------------------------------------------------------


def test_the_names_are_shown_to_whoever_could_ask_in_that_channel(adapter: Adapter) -> None:
    _press(adapter, "unpair_names", by="UANYBODY")
    (call,) = adapter.api.of("views.open")
    assert call.body["trigger_id"] == "3.4.def"
    assert adapter.puts == []
    assert adapter.lookups.asked == [("stored", "UANYBODY", "T1", "C1")]


def test_nobody_else_reads_them_nor_when_the_card_shows_them_no_more(adapter: Adapter) -> None:
    adapter.lookups.refusal = MayNotLook(reason=Reason.GUEST)
    _press(adapter, "unpair_names")
    adapter.lookups.refusal, adapter.lookups.full = None, True
    _press(adapter, "unpair_names", trigger_id="t2")
    adapter.lookups.full = False
    adapter.store.has(state=State.DENIED)
    _press(adapter, "unpair_names", trigger_id="t3")
    guest, busy, over = adapter.whispered(3)
    assert guest == may_not_look(Reason.GUEST)
    assert busy == usage.BUSY
    assert "was denied" in over
    assert adapter.api.of("views.open") == []


@pytest.mark.parametrize(
    ("changes", "opened"),
    [
        ({"value": "nonsense"}, 0),
        ({"value": "ZZZZ-ZZZZ:0123456789abcdef"}, 0),
        ({"message": {"ts": "1.2"}}, 0),
        ({"channel": {"id": "C9", "name": "elsewhere"}}, 0),
        ({}, 1),
    ],
    ids=["nonsense", "unknown", "another message", "another channel", "slack refuses"],
)
def test_names_that_are_not_shown_are_told(
    adapter: Adapter, changes: dict[str, Any], opened: int
) -> None:
    adapter.api.script("views.open", error("trigger_expired"))
    _press(adapter, "unpair_names", **changes)
    assert len(adapter.api.of("views.open")) == opened
    adapter.whispered()
