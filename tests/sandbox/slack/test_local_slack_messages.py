"""Posting, editing, ephemeral messages: what passes and Slack's names for what does not."""

from __future__ import annotations

import pytest
from slack_sdk import WebClient

from sandbox.page.shown import view_of
from sandbox.slack import LocalSlack
from tests.sandbox.slack.slack_kit import ANN, OPS, actions, button, error_of
from tests.support.clock import Clock

THREAD = "thread_not_found"


def test_a_broadcast_reply_stands_in_the_thread_and_is_seen_in_the_channel(
    slack: LocalSlack, client: WebClient
) -> None:
    card = client.chat_postMessage(channel=OPS, text="card")["ts"]
    for broadcast in (False, True):
        client.chat_postMessage(
            channel=OPS, text="reply", thread_ts=card, reply_broadcast=broadcast
        )
    quiet, loud = slack.messages(OPS, card)
    assert (quiet.broadcast, loud.broadcast) == (False, True)
    alone = client.chat_postMessage(channel=OPS, text="alone", reply_broadcast=True)["ts"]
    assert slack.messages(OPS)[-1].ts == alone
    assert not slack.messages(OPS)[-1].broadcast, "there is no thread to come from"
    seen = next(c for c in view_of(slack, "U0ANN")["channels"] if c["key"] == OPS)["messages"]
    assert [m["text"] for m in seen] == ["card", "reply", "alone"]
    assert [m["text"] for m in seen[0]["thread"]] == ["reply", "reply"]


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        ("chat.postMessage", {"channel": OPS, "text": "x", "thread_ts": "1.1"}, THREAD),
        ("chat.postMessage", {"channel": OPS, "text": "x", "thread_ts": "reply"}, THREAD),
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": OPS, "text": ""}, "no_text"),
        ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "C0OUT", "text": "x"}, "not_in_channel"),
        ("chat.postMessage", {"channel": "C0HIDDEN", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C0OLD", "text": "x"}, "is_archived"),
        ("chat.postMessage", {"channel": "U0GONE", "text": "x"}, "channel_not_found"),
        ("chat.update", {"channel": OPS, "ts": "1.1", "text": "x"}, "message_not_found"),
    ],
)
def test_what_is_not_there_or_not_sayable(
    slack: LocalSlack, client: WebClient, method: str, args: dict[str, str], error: str
) -> None:
    slack.add_channel("out", id="C0OUT", bot_is_member=False)
    slack.add_channel("hidden", id="C0HIDDEN", bot_is_member=False, private=True)
    slack.add_channel("old", id="C0OLD", archived=True)
    slack.add_person("Gone", id="U0GONE", deleted=True)
    card = client.chat_postMessage(channel=OPS, text="card")["ts"]
    reply = client.chat_postMessage(channel=OPS, text="one", thread_ts=card)["ts"]
    args = {name: reply if value == "reply" else value for name, value in args.items()}
    # By `api_call`, since the library itself warns of an empty text.
    assert error_of(client.api_call, method, json=args) == error
    said = {message.text for message in slack.workspace.messages.values()}
    assert said == {"card", "one"}


def test_text_of_an_edit_is_refused_above_4000(slack: LocalSlack, client: WebClient) -> None:
    ts = client.chat_postMessage(channel=OPS, text="x")["ts"]
    client.chat_update(channel=OPS, ts=ts, text="a" * 4_000)
    assert error_of(client.chat_update, channel=OPS, ts=ts, text="a" * 4_001) == "msg_too_long"
    message = slack.message(OPS, ts)
    assert message is not None
    assert (len(message.text), message.edits) == (4_000, 1)


def test_an_edit_without_blocks_keeps_the_old_ones(
    slack: LocalSlack, client: WebClient, clock: Clock
) -> None:
    ts = client.chat_postMessage(channel=OPS, text="x", blocks=[actions(button())])["ts"]
    clock.turn(5)
    client.chat_update(channel=OPS, ts=ts, text="decided")
    message = slack.message(OPS, ts)
    assert message is not None
    assert message.button("go") is not None
    assert (message.text, message.edited) == ("decided", clock())
    client.chat_update(channel=OPS, ts=ts, text="decided", blocks=[])
    message = slack.message(OPS, ts)
    assert message is not None
    assert message.blocks == []


def test_only_own_living_messages_can_be_edited(slack: LocalSlack, client: WebClient) -> None:
    hers = slack.post_as(ANN, OPS, "mine")
    assert error_of(client.chat_update, channel=OPS, ts=hers, text="x") == "cant_update_message"
    own = client.chat_postMessage(channel=OPS, text="own")["ts"]
    slack.set_channel(OPS, archived=True)
    assert error_of(client.chat_update, channel=OPS, ts=own, text="x") == "is_inactive"
    slack.set_channel(OPS, archived=False)
    slack.delete_message(OPS, own)
    assert error_of(client.chat_update, channel=OPS, ts=own, text="x") == "message_not_found"
    assert [m.text for m in slack.messages(OPS)] == ["mine"]
