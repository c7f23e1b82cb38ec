"""A name that fits nothing: the likeliest pairings as buttons, each of which opens the form."""

from __future__ import annotations

from typing import Any

import pytest

from bot.request.events import Opened, PairingUnresolved
from bot.request.messages import Answer
from bot.request.model import Outcome, State
from bot.request.pairing import Near
from bot.sandbox.slack.block_limits import check_blocks
from bot.slack.draw.ids import Suggestion
from bot.slack.draw.message import draw_answer
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter
from tests.slack.listeners.request_form import ONE, inputs, lists, view_of

NEAR = tuple(Near(pairing_id=ONE.id, title=f"berlin → <!here> {n}") for n in range(5))
REFUSED = made.request(
    id="BBBB-CCCC",
    state=State.REFUSED,
    asked="pragu",
    force=True,
    reason="it must go " * 250,
    snapshot=None,
    outcome=Outcome(code="pairing_none", near=NEAR),
)


def press(adapter: Adapter, value: object, **changes: Any) -> None:
    lists(adapter)
    given: dict[str, Any] = {"by": "UREQUESTER", "value": value, **changes}
    click = made.click("unpair_suggest_0", adapter.api.response_url(), **given)
    assert adapter.send(click).status == 200


def test_the_answer_to_a_request_has_the_buttons_and_no_card() -> None:
    shown = draw_answer(Answer(event=1, code="refused"), REFUSED)
    assert check_blocks(list(shown.blocks)) == []
    assert "There is no pairing `pragu`" in shown.text
    pressed = shown.blocks[1]["elements"]
    assert [b["action_id"] for b in pressed] == [f"unpair_suggest_{n}" for n in range(5)]
    value = Suggestion.unpack(pressed[0]["value"])
    assert value == Suggestion(pairing=ONE.id, force=True, refused="BBBB-CCCC")


def test_the_form_keeps_what_was_typed(adapter: Adapter) -> None:
    adapter.requests.rows[REFUSED.id] = REFUSED
    press(adapter, Suggestion(pairing=ONE.id, force=True, refused=REFUSED.id).pack())
    form = inputs(view_of(adapter))
    assert form["pairing"]["element"]["initial_option"]["value"] == ONE.id
    assert form["force"]["element"]["initial_option"]["value"] == "true"
    assert form["reason"]["element"]["initial_value"] == REFUSED.reason
    assert [type(put.event) for put in adapter.inbox.puts] == [Opened]


@pytest.mark.parametrize(
    ("at", "zone", "picked"),
    [
        (1_800_000_000_000, "Asia/Kolkata", ("2027-01-15", "13:30")),
        (1_800_000_000_001, "Asia/Kolkata", ("2027-01-15", "13:31")),
        (1_800_000_000_000, None, ("2027-01-15", "08:00")),
    ],
)
def test_the_form_keeps_the_time(
    adapter: Adapter, at: int, zone: str | None, picked: tuple[str, str]
) -> None:
    """Without it the delete would be sent at once; and never earlier than was asked for."""
    row = REFUSED.model_copy(update={"at": "+6h", "scheduled_at": at, "zone": zone})
    adapter.requests.rows[REFUSED.id] = row
    press(adapter, Suggestion(pairing=ONE.id, force=True, refused=REFUSED.id).pack())
    form = inputs(view_of(adapter))
    day, time = form["date"]["element"], form["time"]["element"]
    assert (day["initial_date"], time["initial_time"]) == picked


def test_a_pairing_that_is_gone_meanwhile_is_not_chosen(adapter: Adapter) -> None:
    press(adapter, Suggestion(pairing="gone", force=False).pack())
    assert "initial_option" not in inputs(view_of(adapter))["pairing"]["element"]


def test_a_preview_suggests_too(adapter: Adapter) -> None:
    adapter.lookups.read = PairingUnresolved(why="none", near=NEAR)
    adapter.send(made.command("preview pragu --force", adapter.api.response_url()))
    blocks = adapter.api.wait_for("response", 1)[-1].body["blocks"]
    assert check_blocks(blocks) == []
    value = blocks[1]["elements"][0]["value"]
    assert Suggestion.unpack(value) == Suggestion(pairing=ONE.id, force=True)
    press(adapter, value)
    form = inputs(view_of(adapter))
    assert form["force"]["element"]["initial_option"]["value"] == "true"
    assert "initial_value" not in form["reason"]["element"]


@pytest.mark.parametrize(
    ("value", "changes", "said"),
    [
        ("nonsense", {}, "not known here"),
        (Suggestion(pairing="p", force=False, refused="BBBB-CCCC").pack(), {"by": "UOTHER"}, "not"),
        (Suggestion(pairing="p", force=False, refused="NONE-NONE").pack(), {}, "not known here"),
        (Suggestion(pairing="p", force=False).pack(), {"channel": {"id": "D1"}}, "needs a channel"),
    ],
    ids=["nonsense", "of somebody else", "of no request", "in a direct message"],
)
def test_what_opens_no_form(
    adapter: Adapter, value: str, changes: dict[str, Any], said: str
) -> None:
    adapter.requests.rows[REFUSED.id] = REFUSED
    press(adapter, value, **changes)
    assert said in adapter.whispered()[0]
    assert adapter.inbox.puts == []
    assert adapter.api.of("views.open") == []
