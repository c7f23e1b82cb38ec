"""`/vr-unpair` alone: the form is opened, filled and searched."""

from __future__ import annotations

from typing import Any

import pytest

from bot.request.events import Opened
from bot.request.lookup_results import MayNotLook
from bot.request.who_may import Reason
from bot.slack.draw.ids import AskOrigin
from tests.slack.listeners import looked_up, made
from tests.slack.listeners.conftest import Adapter
from tests.slack.listeners.fake_web_api import Answer, error, limited
from tests.slack.listeners.request_form import (
    ONE,
    inputs,
    lists,
    open_form,
    opened,
    send,
    view_of,
    words_of,
)

SITES = {n: made.policy().sites["default"] for n in ("east", "west")}


# ---- opening and filling ---------------------------------------------------------------------


def test_it_is_opened_before_the_appliance_is_read(adapter: Adapter) -> None:
    lists(adapter)
    reply = open_form(adapter)
    assert (reply.status, reply.body) == (200, b"")
    methods = [c.method for c in adapter.api.calls]
    assert methods == ["views.open", "views.update"]
    opened = view_of(adapter, "views.open")
    assert "Reading the appliance" in words_of(opened)
    assert inputs(opened) == {}
    assert opened.get("submit") is None
    update = adapter.api.of("views.update")[0].body
    assert (update["view_id"], update["hash"]) == ("V1", "1.a")
    assert adapter.lookups.asked == [("pairings", ("default",), "UREQUESTER", False)]


def test_only_its_address_is_kept(adapter: Adapter) -> None:
    metadata = AskOrigin.unpack(opened(adapter))
    (put,) = adapter.inbox.puts
    assert put.event == Opened(action="ask", by="UREQUESTER")
    assert put.response_url == adapter.api.response_url()
    assert metadata == AskOrigin(request_id=put.request_id, channel="C1", opened_by=1)


def test_its_inputs_have_the_names_of_the_contract(adapter: Adapter) -> None:
    opened(adapter)
    blocks = inputs(view_of(adapter))
    assert list(blocks) == ["pairing", "force", "date", "time", "reason"]
    assert {b["element"]["action_id"] for b in blocks.values()} == {"value"}
    pairing = blocks["pairing"]["element"]
    assert pairing["type"] == "static_select"
    (option,) = pairing["options"]
    assert option["value"] == ONE.id
    assert "berlin → prague" in option["text"]["text"]
    assert ONE.id[:8] in option["text"]["text"]
    assert option["description"]["text"] == ONE.id
    force = blocks["force"]["element"]
    assert force["initial_option"]["value"] == "false"
    assert "keeps its half" in blocks["force"]["hint"]["text"]
    assert blocks["reason"]["element"]["multiline"] is True
    assert blocks["reason"]["optional"] is True


@pytest.mark.parametrize(
    "changed_deps",
    [
        {"policy": made.policy(require_reason=True)},
        {"policy": made.policy(reason_pattern=r"CHG\d{7}", label="production", dry_run=True)},
    ],
    ids=["required", "pattern"],
)
def test_a_reason_is_required_where_the_settings_say_so(adapter: Adapter) -> None:
    opened(adapter)
    assert not inputs(view_of(adapter))["reason"].get("optional")


@pytest.mark.parametrize(
    "changed_deps",
    [{"policy": made.policy(reason_pattern=r"CHG\d{7}", label="production", dry_run=True)}],
    ids=["all"],
)
def test_the_form_says_where_it_is_and_what_a_reason_needs(adapter: Adapter) -> None:
    opened(adapter)
    view = view_of(adapter)
    assert "*production*" in words_of(view)
    assert "Dry run" in words_of(view)
    assert r"CHG\d{7}" in inputs(view)["reason"]["hint"]["text"]


def test_a_site_paired_with_itself_is_left_out(adapter: Adapter) -> None:
    lists(adapter, looked_up.listed(looked_up.itself(), ONE))
    open_form(adapter)
    view = view_of(adapter)
    assert [o["value"] for o in inputs(view)["pairing"]["element"]["options"]] == [ONE.id]
    assert "1 pairing pairs a site with itself" in words_of(view)


def test_without_any_pairing_it_says_so(adapter: Adapter) -> None:
    lists(adapter, looked_up.listed(looked_up.itself()))
    open_form(adapter)
    view = view_of(adapter)
    assert "no pairing to break on the appliance" in words_of(view)
    assert "default" not in words_of(view)
    assert inputs(view) == {}


def test_an_appliance_that_cannot_be_read(adapter: Adapter) -> None:
    adapter.lookups.sites = {"default": looked_up.unread()}
    assert open_form(adapter).body == b""
    view = view_of(adapter)
    words = words_of(view)
    assert "The pairings of the appliance could not be read" in words
    assert "No connection to vr.local &lt;b&gt;" in words
    assert "*Next:*" in words
    assert f"`{made.COMMAND} PAIRING reason`" in words
    assert view.get("submit") is None


def test_an_older_list_is_better_than_none(adapter: Adapter) -> None:
    adapter.lookups.sites = {"default": looked_up.unread()}
    adapter.lookups.in_memory = {"default": looked_up.listed(ONE)}
    open_form(adapter)
    view = view_of(adapter)
    assert [o["value"] for o in inputs(view)["pairing"]["element"]["options"]] == [ONE.id]
    assert "so this is its list of <!date^1700000000" in words_of(view)


def test_a_stranger_sees_no_names(adapter: Adapter) -> None:
    lists(adapter)
    adapter.lookups.refusal = MayNotLook(reason=Reason.OTHER_WORKSPACE)
    open_form(adapter)
    words = words_of(view_of(adapter))
    assert "another workspace" in words
    assert "berlin" not in words


def test_when_too_many_look_nothing_is_opened(adapter: Adapter) -> None:
    adapter.lookups.full = True
    said = open_form(adapter).json["text"]
    assert f"`{made.COMMAND} PAIRING reason`" in said
    assert (adapter.api.calls, adapter.inbox.puts) == ([], [])


@pytest.mark.parametrize(
    "answer",
    [error("expired_trigger_id"), limited(), Answer(status=500), Answer(cut=True), Answer([1])],
    ids=["expired", "429", "500", "cut", "array"],
)
def test_a_form_that_does_not_open_is_told(adapter: Adapter, answer: Answer) -> None:
    lists(adapter)
    adapter.api.script("views.open", answer)
    said = open_form(adapter).json
    assert said["response_type"] == "ephemeral"
    assert "did not open the form" in said["text"]
    assert adapter.lookups.asked == []


@pytest.mark.parametrize("word", ["not_found", "hash_conflict", "invalid_arguments"])
def test_a_form_that_was_closed_meanwhile_harms_nothing(adapter: Adapter, word: str) -> None:
    lists(adapter)
    adapter.api.script("views.update", error(word))
    assert open_form(adapter).status == 200
    assert len(adapter.api.of("views.update")) == 1


def test_an_update_that_is_cut_off_is_tried_once_more(adapter: Adapter) -> None:
    lists(adapter)
    adapter.api.script("views.update", Answer(cut=True))
    open_form(adapter)
    first, second = adapter.api.of("views.update")
    assert first.body == second.body


def test_the_same_command_again_opens_no_second_form(adapter: Adapter) -> None:
    opened(adapter)
    assert open_form(adapter).body == b""
    assert len(adapter.api.of("views.open")) == 1
    assert len(adapter.inbox.puts) == 1


@pytest.mark.parametrize(
    "changed_deps", [{"policy": made.policy(channels=frozenset({"C9"}))}], ids=["channels"]
)
def test_where_the_command_does_not_work_no_form_is_opened(adapter: Adapter) -> None:
    assert "<#C9>" in open_form(adapter).json["text"]
    assert adapter.api.calls == []


def test_a_direct_message_has_no_form(adapter: Adapter) -> None:
    assert "channel" in open_form(adapter, channel_id="D1").json["text"]
    assert adapter.api.calls == []


# ---- more pairings than a menu holds ---------------------------------------------------------


def _suggest(adapter: Adapter, typed: str, **changes: Any) -> list[dict[str, Any]]:
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": "unpair_request",
        "private_metadata": "{}",
        "state": {"values": {}},
    }
    payload = {
        "type": "block_suggestion",
        "team": {"id": "T1"},
        "user": {"id": "UREQUESTER", "team_id": "T1"},
        "api_app_id": "A1",
        "action_id": "value",
        "block_id": "pairing",
        "value": typed,
        "view": view,
        **changes,
    }
    options: list[dict[str, Any]] = adapter.send(payload).json["options"]
    return options


def test_a_hundred_are_one_menu_and_one_more_is_a_search(adapter: Adapter) -> None:
    many = [looked_up.pairing(n, remote=f"site-{n:03d}") for n in range(1, 102)]
    lists(adapter, looked_up.listed(*many[:100]))
    open_form(adapter)
    element = inputs(view_of(adapter))["pairing"]["element"]
    assert (element["type"], len(element["options"])) == ("static_select", 100)
    lists(adapter, looked_up.listed(*many))
    open_form(adapter, trigger_id="second")
    block = inputs(view_of(adapter))["pairing"]
    assert block["element"]["type"] == "external_select"
    assert "101" in block["hint"]["text"]


def test_typing_searches_names_and_ids(adapter: Adapter) -> None:
    many = [looked_up.pairing(n, remote=f"site-{n:03d}") for n in range(1, 151)]
    adapter.lookups.in_memory = {"default": looked_up.listed(*many)}
    assert len(_suggest(adapter, "")) == 100
    assert [o["value"] for o in _suggest(adapter, "BERLIN site-142")] == [many[141].id]
    assert [o["value"] for o in _suggest(adapter, "00000077")] == [many[76].id]
    assert _suggest(adapter, "vienna") == []
    assert adapter.lookups.asked == []


def test_a_list_that_is_not_in_memory_is_read_behind_its_back(adapter: Adapter) -> None:
    lists(adapter)
    (option,) = _suggest(adapter, "pra")
    assert "Type again" in option["text"]["text"]
    assert adapter.lookups.asked == [("pairings", ("default",), "UREQUESTER", False)]
    reply = send(adapter, opened(adapter), pairing=option["value"])
    assert "Type again" in reply.json["errors"]["pairing"]


def test_other_menus_have_no_options_here(adapter: Adapter) -> None:
    adapter.lookups.in_memory = {"default": looked_up.listed(ONE)}
    assert _suggest(adapter, "", block_id="other") == []


# ---- several appliances ----------------------------------------------------------------------


SEVERAL = pytest.mark.parametrize(
    "changed_deps", [{"policy": made.policy(sites=SITES)}], ids=["two sites"]
)
TWO = looked_up.pairing(2, remote="porto")


def _two_sites(adapter: Adapter) -> str:
    lists(adapter, looked_up.listed(ONE, site="east"), looked_up.listed(TWO, site="west"))
    open_form(adapter)
    metadata: str = view_of(adapter)["private_metadata"]
    return metadata


@SEVERAL
def test_all_are_listed_until_an_appliance_is_chosen(adapter: Adapter) -> None:
    metadata = _two_sites(adapter)
    blocks = inputs(view_of(adapter))
    assert list(blocks) == ["site", "pairing", "force", "date", "time", "reason"]
    assert [o["value"] for o in blocks["site"]["element"]["options"]] == ["east", "west"]
    assert blocks["site"]["dispatch_action"] is True
    values = [o["value"] for o in blocks["pairing"]["element"]["options"]]
    assert values == [f"east/{ONE.id}", f"west/{TWO.id}"]
    view = {
        "id": "V1",
        "hash": "1.b",
        "callback_id": "unpair_request",
        "private_metadata": metadata,
        "state": {"values": {"site": {"value": {"selected_option": {"value": "west"}}}}},
    }
    action = {"type": "static_select", "action_id": "value", "block_id": "site", "action_ts": "1"}
    payload = made.click("value", "", message=None, channel=None)
    del payload["response_url"]
    payload |= {"view": view, "actions": [action], "container": {"type": "view", "view_id": "V1"}}
    assert adapter.send(payload).status == 200
    pairings = inputs(view_of(adapter))["pairing"]["element"]["options"]
    assert [o["value"] for o in pairings] == [f"west/{TWO.id}"]
    assert adapter.api.of("views.update")[-1].body["hash"] == "1.b"


@SEVERAL
def test_the_appliance_travels_with_the_pairing(adapter: Adapter) -> None:
    metadata = _two_sites(adapter)
    reply = send(adapter, metadata, pairing=f"west/{TWO.id}", site="east")
    assert list(reply.json["errors"]) == ["pairing"]
    assert send(adapter, metadata, pairing=f"west/{TWO.id}", site="west").body == b""
    event: Any = adapter.inbox.puts[-1].event
    assert (event.site, event.pairing) == ("west", TWO.id)


@SEVERAL
def test_one_appliance_that_is_away_does_not_hide_the_other(adapter: Adapter) -> None:
    adapter.lookups.sites = {
        "east": looked_up.listed(ONE, site="east"),
        "west": looked_up.unread("west"),
    }
    open_form(adapter)
    view = view_of(adapter)
    assert len(inputs(view)["pairing"]["element"]["options"]) == 1
    assert "`west` could not be read" in words_of(view)
