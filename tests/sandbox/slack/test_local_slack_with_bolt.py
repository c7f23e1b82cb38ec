"""A real Bolt app against the local Slack: the payloads are such that Bolt routes them."""

from __future__ import annotations

import pytest
from slack_bolt import App, BoltRequest
from slack_sdk import WebClient

from bot.sandbox.slack import LocalSlack
from tests.sandbox.slack.slack_kit import (
    Received,
    Receiver,
    actions,
    button,
    modal,
    option,
    section,
    text_input,
)


@pytest.fixture
def app(slack: LocalSlack, receiver: Receiver) -> App:
    client = WebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    app = App(client=client, signing_secret=slack.signing_secret, process_before_response=True)

    def answer(request: Received) -> tuple[int, str, str]:
        bolt = BoltRequest(body=request.body.decode(), headers=dict(request.headers))
        response = app.dispatch(bolt)
        kind = response.headers.get("content-type", ["text/plain"])[0]
        return response.status, response.body or "", kind

    receiver.answer = answer
    return app


def test_a_whole_story(slack: LocalSlack, app: App) -> None:
    ann, bob = slack.add_person("Ann"), slack.add_person("Bob")
    channel = slack.add_channel("ops")

    @app.command("/vr-unpair")
    def asked(ack, command, client, respond):  # type: ignore[no-untyped-def]
        ack()
        if not command["text"]:
            view = modal(text_input(), callback_id="unpair_request")
            client.views_open(trigger_id=command["trigger_id"], view=view)
            return
        respond(text=f"got {command['text']}", response_type="ephemeral")

    @app.view("unpair_request")
    def submitted(ack, view, body, client):  # type: ignore[no-untyped-def]
        reason = view["state"]["values"]["reason"]["value"]["value"]
        if reason == "bad":
            ack(response_action="errors", errors={"reason": "no"})
            return
        ack()
        blocks = [section(reason), actions(button("unpair_approve", "R1:f"))]
        client.chat_postMessage(channel=channel, text=reason, blocks=blocks)

    @app.action("unpair_approve")
    def approved(ack, body, client, respond):  # type: ignore[no-untyped-def]
        ack()
        client.chat_update(
            channel=body["channel"]["id"],
            ts=body["message"]["ts"],
            text=f"approved by <@{body['user']['id']}>",
            blocks=[section("approved")],
        )
        respond(text="thanks", replace_original=False)

    assert slack.command(ann, "PAIR-1", channel=channel).ok
    assert slack.wait_for_ephemeral(ann).text == "got PAIR-1"
    assert slack.command(ann, "", channel=channel).ok
    assert slack.submit(ann, None, {"reason": "bad"}).ok
    assert slack.views[ann].errors == {"reason": "no"}
    assert slack.submit(ann, None, {"reason": "fire"}).ok
    assert slack.views == {}
    card = slack.wait_for_message(channel)
    assert slack.click(bob, card, "unpair_approve").ok
    changed = slack.message(channel, card.ts)
    assert changed is not None
    assert changed.text == f"approved by <@{bob}>"
    assert changed.buttons() == []
    assert slack.wait_for_ephemeral(bob).text == "thanks"


def test_suggestions_and_choices(slack: LocalSlack, app: App) -> None:
    element = {"type": "external_select", "action_id": "value"}
    pairing = text_input("pairing", element=element, dispatch_action=True)
    seen: list[str] = []

    @app.command("/vr-unpair")
    def asked(ack, command, client):  # type: ignore[no-untyped-def]
        ack()
        view = modal(pairing, callback_id="c")
        client.views_open(trigger_id=command["trigger_id"], view=view)

    @app.options({"block_id": "pairing", "action_id": "value"})
    def search(ack, payload):  # type: ignore[no-untyped-def]
        ack(options=[option("P1", payload["value"])])

    @app.action({"block_id": "pairing", "action_id": "value"})
    def chosen(ack, action):  # type: ignore[no-untyped-def]
        seen.append(action["selected_option"]["value"])
        ack()

    ann = slack.add_person("Ann")
    assert slack.command(ann, "", channel=slack.add_channel("ops")).ok
    assert slack.suggest(ann, "pairing", "typed").ok
    assert slack.choose(ann, "pairing", "P1").ok
    assert seen == ["P1"]


def test_bolt_refuses_what_is_forged_or_old(slack: LocalSlack, app: App) -> None:
    assert slack.deliver_raw("command=x", spoil_signature=True).status == 401
    assert slack.deliver_raw("command=x", shift_seconds=-360).status == 401
