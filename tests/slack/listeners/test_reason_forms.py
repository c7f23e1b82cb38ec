"""Deny, Break glass, Settle: the form for the reason, its submission, and who gets no form."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from bot.request.events import Clicked, Opened
from bot.request.model import State
from bot.slack.draw.ids import ReasonOrigin
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter
from tests.slack.listeners.fake_web_api import Answer, error, limited

DENY, GLASS, SETTLE = "deny", "break_glass", "settle"
FORM = {
    DENY: "unpair_deny_reason",
    GLASS: "unpair_break_glass_reason",
    SETTLE: "unpair_settle_words",
}
BLOCK = {DENY: "reason", GLASS: "reason", SETTLE: "words"}
MAY = {DENY: "UAPPROVER", GLASS: "UCHIEF", SETTLE: "UAPPROVER"}
ACTIONS = pytest.mark.parametrize("action", FORM)


@pytest.fixture
def changed_deps() -> dict[str, Any]:
    """A pattern for reasons is not asked of an emergency."""
    glass = frozenset({"UCHIEF", "UREQUESTER"})
    return {"policy": made.policy(break_glass=glass, reason_pattern="CHG")}


def has(adapter: Adapter, action: str, **changes: Any) -> None:
    """A row whose card has this button."""
    terms = made.request().terms.model_copy(update={"break_glass": action == GLASS})
    usual = {"terms": terms, "state": State.ATTENTION if action == SETTLE else State.PENDING}
    adapter.store.has(**usual | changes)


def press(adapter: Adapter, action: str, **changes: Any) -> None:
    payload = made.click(
        f"unpair_{action}", adapter.api.response_url(), **{"by": MAY[action], **changes}
    )
    assert adapter.send(payload).status == 200


def opened(adapter: Adapter, action: str, **changes: Any) -> str:
    """The metadata of the form that was opened."""
    has(adapter, action)
    press(adapter, action, **changes)
    view = adapter.api.of("views.open")[-1].body["view"]
    assert view["callback_id"] == FORM[action]
    metadata = view["private_metadata"]
    assert isinstance(metadata, str)
    return metadata


def sends(
    adapter: Adapter, action: str, metadata: str, words: str | None, trigger: str = "5"
) -> Any:
    """What the form says at its field; None if it was taken."""
    values = {BLOCK[action]: made.typed(words)}
    sent = made.submission(metadata, values, FORM[action], by=MAY[action], trigger_id=trigger)
    reply = adapter.send(sent)
    if reply.body == b"":
        return None
    assert reply.json["response_action"] == "errors"
    ((block, said),) = reply.json["errors"].items()
    assert block == BLOCK[action]
    return said


# ---- opened ----------------------------------------------------------------------------------


@ACTIONS
def test_a_form_is_opened_and_the_click_is_kept(adapter: Adapter, action: str) -> None:
    origin = ReasonOrigin.unpack(opened(adapter, action))
    (put,) = adapter.puts
    assert put.event == Opened(action=action, by=MAY[action])  # type: ignore[arg-type]
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
    press(adapter, action)
    assert len(adapter.api.of("views.open")) == len(adapter.puts) == 1, "repeated"


PRESSES: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    (DENY, {"state": State.CHECKING, "card_ts": None}, {}, True),
    (DENY, {}, {"by": "UREQUESTER"}, False),
    (DENY, {}, {"by": "USTRANGER"}, False),
    (DENY, {"state": State.SUCCEEDED}, {}, False),
    (GLASS, {}, {"by": "UREQUESTER"}, True),
    (GLASS, {}, {"by": "USTRANGER"}, False),
    (GLASS, {}, {"by": "UAPPROVER"}, False),
    (GLASS, {"state": State.APPROVED}, {}, False),
    (GLASS, {"terms": made.request().terms}, {}, False),
    (SETTLE, {"state": State.SUCCEEDED}, {}, False),
]


@pytest.mark.parametrize(("action", "row", "click", "form"), PRESSES, ids=range(len(PRESSES)))
def test_what_will_be_refused_gets_no_form(
    adapter: Adapter, action: str, row: dict[str, Any], click: dict[str, Any], form: bool
) -> None:
    """Stored all the same, without a reason, so that the worker refuses it with words."""
    has(adapter, action, **row)
    press(adapter, action, **click)
    (put,) = adapter.puts
    assert isinstance(put.event, Opened if form else Clicked)
    assert put.event.action == action
    assert len(adapter.api.of("views.open")) == form
    assert put.response_url == adapter.api.response_url()


@pytest.mark.parametrize("action", [DENY, GLASS])
@pytest.mark.parametrize(
    "changed_deps",
    [{"policy": made.policy(approvers=frozenset("S1"), break_glass=frozenset({"SGROUP"}))}],
    ids=["group"],
)
def test_with_a_group_anybody_may_be_one(adapter: Adapter, action: str) -> None:
    opened(adapter, action, by="UANYBODY")


@pytest.mark.parametrize(
    "answer",
    [error("invalid_auth"), limited(), Answer(status=500), Answer(cut=True), Answer(b"<html>")],
)
def test_a_form_that_does_not_open_is_told(adapter: Adapter, answer: Answer) -> None:
    adapter.api.script("views.open", answer)
    press(adapter, DENY)
    adapter.whispered()
    assert len(adapter.api.of("views.open")) == 1


def test_a_form_that_hangs_holds_its_own_thread_alone_and_is_told(adapter: Adapter) -> None:
    """It ends by itself, after `QUICK_TIMEOUT_S`."""
    adapter.api.script("views.open", Answer(hang=True))
    slow = threading.Thread(target=press, args=(adapter, DENY))
    slow.start()
    adapter.api.wait_for("views.open")
    assert adapter.send(made.click("unpair_approve", adapter.api.response_url())).status == 200
    slow.join()
    adapter.whispered()


# ---- sent ------------------------------------------------------------------------------------


@ACTIONS
def test_a_reason_makes_the_decision_and_a_repeated_submission_is_one_event(
    adapter: Adapter, action: str
) -> None:
    metadata = opened(adapter, action)
    assert sends(adapter, action, metadata, "", "0"), "and the same form counts after that"
    for trigger in ("1", "2"):
        assert sends(adapter, action, metadata, "  it burns  ", trigger) is None
    _, put = adapter.puts
    assert put.event == Clicked(
        action=action,  # type: ignore[arg-type]
        by=MAY[action],
        team="T1",
        fingerprint=made.FINGERPRINT,
        channel="C1",
        message_ts=made.CARD_TS,
        ours=True,
        reason="it burns",
    )
    assert (put.request_id, put.answer_via, put.response_url) == ("K7QM-3XPD", 1, None)


@ACTIONS
def test_a_decision_that_was_taken_and_is_corrected_says_so(adapter: Adapter, action: str) -> None:
    """The acknowledgement was lost, so the form stayed open: each sending has its own trigger."""
    metadata = opened(adapter, action)
    assert sends(adapter, action, metadata, "wrong site") is None
    assert sends(adapter, action, metadata, "wrong day", "again")
    assert sends(adapter, action, metadata, "wrong site", "3") is None
    assert len(adapter.puts) == 2


def test_a_new_press_opens_a_form_that_counts_anew(adapter: Adapter) -> None:
    for press_id in ("first", "second"):
        metadata = opened(adapter, DENY, trigger_id=press_id)
        assert sends(adapter, DENY, metadata, press_id) is None
    assert [p.event.reason for p in adapter.puts if isinstance(p.event, Clicked)] == [
        "first",
        "second",
    ]


@ACTIONS
@pytest.mark.parametrize("metadata", ["", "{}", "[]", "nonsense", '{"request_id": 5}'])
def test_a_form_that_lost_its_request_says_so(adapter: Adapter, action: str, metadata: str) -> None:
    assert sends(adapter, action, metadata, "no")
    assert adapter.puts == []


def test_a_form_of_an_older_version_is_closed(adapter: Adapter) -> None:
    sent = made.submission("x", {"reason": made.typed("no")}, "unpair_other")
    assert adapter.send(sent).json == {"response_action": "clear"}


@ACTIONS
def test_a_store_that_fails_is_said_at_the_field(
    adapter: Adapter, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    metadata = opened(adapter, action)
    adapter.store.breaks(RuntimeError("no space"))
    reference = sends(adapter, action, metadata, "no").partition("reference ")[2].split()[0]
    assert reference in capsys.readouterr().out
