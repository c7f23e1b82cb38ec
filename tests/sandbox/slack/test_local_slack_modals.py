"""Modals: opening with a trigger, filling in, and what the bot's answers do."""

from __future__ import annotations

import json

import pytest
from slack_sdk import WebClient

from bot.sandbox.slack import CannotDo, Json, LocalSlack
from tests.sandbox.slack.slack_kit import (
    ANN,
    Receiver,
    actions,
    button,
    error_of,
    modal,
    option,
    section,
    text_input,
)
from tests.support.clock import Clock


def select_input(block_id: str = "pairing", **more: object) -> Json:
    label = {"type": "plain_text", "text": "Pairing"}
    options = [option("P1", "one"), option("P2", "two")]
    element = {"type": "static_select", "action_id": "value", "options": options}
    return {"type": "input", "block_id": block_id, "label": label, "element": element, **more}


def force_input() -> Json:
    element = {"type": "radio_buttons", "action_id": "value", "options": [option("force")]}
    return select_input("force", element=element, optional=True)


def external_input() -> Json:
    return select_input(element={"type": "external_select", "action_id": "value"})


def opened(slack: LocalSlack, client: WebClient, view: Json) -> str:
    """Ann has this modal open."""
    client.views_open(trigger_id=slack.workspace.new_trigger(ANN).id, view=view)
    return ANN


def payload_of(receiver: Receiver) -> Json:
    payload: Json = json.loads(receiver.received[-1].form["payload"])
    return payload


def answering(receiver: Receiver, body: Json) -> None:
    receiver.answer = lambda request: (200, json.dumps(body), "application/json")


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


def test_a_submission_carries_typed_values(
    slack: LocalSlack, receiver: Receiver, client: WebClient
) -> None:
    view = modal(select_input(), force_input(), text_input(), private_metadata="origin")
    ann = opened(slack, client, {**view, "callback_id": "unpair_request"})
    values = {"pairing": "P2", "force": "force", "reason": "CHG0000001 & <b>"}
    delivery = slack.submit(ann, None, values)
    assert delivery.ok
    payload = payload_of(receiver)
    assert payload["type"] == "view_submission"
    assert (payload["user"]["id"], payload["user"]["team_id"]) == (ann, slack.team_id)
    assert payload["response_urls"] == []
    assert "response_url" not in payload
    shown = payload["view"]
    assert (shown["callback_id"], shown["private_metadata"]) == ("unpair_request", "origin")
    assert (shown["app_id"], shown["bot_id"]) == (slack.app_id, slack.workspace.bot_id)
    assert shown["state"]["values"] == {
        "pairing": {"value": {"type": "static_select", "selected_option": option("P2", "two")}},
        "force": {"value": {"type": "radio_buttons", "selected_option": option("force")}},
        "reason": {"value": {"type": "plain_text_input", "value": "CHG0000001 & <b>"}},
    }
    assert slack.views == {}


def test_what_the_form_would_not_send(
    slack: LocalSlack, receiver: Receiver, client: WebClient
) -> None:
    element = {"type": "plain_text_input", "action_id": "value", "max_length": 5, "min_length": 2}
    ann = opened(slack, client, modal(select_input(), text_input(element=element)))
    with pytest.raises(CannotDo, match="required"):
        slack.submit(ann, None, {"pairing": "P1"})
    with pytest.raises(CannotDo, match="2 to 5"):
        slack.submit(ann, None, {"pairing": "P1", "reason": "123456"})
    with pytest.raises(CannotDo, match="2 to 5"):
        slack.submit(ann, None, {"pairing": "P1", "reason": "1"})
    with pytest.raises(CannotDo, match="not offered"):
        slack.submit(ann, None, {"pairing": "P9", "reason": "12345"})
    with pytest.raises(CannotDo, match="no block"):
        slack.submit(ann, None, {"site": "x"})
    assert receiver.received == []
    slack.submit(ann, None, {"pairing": "P9", "reason": ""}, force=True)
    values = payload_of(receiver)["view"]["state"]["values"]
    assert values["pairing"]["value"]["selected_option"]["value"] == "P9"
    with pytest.raises(CannotDo, match="no such modal"):
        slack.submit(ann)


def test_errors_keep_the_modal_open_and_go_with_the_next_answer(
    slack: LocalSlack, receiver: Receiver, client: WebClient
) -> None:
    ann = opened(slack, client, modal(text_input()))
    answering(receiver, {"response_action": "errors", "errors": {"reason": "too vague"}})
    assert slack.submit(ann, None, {"reason": "because"}).ok
    assert slack.views[ann].errors == {"reason": "too vague"}
    answering(receiver, {"response_action": "errors", "errors": {"nowhere": "x"}})
    assert "nowhere" in str(slack.submit(ann).problem)
    assert slack.views[ann].errors == {}
    receiver.answer = lambda request: (200, "", "text/plain")
    assert slack.submit(ann).ok
    assert slack.views == {}


@pytest.mark.parametrize(
    "answer",
    [(500, ""), (200, "not json"), (200, '{"ok": true}'), (200, '{"response_action": "clear"}')],
)
def test_a_bad_answer_leaves_the_modal_open(
    slack: LocalSlack, receiver: Receiver, client: WebClient, answer: tuple[int, str]
) -> None:
    ann = opened(slack, client, modal(text_input()))
    receiver.answer = lambda request: (*answer, "application/json")
    delivery = slack.submit(ann, None, {"reason": "x"})
    assert not delivery.ok
    assert ann in slack.views


def test_choosing_tells_the_bot_where_the_input_says_so(
    slack: LocalSlack, receiver: Receiver, client: WebClient
) -> None:
    view = modal(select_input("site", dispatch_action=True), select_input(), actions(button("ok")))
    ann = opened(slack, client, view)
    with pytest.raises(CannotDo, match="dispatch_action"):
        slack.choose(ann, "pairing", "P1")
    assert slack.choose(ann, "site", "P2").ok
    payload = payload_of(receiver)
    assert payload["type"] == "block_actions"
    assert payload["container"] == {"type": "view", "view_id": slack.views[ann].id}
    assert "message" not in payload
    (action,) = payload["actions"]
    assert (action["block_id"], action["selected_option"]["value"]) == ("site", "P2")
    assert payload["view"]["state"]["values"]["site"]["value"]["selected_option"]["value"] == "P2"
    slack.choose(ann, "buttons")
    assert payload_of(receiver)["actions"][0]["value"] == "1"
    # The choice survives an update that keeps the block.
    client.views_update(view_id=slack.views[ann].id, view=view)
    slack.submit(ann, None, {"pairing": "P1"})
    values = payload_of(receiver)["view"]["state"]["values"]
    assert values["site"]["value"]["selected_option"]["value"] == "P2"


def test_searching_in_an_external_select(
    slack: LocalSlack, receiver: Receiver, client: WebClient
) -> None:
    ann = opened(slack, client, modal(external_input(), text_input(optional=True)))
    with pytest.raises(CannotDo, match="does not search"):
        slack.suggest(ann, "reason", "x")
    answering(receiver, {"options": [option("P7", "seven")]})
    assert slack.suggest(ann, "pairing", "sev").ok
    payload = payload_of(receiver)
    assert (payload["type"], payload["value"]) == ("block_suggestion", "sev")
    assert (payload["action_id"], payload["block_id"]) == ("value", "pairing")
    assert "trigger_id" not in payload
    answering(receiver, {"options": [option(str(number)) for number in range(101)]})
    assert "no more than 100" in str(slack.suggest(ann, "pairing", "").problem)
    with pytest.raises(CannotDo):
        slack.submit(ann, None, {"pairing": "7"})
    answering(receiver, {"options": [option("P7", "seven")]})
    slack.suggest(ann, "pairing", "sev")
    receiver.answer = lambda request: (200, "", "text/plain")
    slack.submit(ann, None, {"pairing": "P7"})
    values = payload_of(receiver)["view"]["state"]["values"]
    assert values["pairing"]["value"]["selected_option"] == option("P7", "seven")
