"""Posting, editing, ephemeral messages: what passes and Slack's names for what does not."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.page.shown import view_of
from bot.sandbox.slack import LocalSlack
from tests.sandbox.slack.slack_kit import actions, button, section
from tests.support.clock import Clock


def refused(call: object, *args: object, **kwargs: object) -> str:
    assert callable(call)
    with pytest.raises(SlackApiError) as caught:
        call(*args, **kwargs)
    assert caught.value.response.status_code == 200
    return str(caught.value.response["error"])


def test_a_post_is_in_the_channel_with_the_bot_as_author(
    slack: LocalSlack, client: WebClient
) -> None:
    channel = slack.add_channel("ops")
    answer = client.chat_postMessage(channel=channel, text="hello", blocks=[section("body")])
    (message,) = slack.messages(channel)
    assert (message.ts, message.text) == (answer["ts"], "hello")
    assert message.user == slack.bot_user_id
    assert (message.bot_id, message.app_id) == (slack.workspace.bot_id, slack.app_id)
    assert message.blocks[0]["text"] == {"type": "mrkdwn", "text": "body"}
    assert message.blocks[0]["block_id"]
    assert answer["message"]["blocks"] == message.blocks
    assert message.edited is None
    assert message.all_text == "hello\nbody"
    # What was sent is kept as it was sent, without the ids that Slack adds.
    assert slack.calls_of("chat.postMessage")[0].args["blocks"] == [section("body")]


def test_a_broadcast_reply_stands_in_the_thread_and_is_seen_in_the_channel(
    slack: LocalSlack, client: WebClient
) -> None:
    channel = slack.add_channel("ops")
    card = client.chat_postMessage(channel=channel, text="card")["ts"]
    for broadcast in (False, True):
        client.chat_postMessage(
            channel=channel, text="reply", thread_ts=card, reply_broadcast=broadcast
        )
    quiet, loud = slack.messages(channel, card)
    assert (quiet.broadcast, loud.broadcast) == (False, True)
    alone = client.chat_postMessage(channel=channel, text="alone", reply_broadcast=True)["ts"]
    assert slack.messages(channel)[-1].ts == alone
    assert not slack.messages(channel)[-1].broadcast, "there is no thread to come from"
    seen = next(c for c in view_of(slack, "U0ANN")["channels"] if c["key"] == channel)["messages"]
    assert [m["text"] for m in seen] == ["card", "reply", "alone"]
    assert [m["text"] for m in seen[0]["thread"]] == ["reply", "reply"]


def test_replies_stand_in_the_thread_and_not_in_the_channel(
    slack: LocalSlack, client: WebClient
) -> None:
    channel = slack.add_channel("ops")
    card = client.chat_postMessage(channel=channel, text="card")["ts"]
    first = client.chat_postMessage(channel=channel, text="one", thread_ts=card)["ts"]
    second = client.chat_postMessage(channel=channel, text="two", thread_ts=card)["ts"]
    assert first < second
    assert [m.text for m in slack.messages(channel)] == ["card"]
    assert [m.text for m in slack.messages(channel, card)] == ["one", "two"]
    assert [m.text for m in slack.thread(channel, card)] == ["card", "one", "two"]
    assert refused(client.chat_postMessage, channel=channel, text="x", thread_ts="1.000001") == (
        "thread_not_found"
    )
    assert refused(client.chat_postMessage, channel=channel, text="x", thread_ts=first) == (
        "thread_not_found"
    )


def test_a_post_to_a_user_id_is_a_direct_message(slack: LocalSlack, client: WebClient) -> None:
    ann, bob = slack.add_person("Ann"), slack.add_person("Bob")
    assert slack.direct_messages(ann) == []
    answer = client.chat_postMessage(channel=ann, text="for you")
    assert answer["channel"].startswith("D")
    assert [m.text for m in slack.direct_messages(ann)] == ["for you"]
    assert slack.direct_messages(bob) == []
    client.chat_postMessage(channel=answer["channel"], text="again")
    assert [m.text for m in slack.direct_messages(ann)] == ["for you", "again"]
    slack.deactivate(bob)
    assert refused(client.chat_postMessage, channel=bob, text="x") == "channel_not_found"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"bot_is_member": False}, "not_in_channel"),
        ({"bot_is_member": False, "private": True}, "channel_not_found"),
        ({"archived": True}, "is_archived"),
    ],
)
def test_where_the_bot_cannot_post(
    slack: LocalSlack, client: WebClient, options: dict[str, Any], error: str
) -> None:
    ann = slack.add_person("Ann")
    channel = slack.add_channel("ops", **options)
    assert refused(client.chat_postMessage, channel=channel, text="x") == error
    assert refused(client.chat_postEphemeral, channel=channel, user=ann, text="x") == error
    assert slack.messages(channel) == []
    assert slack.ephemerals(ann) == []
    slack.set_channel(channel, bot_is_member=True, archived=False)
    assert client.chat_postMessage(channel=channel, text="x")["ok"]


def test_what_is_not_there_at_all(slack: LocalSlack, client: WebClient) -> None:
    channel = slack.add_channel("ops")
    assert refused(client.chat_postMessage, channel="C0NOWHERE", text="x") == "channel_not_found"
    # By `api_call`, since the library itself warns of an empty text.
    post = "chat.postMessage"
    assert refused(client.api_call, post, json={"channel": channel, "text": ""}) == "no_text"
    assert refused(client.api_call, post, json={"text": "x"}) == "invalid_arguments"
    assert refused(client.chat_update, channel="C0NOWHERE", ts="1.1", text="x") == (
        "channel_not_found"
    )
    assert refused(client.chat_update, channel=channel, ts="1.1", text="x") == "message_not_found"


def test_text_of_a_post_is_cut_at_40000(slack: LocalSlack, client: WebClient) -> None:
    channel = slack.add_channel("ops")
    client.chat_postMessage(channel=channel, text="a" * 40_000)
    client.chat_postMessage(channel=channel, text="a" * 40_000 + "b")
    assert [len(m.text) for m in slack.messages(channel)] == [40_000, 40_000]


def test_text_of_an_edit_is_refused_above_4000(slack: LocalSlack, client: WebClient) -> None:
    channel = slack.add_channel("ops")
    ts = client.chat_postMessage(channel=channel, text="x")["ts"]
    client.chat_update(channel=channel, ts=ts, text="a" * 4_000)
    assert refused(client.chat_update, channel=channel, ts=ts, text="a" * 4_001) == "msg_too_long"
    message = slack.message(channel, ts)
    assert message is not None
    assert (len(message.text), message.edits) == (4_000, 1)


def test_an_edit_without_blocks_keeps_the_old_ones(
    slack: LocalSlack, client: WebClient, clock: Clock
) -> None:
    channel = slack.add_channel("ops")
    ts = client.chat_postMessage(channel=channel, text="x", blocks=[actions(button())])["ts"]
    clock.turn(5)
    client.chat_update(channel=channel, ts=ts, text="decided")
    message = slack.message(channel, ts)
    assert message is not None
    assert message.button("go") is not None
    assert (message.text, message.edited) == ("decided", clock())
    client.chat_update(channel=channel, ts=ts, text="decided", blocks=[])
    message = slack.message(channel, ts)
    assert message is not None
    assert message.blocks == []


def test_only_own_living_messages_can_be_edited(slack: LocalSlack, client: WebClient) -> None:
    ann = slack.add_person("Ann")
    channel = slack.add_channel("ops")
    hers = slack.post_as(ann, channel, "mine")
    assert refused(client.chat_update, channel=channel, ts=hers, text="x") == "cant_update_message"
    own = client.chat_postMessage(channel=channel, text="own")["ts"]
    slack.set_channel(channel, archived=True)
    assert refused(client.chat_update, channel=channel, ts=own, text="x") == "is_inactive"
    slack.set_channel(channel, archived=False)
    slack.delete_message(channel, own)
    assert refused(client.chat_update, channel=channel, ts=own, text="x") == "message_not_found"
    assert [m.text for m in slack.messages(channel)] == ["mine"]
    assert [m.deleted for m in slack.messages(channel, deleted=True)] == [False, True]


def test_a_snapshot_does_not_change_with_a_later_edit(slack: LocalSlack, client: WebClient) -> None:
    channel = slack.add_channel("ops")
    ts = client.chat_postMessage(channel=channel, text="before")["ts"]
    before = slack.message(channel, ts)
    client.chat_update(channel=channel, ts=ts, text="after")
    assert before is not None
    assert (before.text, before.edits) == ("before", 0)


def test_ephemerals_are_for_one_person(slack: LocalSlack, client: WebClient) -> None:
    ann, bob = slack.add_person("Ann"), slack.add_person("Bob")
    cid = slack.add_person("Cid", deleted=True)
    channel = slack.add_channel("ops")
    client.chat_postEphemeral(channel=channel, user=ann, text="psst", blocks=[section("b")])
    (shown,) = slack.ephemerals(ann)
    assert (shown.text, shown.via, shown.answers) == ("psst", "chat.postEphemeral", None)
    assert shown.all_text == "psst\nb"
    assert slack.ephemerals(bob) == []
    assert slack.messages(channel) == []
    assert refused(client.chat_postEphemeral, channel=channel, user=cid, text="x") == (
        "user_not_in_channel"
    )
    assert refused(client.chat_update, channel=channel, ts=shown.ts, text="x") == (
        "message_not_found"
    )


def test_form_bodies_and_tokens_in_the_body(slack: LocalSlack) -> None:
    channel = slack.add_channel("ops")
    fields = {"token": slack.bot_token, "channel": channel, "text": "form"}
    answer = requests.post(f"{slack.api_url}chat.postMessage", data=fields, timeout=5).json()
    assert answer["ok"]
    assert slack.messages(channel)[0].text == "form"
    (call,) = slack.calls_of("chat.postMessage")
    assert "token" not in call.args
    assert call.error is None
    bad = {**fields, "blocks": '[{"type":"divider"}]'}
    answer = requests.post(f"{slack.api_url}chat.postMessage", data=bad, timeout=5).json()
    assert answer["error"] == "invalid_blocks_format"


@pytest.mark.parametrize(("body", "error"), [("{", "invalid_json"), ("[1]", "json_not_object")])
def test_broken_json_bodies(slack: LocalSlack, body: str, error: str) -> None:
    headers = {
        "Authorization": f"Bearer {slack.bot_token}",
        "Content-Type": "application/json; charset=utf-8",
    }
    url = f"{slack.api_url}chat.postMessage"
    answer = requests.post(url, data=body, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": error})


def test_attachments_are_refused_since_nothing_shows_them(
    slack: LocalSlack, client: WebClient
) -> None:
    channel = slack.add_channel("ops")
    old = [{"text": "old", "fallback": "old"}]
    error = refused(client.chat_postMessage, channel=channel, text="x", attachments=old)
    assert error == "invalid_attachments"
