"""Commands and clicks as the bot gets them, signed and in time."""

from __future__ import annotations

import json
import threading
from urllib.parse import parse_qs

import pytest
import requests
from slack_sdk import WebClient

from bot.sandbox.slack import CannotDo, Json, LocalSlack
from tests.sandbox.slack.slack_kit import ANN, OPS, Receiver, actions, button, section


def payload_of(receiver: Receiver) -> Json:
    payload: Json = json.loads(receiver.received[-1].form["payload"])
    return payload


def test_a_command_is_a_signed_form(slack: LocalSlack, receiver: Receiver) -> None:
    ann = slack.add_person("Ann Ash")
    delivery = slack.command(ann, "PAIR-1 --force ticket & <b>", channel=OPS)
    assert delivery.ok
    assert delivery.status == 200
    (request,) = receiver.received
    assert request.genuine
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    form = request.form
    assert form["command"] == "/vr-unpair"
    assert form["text"] == "PAIR-1 --force ticket & <b>"
    assert (form["user_id"], form["user_name"]) == (ann, "ann.ash")
    assert (form["team_id"], form["api_app_id"]) == (slack.team_id, slack.app_id)
    assert (form["channel_id"], form["channel_name"]) == (OPS, "ops")
    assert form["is_enterprise_install"] == "false"
    assert "enterprise_id" not in form
    assert form["response_url"].startswith(slack.base_url + "/commands/")
    assert form["trigger_id"] == delivery.trigger_id
    assert form["response_url"] == delivery.response_url


def test_the_answer_to_a_command_is_shown(slack: LocalSlack, receiver: Receiver) -> None:
    channel = slack.add_channel("ops", bot_is_member=False)
    receiver.answer = lambda request: (200, "usage: …", "text/plain")
    slack.command(ANN, "help", channel=channel)
    body = json.dumps({"response_type": "ephemeral", "text": "json", "blocks": [section("b")]})
    receiver.answer = lambda request: (200, body, "application/json")
    slack.command(ANN, "list", channel=channel)
    shown, more = slack.ephemerals(ANN)
    assert (shown.text, shown.via) == ("usage: …", "ack")
    assert (shown.answers.kind, shown.answers.what) == ("command", "/vr-unpair help")
    assert more.all_text == "json\nb"
    receiver.answer = lambda request: (200, json.dumps({"blocks": [{"type": "no"}]}), "text/json")
    assert slack.command(ANN, "bad", channel=channel).problem == "invalid_blocks"


def test_a_click_carries_the_message_it_was_made_on(
    slack: LocalSlack, receiver: Receiver, client: WebClient
) -> None:
    card = client.chat_postMessage(channel=OPS, text="card")["ts"]
    blocks = [section("body"), actions(button("unpair_approve", "R1:f", style="danger"))]
    ts = client.chat_postMessage(channel=OPS, text="b", blocks=blocks, thread_ts=card)["ts"]
    delivery = slack.click(ANN, (OPS, ts), "unpair_approve")
    assert delivery.ok
    assert receiver.received[-1].genuine
    payload = payload_of(receiver)
    assert payload == delivery.payload
    assert payload["type"] == "block_actions"
    assert payload["user"]["id"] == ANN
    assert payload["user"]["team_id"] == payload["team"]["id"] == slack.team_id
    assert payload["api_app_id"] == slack.app_id
    assert payload["channel"]["id"] == OPS
    assert payload["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": OPS,
        "is_ephemeral": False,
        "thread_ts": card,
    }
    message = payload["message"]
    assert (message["app_id"], message["bot_id"]) == (slack.app_id, slack.workspace.bot_id)
    assert (message["user"], message["ts"]) == (slack.bot_user_id, ts)
    assert message["thread_ts"] == card
    assert [block["type"] for block in message["blocks"]] == ["section", "actions"]
    (action,) = payload["actions"]
    assert (action["action_id"], action["value"]) == ("unpair_approve", "R1:f")
    assert (action["block_id"], action["type"]) == ("buttons", "button")
    assert action["style"] == "danger"
    assert action["action_ts"]
    assert payload["trigger_id"] == delivery.trigger_id
    assert payload["response_url"].startswith(slack.base_url + "/actions/")


def test_a_button_that_is_not_there_cannot_be_pressed(
    slack: LocalSlack, receiver: Receiver, client: WebClient
) -> None:
    blocks = [actions(button("go", "R1:f"))]
    ts = client.chat_postMessage(channel=OPS, text="x", blocks=blocks)["ts"]
    with pytest.raises(CannotDo, match="unpair_deny"):
        slack.click(ANN, (OPS, ts), "unpair_deny")
    with pytest.raises(CannotDo, match="go"):
        slack.click(ANN, (OPS, ts), "go", value="other")
    client.chat_update(channel=OPS, ts=ts, text="done", blocks=[section()])
    with pytest.raises(CannotDo):
        slack.click(ANN, (OPS, ts), "go")
    with pytest.raises(CannotDo):
        slack.click(ANN, (OPS, "1.000001"), "go")
    assert receiver.received == []
    slack.click(ANN, (OPS, ts), "go", value="R1:old", force=True)
    assert payload_of(receiver)["actions"][0]["value"] == "R1:old"
    gone = client.chat_postMessage(channel=OPS, text="x", blocks=blocks)["ts"]
    slack.delete_message(OPS, gone)
    with pytest.raises(CannotDo):
        slack.click(ANN, (OPS, gone), "go")


def test_a_button_that_one_person_sees_is_pressed_by_nobody_else(
    slack: LocalSlack, receiver: Receiver
) -> None:
    bob, blocks = slack.add_person("Bob"), [actions(button("unpair_suggest:1", "P1"))]
    asked = slack.command(ANN, "x", channel=OPS).response_url
    requests.post(asked, json={"text": "which?", "blocks": blocks}, timeout=5)
    (shown,) = slack.ephemerals(ANN)
    with pytest.raises(CannotDo):
        slack.click(bob, shown, "unpair_suggest:1")
    delivery = slack.click(ANN, shown, "unpair_suggest:1")
    payload = payload_of(receiver)
    assert payload["container"]["is_ephemeral"]
    assert "message" not in payload
    assert payload["actions"][0]["value"] == "P1"
    answer = {"text": "opened", "replace_original": True}
    assert requests.post(delivery.response_url, json=answer, timeout=5).status_code == 200
    assert [one.text for one in slack.ephemerals(ANN)] == ["opened"]


def test_redelivery_is_the_same_body_with_retry_headers(
    slack: LocalSlack, receiver: Receiver
) -> None:
    delivery = slack.command(ANN, "x", channel=OPS)
    again = slack.redeliver(delivery, num=2)
    first, second = receiver.received
    assert second.body == first.body == again.sent
    assert second.genuine
    assert "x-slack-retry-num" not in first.headers
    assert second.headers["x-slack-retry-num"] == "2"
    assert again.trigger_id == delivery.trigger_id
    assert parse_qs(second.body.decode())["trigger_id"] == [delivery.trigger_id]


def test_forged_old_and_malformed_requests(slack: LocalSlack, receiver: Receiver) -> None:
    assert slack.deliver_raw(b"payload=%7B").status == 200
    for options in (
        {"sign": False},
        {"spoil_signature": True},
        {"shift_seconds": -301},
        {"shift_seconds": 302},
    ):
        delivery = slack.deliver_raw(b"payload=%7B", **options)
        assert (delivery.status, delivery.error) == (401, "dispatch_failed"), options
    assert slack.deliver_raw(b"x=1", shift_seconds=-295).status == 200


def test_nobody_listens(slack: LocalSlack) -> None:
    with pytest.raises(RuntimeError, match="request_url"):
        slack.command(ANN, "x", channel=OPS)
    slack.request_url = "http://127.0.0.1:9/slack/events"
    delivery = slack.command(ANN, "x", channel=OPS)
    assert (delivery.status, delivery.error, delivery.ok) == (None, "dispatch_failed", False)


def test_a_late_acknowledgement_is_an_operation_timeout(
    slack: LocalSlack, receiver: Receiver
) -> None:
    slack.courier.ack_seconds = 0.1
    go_on = threading.Event()

    def answer(request: object) -> tuple[int, str, str]:
        go_on.wait(5)
        return (200, "too late", "text/plain")

    receiver.answer = answer
    delivery = slack.command(ANN, "x", channel=OPS)
    go_on.set()
    assert (delivery.status, delivery.error) == (None, "operation_timeout")
    assert delivery.seconds >= 0.1
    assert slack.ephemerals(ANN) == []
