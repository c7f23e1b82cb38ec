"""The request modal: opened, by a suggestion too, filled, searched, sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.request.events import Asked, Opened
from bot.request.lookup_results import MayNotLook, PairingsListed
from bot.request.messages import Answer as Words
from bot.request.model import Outcome, State
from bot.request.pairing import (
    Near,
    PairingUnresolved,
)
from bot.request.who_may import Reason
from bot.slack.draw.ids import AskOrigin, Suggestion
from bot.slack.draw.message import draw_answer
from sandbox.slack.block_limits import check_blocks, check_view
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter, Reply
from tests.slack.listeners.fake_web_api import Answer, error, limited
from tests.slack.listeners.test_command_typed import SITES, with_policy

ONE, TWO = made.pairing(1), made.pairing(2, remote="porto")
FIELDS = ["pairing", "force", "date", "time", "reason"]


def open_form(adapter: Adapter, **changes: str | None) -> Reply:
    return adapter.send(made.command("", adapter.api.response_url(), **changes))


def lists(adapter: Adapter, *listed: PairingsListed) -> None:
    adapter.lookups.sites = {each.site: each for each in listed or (made.listed(ONE),)}


def view_of(adapter: Adapter, method: str = "views.update") -> dict[str, Any]:
    view: Any = adapter.api.of(method)[-1].body["view"]
    found: dict[str, Any] = json.loads(view) if isinstance(view, str) else view
    assert check_view(found) == []
    return found


def inputs(view: dict[str, Any]) -> dict[str, Any]:
    return {b["block_id"]: b for b in view["blocks"] if b["type"] == "input"}


def element(adapter: Adapter, block: str) -> dict[str, Any]:
    found: dict[str, Any] = inputs(view_of(adapter))[block]["element"]
    return found


def choices(adapter: Adapter, block: str = "pairing") -> list[str]:
    return [o["value"] for o in element(adapter, block)["options"]]


def words_of(adapter: Adapter) -> str:
    return json.dumps(view_of(adapter)["blocks"], ensure_ascii=False)


def opened(adapter: Adapter, *listed: PairingsListed) -> str:
    """The metadata of a form that is filled."""
    lists(adapter, *listed)
    assert open_form(adapter).body == b""
    metadata: str = view_of(adapter)["private_metadata"]
    return metadata


def send(adapter: Adapter, metadata: str, **changes: Any) -> dict[str, str]:
    """Presses the button of the form; what it says at its fields."""
    given = {"pairing": ONE.id, "force": "false", "reason": "moving out", **changes}

    def picked(value: Any) -> Any:
        return {"value": {"selected_option": {"value": value} if value is not None else None}}

    values = {name: picked(given[name]) for name in ("pairing", "force", "site") if name in given}
    for name in ("date", "time"):
        values[name] = {"value": {f"selected_{name}": given.get(name)}}
    values["reason"] = made.typed(given["reason"])
    trigger = given.get("trigger_id", "8.9.jkl")
    reply = adapter.send(
        made.submission(metadata, values, "unpair_request", by="UREQUESTER", trigger_id=trigger)
    )
    assert reply.status == 200
    if reply.body == b"":
        return {}
    assert reply.json["response_action"] == "errors"
    errors: dict[str, str] = reply.json["errors"]
    return errors


def asked(adapter: Adapter) -> Asked:
    event = adapter.puts[-1].event
    assert isinstance(event, Asked)
    return event


# ---- opened and filled -----------------------------------------------------------------------


def test_it_is_opened_before_the_appliance_is_read(adapter: Adapter) -> None:
    metadata = AskOrigin.unpack(opened(adapter))
    assert [c.method for c in adapter.api.calls] == ["views.open", "views.update"]
    first = view_of(adapter, "views.open")
    assert (inputs(first), first.get("submit")) == ({}, None)
    update = adapter.api.of("views.update")[0].body
    assert (update["view_id"], update["hash"]) == ("V1", "1.a")
    assert adapter.lookups.asked == [("pairings", ("default",), "UREQUESTER", False)]
    (put,) = adapter.puts
    assert put.event == Opened(action="ask", by="UREQUESTER"), "only its address is kept"
    assert put.response_url == adapter.api.response_url()
    assert metadata == AskOrigin(request_id=put.request_id, channel="C1", opened_by=1)


def test_the_same_command_again_opens_no_second_form(adapter: Adapter) -> None:
    opened(adapter)
    assert open_form(adapter).body == b""
    assert len(adapter.api.of("views.open")) == len(adapter.puts) == 1


def test_its_inputs_have_the_names_of_the_contract(adapter: Adapter) -> None:
    opened(adapter)
    blocks = inputs(view_of(adapter))
    assert list(blocks) == FIELDS
    assert {b["element"]["action_id"] for b in blocks.values()} == {"value"}
    pairing = blocks["pairing"]["element"]
    (option,) = pairing["options"]
    assert (pairing["type"], option["value"]) == ("static_select", ONE.id)
    assert ONE.id[:8] in option["text"]["text"]
    assert option["description"]["text"] == ONE.id
    assert blocks["force"]["element"]["initial_option"]["value"] == "false"
    assert blocks["reason"]["element"]["multiline"] is True
    assert blocks["reason"]["optional"] is True


@pytest.mark.parametrize("settings", [{"require_reason": True}, {"reason_pattern": r"CHG\d{7}"}])
def test_a_reason_is_required_where_the_settings_say_so(
    adapter: Adapter, settings: dict[str, Any]
) -> None:
    opened(adapter)
    reason = inputs(view_of(adapter))["reason"]
    assert not reason.get("optional")
    assert settings.get("reason_pattern", "") in reason["hint"]["text"]


SEEN: list[tuple[Any, list[str], list[str]]] = [
    (made.listed(made.itself(), ONE), [ONE.id], ["itself"]),
    (made.listed(made.itself()), [], []),
    (made.unread(), [], ["vr.local &lt;b&gt;", f"`{made.COMMAND} PAIRING reason`"]),
]


@pytest.mark.parametrize(("read", "chosen", "parts"), SEEN, ids=range(len(SEEN)))
@with_policy(label="production", dry_run=True)
def test_what_the_form_shows_of_what_was_read(
    adapter: Adapter, read: Any, chosen: list[str], parts: list[str]
) -> None:
    adapter.lookups.sites = {"default": read}
    open_form(adapter)
    assert [part for part in parts if part not in words_of(adapter)] == []
    if chosen:
        assert choices(adapter) == chosen
        assert ("*production*" in words_of(adapter), "Dry run" in words_of(adapter)) == (True, True)
    else:
        assert (inputs(view_of(adapter)), view_of(adapter).get("submit")) == ({}, None)


def test_a_stranger_sees_no_names(adapter: Adapter) -> None:
    lists(adapter)
    adapter.lookups.refusal = MayNotLook(reason=Reason.OTHER_WORKSPACE)
    open_form(adapter)
    assert "berlin" not in words_of(adapter)


def test_that_too_many_look_is_told_beside_the_form(adapter: Adapter) -> None:
    adapter.lookups.full = True
    assert open_form(adapter).json["response_type"] == "ephemeral"
    assert [c.method for c in adapter.api.calls] == ["views.open"]


@pytest.mark.parametrize(
    "answer",
    [error("expired_trigger_id"), limited(), Answer(status=500), Answer(cut=True), Answer([1])],
)
def test_a_form_that_does_not_open_is_told(adapter: Adapter, answer: Answer) -> None:
    lists(adapter)
    adapter.api.script("views.open", answer)
    assert open_form(adapter).json["response_type"] == "ephemeral"
    assert adapter.lookups.asked == []


@pytest.mark.parametrize("answer", [error("not_found"), error("hash_conflict"), Answer(cut=True)])
def test_a_form_that_was_closed_meanwhile_harms_nothing(adapter: Adapter, answer: Answer) -> None:
    lists(adapter)
    adapter.api.script("views.update", answer)
    assert open_form(adapter).status == 200
    assert len(adapter.api.of("views.update")) == 1


# ---- more pairings than a menu holds ---------------------------------------------------------


def _search(adapter: Adapter, typed: str, block: str = "pairing") -> list[dict[str, Any]]:
    payload = made.submission("{}", {}, type="block_suggestion")
    payload |= {"action_id": "value", "block_id": block, "value": typed}
    options: list[dict[str, Any]] = adapter.send(payload).json["options"]
    return options


def test_a_hundred_are_one_menu_and_one_more_is_a_search(adapter: Adapter) -> None:
    many = [made.pairing(n, remote=f"site-{n:03d}") for n in range(1, 102)]
    opened(adapter, made.listed(*many[:100]))
    assert (element(adapter, "pairing")["type"], len(choices(adapter))) == ("static_select", 100)
    lists(adapter, made.listed(*many))
    open_form(adapter, trigger_id="second")
    assert element(adapter, "pairing")["type"] == "external_select"


def test_typing_searches_names_and_ids(adapter: Adapter) -> None:
    many = [made.pairing(n, remote=f"site-{n:03d}") for n in range(1, 151)]
    adapter.lookups.in_memory = {"default": made.listed(*many)}
    assert len(_search(adapter, "")) == 100
    assert [o["value"] for o in _search(adapter, "BERLIN site-142")] == [many[141].id]
    assert [o["value"] for o in _search(adapter, "00000077")] == [many[76].id]
    assert _search(adapter, "vienna") == _search(adapter, "", block="other") == []
    assert adapter.lookups.asked == []


def test_a_list_that_is_not_in_memory_is_read_behind_its_back(adapter: Adapter) -> None:
    lists(adapter)
    (option,) = _search(adapter, "pra")
    assert adapter.lookups.asked == [("pairings", ("default",), "UAPPROVER", False)]
    assert list(send(adapter, opened(adapter), pairing=option["value"])) == ["pairing"]


# ---- several appliances ----------------------------------------------------------------------


def _two_sites(adapter: Adapter) -> str:
    return opened(adapter, made.listed(ONE, site="east"), made.listed(TWO, site="west"))


@with_policy(sites=SITES)
def test_all_are_listed_until_an_appliance_is_chosen(adapter: Adapter) -> None:
    metadata = _two_sites(adapter)
    assert list(inputs(view_of(adapter))) == ["site", *FIELDS]
    assert inputs(view_of(adapter))["site"]["dispatch_action"] is True
    assert choices(adapter, "site") == ["east", "west"]
    assert choices(adapter) == [f"east/{ONE.id}", f"west/{TWO.id}"]
    site = {"site": {"value": {"selected_option": {"value": "west"}}}}
    view = made.submission(metadata, site, "unpair_request")["view"] | {"hash": "1.b"}
    action = {"type": "static_select", "action_id": "value", "block_id": "site", "action_ts": "1"}
    payload = made.click("value", "", message=None, channel=None)
    payload |= {"view": view, "actions": [action], "container": {"type": "view", "view_id": "V1"}}
    assert adapter.send(payload).status == 200
    assert choices(adapter) == [f"west/{TWO.id}"]
    assert adapter.api.of("views.update")[-1].body["hash"] == "1.b"


@with_policy(sites=SITES)
def test_one_appliance_that_is_away_does_not_hide_the_other(adapter: Adapter) -> None:
    adapter.lookups.sites = {
        "east": made.listed(ONE, site="east"),
        "west": made.unread("west"),
    }
    open_form(adapter)
    assert choices(adapter) == [f"east/{ONE.id}"]
    assert "vr.local" in words_of(adapter)


# ---- sent ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("picked", "at"),
    [
        ({"date": "2026-12-03", "time": "22:00"}, "2026-12-03T22:00"),
        ({"time": "07:05"}, "07:05"),
        ({}, None),
    ],
)
def test_what_is_sent_is_stored_as_the_command_would(
    adapter: Adapter, picked: dict[str, str], at: str | None
) -> None:
    metadata = opened(adapter)
    assert send(adapter, metadata, force="true", reason="  gone,\nfor good ", **picked) == {}
    first, put = adapter.puts
    assert put.event == Asked(
        site="default",
        pairing=ONE.id,
        force=True,
        reason="gone,\nfor good",
        requester="UREQUESTER",
        team="T1",
        channel="C1",
        at=at,
    )
    assert (put.request_id, put.answer_via, put.response_url) == (first.request_id, 1, None)
    assert ONE.id in adapter.whispered()[0]


def test_one_form_asks_once_and_two_forms_twice(adapter: Adapter) -> None:
    first = opened(adapter)
    open_form(adapter, trigger_id="another")
    second: str = view_of(adapter)["private_metadata"]
    for metadata, press in ((first, "1"), (first, "2"), (second, "3")):
        assert send(adapter, metadata, trigger_id=press) == {}
    ids = [p.request_id for p in adapter.puts if isinstance(p.event, Asked)]
    assert len(ids) == len(set(ids)) == 2


@pytest.mark.parametrize(
    "corrected",
    [{"reason": "in May"}, {"time": "22:00"}, {"force": "true"}, {"pairing": "paris"}],
)
def test_a_form_that_was_taken_and_is_corrected_says_what_was_sent(
    adapter: Adapter, corrected: dict[str, Any]
) -> None:
    """The acknowledgement was lost, so the form stayed open. The second content must not look as if
    it had been taken."""
    metadata = opened(adapter)
    send(adapter, metadata)
    (said,) = send(adapter, metadata, trigger_id="again", **corrected).values()
    assert adapter.puts[0].request_id in said
    assert len(adapter.puts) == 2
    assert send(adapter, metadata, trigger_id="as before") == {}


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"pairing": None}, ["pairing"]),
    ({"pairing": "x" * 151}, ["pairing"]),
    ({"force": None}, ["force"]),
    ({"force": "yes"}, ["force"]),
    ({"date": "2026-12-03"}, ["time"]),
    ({"reason": "x" * 2_901}, ["reason"]),
    ({"reason": "&" * 600}, ["reason"]),
    ({"pairing": None, "force": None, "reason": "x" * 2_901}, ["pairing", "force", "reason"]),
]


@pytest.mark.parametrize(("changes", "fields"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said_at_its_field(
    adapter: Adapter, changes: dict[str, Any], fields: list[str]
) -> None:
    assert list(send(adapter, opened(adapter), **changes)) == fields
    assert len(adapter.puts) == 1


@pytest.mark.parametrize("settings", [{"require_reason": True}, {"reason_pattern": r"<CHG>\d{7}"}])
def test_a_reason_that_is_needed(adapter: Adapter, settings: dict[str, Any]) -> None:
    metadata = opened(adapter)
    for reason in (None, "", " \n", *(["CHG1"] if "reason_pattern" in settings else [])):
        errors = send(adapter, metadata, reason=reason)
        assert list(errors) == ["reason"]
        assert "<CHG>" not in errors["reason"], "what opens a mention stands in no text"
    assert send(adapter, metadata, reason="as in <CHG>1234567") == {}


@pytest.mark.parametrize("metadata", ["", "{}", "nonsense", '{"request_id": "x"}'])
def test_a_form_of_another_version_says_so(adapter: Adapter, metadata: str) -> None:
    assert set(send(adapter, metadata)) == {"reason"}
    assert adapter.puts == []


def test_a_store_that_fails_is_said_at_the_field(
    adapter: Adapter, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = opened(adapter)
    adapter.store.breaks(RuntimeError("no space"))
    reference = send(adapter, metadata)["reason"].partition("reference ")[2].split()[0]
    assert reference in capsys.readouterr().out


# ---- a name that fits nothing: the likeliest pairings as buttons -----------------------------

NEAR = tuple(Near(pairing_id=ONE.id, title=f"berlin → <!here> {n}") for n in range(5))
REFUSED: dict[str, Any] = {
    "id": "BBBB-CCCC",
    "state": State.REFUSED,
    "asked": "pragu",
    "force": True,
    "reason": "it must go " * 250,
    "snapshot": None,
    "outcome": Outcome(code="pairing_none", near=NEAR),
}
OF_REFUSED = Suggestion(pairing=ONE.id, force=True, refused="BBBB-CCCC")


def press(adapter: Adapter, value: str, **changes: Any) -> None:
    lists(adapter)
    given: dict[str, Any] = {"by": "UREQUESTER", "value": value, **changes}
    click = made.click("unpair_suggest_0", adapter.api.response_url(), **given)
    assert adapter.send(click).status == 200


def test_the_answer_to_a_request_has_the_buttons_and_no_card() -> None:
    shown = draw_answer(Words(event=1, code="refused"), made.request(**REFUSED))
    assert check_blocks(list(shown.blocks)) == []
    pressed = shown.blocks[1]["elements"]
    assert [b["action_id"] for b in pressed] == [f"unpair_suggest_{n}" for n in range(5)]
    assert Suggestion.unpack(pressed[0]["value"]) == OF_REFUSED


def test_a_preview_suggests_too(adapter: Adapter) -> None:
    adapter.lookups.read = PairingUnresolved(why="none", near=NEAR)
    adapter.send(made.command("preview pragu --force", adapter.api.response_url()))
    blocks = adapter.api.wait_for("response", 1)[-1].body["blocks"]
    assert check_blocks(blocks) == []
    value = blocks[1]["elements"][0]["value"]
    assert Suggestion.unpack(value) == Suggestion(pairing=ONE.id, force=True)
    press(adapter, value)
    assert element(adapter, "force")["initial_option"]["value"] == "true"
    assert "initial_value" not in element(adapter, "reason")


@pytest.mark.parametrize(
    ("at", "zone", "picked"),
    [
        (None, None, (None, None)),
        (1_800_000_000_000, "Asia/Kolkata", ("2027-01-15", "13:30")),
        (1_800_000_000_001, "Asia/Kolkata", ("2027-01-15", "13:31")),
        (1_800_000_000_000, None, ("2027-01-15", "08:00")),
    ],
)
def test_the_form_keeps_what_was_typed(
    adapter: Adapter, at: int | None, zone: str | None, picked: tuple[str | None, str | None]
) -> None:
    """Without the time the delete would be sent at once; and never earlier than was asked for."""
    adapter.store.has(**REFUSED, at="+6h" if at else None, scheduled_at=at, zone=zone)
    press(adapter, OF_REFUSED.pack())
    assert element(adapter, "pairing")["initial_option"]["value"] == ONE.id
    assert element(adapter, "force")["initial_option"]["value"] == "true"
    assert element(adapter, "reason")["initial_value"] == REFUSED["reason"]
    day, time = element(adapter, "date"), element(adapter, "time")
    assert (day.get("initial_date"), time.get("initial_time")) == picked
    assert [type(put.event) for put in adapter.puts] == [Opened]


def test_a_pairing_that_is_gone_meanwhile_is_not_chosen(adapter: Adapter) -> None:
    press(adapter, Suggestion(pairing="gone", force=False).pack())
    assert "initial_option" not in element(adapter, "pairing")


@pytest.mark.parametrize(
    ("value", "changes"),
    [
        ("nonsense", {}),
        (OF_REFUSED.pack(), {"by": "UOTHER"}),
        (Suggestion(pairing="p", force=False, refused="NONE-NONE").pack(), {}),
        (Suggestion(pairing="p", force=False).pack(), {"channel": {"id": "D1"}}),
    ],
    ids=["nonsense", "of somebody else", "of no request", "in a direct message"],
)
def test_what_opens_no_form(adapter: Adapter, value: str, changes: dict[str, Any]) -> None:
    adapter.store.has(**REFUSED)
    press(adapter, value, **changes)
    adapter.whispered()
    assert adapter.puts == []
    assert adapter.api.of("views.open") == []
