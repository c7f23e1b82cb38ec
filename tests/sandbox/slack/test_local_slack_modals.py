"""Modals: opening with a trigger, filling in, and what the bot's answers do."""

from __future__ import annotations

import json

import pytest
from slack_sdk import WebClient

from sandbox.slack import CannotDo, Json, LocalSlack
from tests.sandbox.slack.slack_kit import (
    ANN,
    Receiver,
    error_of,
    modal,
    option,
    section,
    text_input,
)
from tests.support.clock import Clock


def select_input(kind: str = "static_select", **more: object) -> Json:
    element = {"type": kind, "action_id": "value", **more}
    return text_input("pairing", element=element)


def opened(slack: LocalSlack, client: WebClient, view: Json) -> str:
    """Ann has this modal open."""
    client.views_open(trigger_id=slack.workspace.new_trigger(ANN).id, view=view)
    return ANN


def test_a_trigger_is_good_once_and_for_three_seconds(
    slack: LocalSlack, client: WebClient, clock: Clock
) -> None:
    view = modal(section())
    trigger = slack.workspace.new_trigger(ANN).id
    clock.turn(3.0)
    assert client.views_open(trigger_id=trigger, view=view)["ok"]
    assert error_of(client.views_open, trigger_id=trigger, view=view) == "exchanged_trigger_id"
    late = slack.workspace.new_trigger(ANN).id
    clock.turn(3.1)
    assert error_of(client.views_open, trigger_id=late, view=view) == "expired_trigger_id"
    assert error_of(client.views_open, trigger_id="1.2.x", view=view) == "invalid_trigger_id"
    wrong = slack.workspace.new_trigger(ANN)
    assert error_of(client.views_open, trigger_id=wrong.id, view={"type": "home"}) == (
        "invalid_arguments"
    )
    assert not wrong.used


def test_updating_by_id_with_a_hash(slack: LocalSlack, client: WebClient) -> None:
    ann = opened(slack, client, modal(section("loading")))
    view = slack.views[ann]
    old_hash = view.hash
    answer = client.views_update(view_id=view.id, hash=old_hash, view=modal(section("ready")))
    assert answer["view"]["hash"] != old_hash
    assert "ready" in slack.views[ann].all_text
    fresh = modal(section("late"))
    assert error_of(client.views_update, view_id=view.id, hash=old_hash, view=fresh) == (
        "hash_conflict"
    )
    assert error_of(client.views_update, view_id="V0NONE", view=fresh) == "not_found"
    slack.close(ann)
    assert error_of(client.views_update, view_id=view.id, view=fresh) == "not_found"


def test_what_the_form_would_not_send(
    slack: LocalSlack, receiver: Receiver, client: WebClient
) -> None:
    element = {"type": "plain_text_input", "action_id": "value", "max_length": 5, "min_length": 2}
    pairings = select_input(options=[option("P1", "one"), option("P2", "two")])
    ann = opened(slack, client, modal(pairings, text_input(element=element)))
    for values, why in (
        ({"pairing": "P1"}, "required"),
        ({"pairing": "P1", "reason": "123456"}, "2 to 5"),
        ({"pairing": "P1", "reason": "1"}, "2 to 5"),
        ({"pairing": "P9", "reason": "12345"}, "not offered"),
        ({"site": "x"}, "no block"),
    ):
        with pytest.raises(CannotDo, match=why):
            slack.submit(ann, None, values)
    with pytest.raises(CannotDo, match="dispatch_action"):
        slack.choose(ann, "pairing", "P1")
    with pytest.raises(CannotDo, match="does not search"):
        slack.suggest(ann, "reason", "x")
    assert receiver.received == []
    slack.submit(ann, None, {"pairing": "P9", "reason": ""}, force=True)
    values = json.loads(receiver.received[-1].form["payload"])["view"]["state"]["values"]
    assert values["pairing"]["value"]["selected_option"]["value"] == "P9"
    with pytest.raises(CannotDo, match="no such modal"):
        slack.submit(ann)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (500, ""),
        (200, "not json"),
        (200, '{"ok": true}'),
        (200, '{"response_action": "clear"}'),
        (200, '{"response_action": "errors", "errors": {}}'),
        (200, '{"response_action": "errors", "errors": {"nowhere": "x"}}'),
    ],
)
def test_a_bad_answer_leaves_the_modal_open(
    slack: LocalSlack, receiver: Receiver, client: WebClient, status: int, text: str
) -> None:
    ann = opened(slack, client, modal(text_input()))
    receiver.answer = lambda request: (status, text, "application/json")
    assert not slack.submit(ann, None, {"reason": "x"}).ok
    assert slack.views[ann].errors == {}


def test_a_search_finds_a_hundred_at_most(
    slack: LocalSlack, receiver: Receiver, client: WebClient
) -> None:
    ann = opened(slack, client, modal(select_input("external_select")))
    for count, found in ((100, None), (101, "no more than 100 items allowed")):
        body = json.dumps({"options": [option(str(number)) for number in range(count)]})
        receiver.answer = lambda request, body=body: (200, body, "application/json")
        assert slack.suggest(ann, "pairing", "").problem == found
    with pytest.raises(CannotDo):
        slack.submit(ann, None, {"pairing": "7"})
