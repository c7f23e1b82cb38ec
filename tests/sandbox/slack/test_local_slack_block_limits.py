"""Each limit at its edge over HTTP: the most that passes, and one more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import Json, LocalSlack
from bot.sandbox.slack.block_limits import MESSAGE_BLOCKS_TEXT, check_blocks
from tests.sandbox.slack.slack_kit import actions, button, modal, option, section, text_input

Case = tuple[Callable[[int], list[Json]], int, str]


@pytest.fixture(scope="module")
def local() -> Iterator[LocalSlack]:
    with LocalSlack(rate_limits=False) as slack:
        yield slack


@pytest.fixture(scope="module")
def channel(local: LocalSlack) -> str:
    return local.add_channel("ops")


@pytest.fixture(scope="module")
def web(local: LocalSlack) -> WebClient:
    return WebClient(token=local.bot_token, base_url=local.api_url, retry_handlers=[])


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def confirm(**more: str) -> Json:
    words = {"title": "t", "text": "x", "confirm": "y", "deny": "n", **more}
    return {"confirm": {name: plain(text) for name, text in words.items()}}


def select(count: int) -> Json:
    options = [option(str(number)) for number in range(count)]
    return {"type": "static_select", "action_id": "s", "options": options}


def ticks(count: int, kind: str = "checkboxes") -> Json:
    return {"type": kind, "action_id": "t", "options": [option(str(n)) for n in range(count)]}


MESSAGE_EDGES: dict[str, Case] = {
    "blocks": (lambda n: [section()] * n, 50, "/blocks"),
    "section text": (lambda n: [section("a" * n)], 3000, "/blocks/0/text/text"),
    "fields": (
        lambda n: [{"type": "section", "fields": [plain("f")] * n}],
        10,
        "/blocks/0/fields",
    ),
    "field text": (
        lambda n: [{"type": "section", "fields": [plain("f" * n)]}],
        2000,
        "/blocks/0/fields/0/text",
    ),
    "header": (
        lambda n: [{"type": "header", "text": plain("h" * n)}],
        150,
        "/blocks/0/text/text",
    ),
    "context elements": (
        lambda n: [{"type": "context", "elements": [plain("c")] * n}],
        10,
        "/blocks/0/elements",
    ),
    "actions": (
        lambda n: [actions(*(button(f"a{i}") for i in range(n)))],
        25,
        "/blocks/0/elements",
    ),
    "button text": (
        lambda n: [actions(button(text="b" * n))],
        75,
        "/blocks/0/elements/0/text/text",
    ),
    "button value": (
        lambda n: [actions(button(value="v" * n))],
        2000,
        "/blocks/0/elements/0/value",
    ),
    "accessibility label": (
        lambda n: [actions(button(accessibility_label="l" * n))],
        75,
        "/blocks/0/elements/0/accessibility_label",
    ),
    "action id": (lambda n: [actions(button("i" * n))], 255, "/blocks/0/elements/0/action_id"),
    "block id": (lambda n: [{**section(), "block_id": "i" * n}], 255, "/blocks/0/block_id"),
    "confirm title": (
        lambda n: [actions(button(**confirm(title="t" * n)))],
        100,
        "/confirm/title/text",
    ),
    "confirm text": (
        lambda n: [actions(button(**confirm(text="t" * n)))],
        300,
        "/confirm/text/text",
    ),
    "confirm button": (
        lambda n: [actions(button(**confirm(confirm="t" * n)))],
        30,
        "/confirm/confirm/text",
    ),
    "deny button": (
        lambda n: [actions(button(**confirm(deny="t" * n)))],
        30,
        "/confirm/deny/text",
    ),
    "options": (lambda n: [actions(select(n))], 100, "/elements/0/options"),
    "checkboxes": (lambda n: [actions(ticks(n))], 10, "/elements/0/options"),
    "radio buttons": (lambda n: [actions(ticks(n, "radio_buttons"))], 10, "/elements/0/options"),
    "option text": (
        lambda n: [actions({**select(1), "options": [option("1", "o" * n)]})],
        75,
        "/options/0/text/text",
    ),
    "option value": (
        lambda n: [actions({**select(1), "options": [option("o" * n, "x")]})],
        150,
        "/options/0/value",
    ),
}


@pytest.mark.parametrize("name", MESSAGE_EDGES)
def test_edges_of_a_message(local: LocalSlack, web: WebClient, channel: str, name: str) -> None:
    make, most, at = MESSAGE_EDGES[name]
    assert web.chat_postMessage(channel=channel, text="x", blocks=make(most))["ok"]
    before = len(local.messages(channel))
    with pytest.raises(SlackApiError) as caught:
        web.chat_postMessage(channel=channel, text="x", blocks=make(most + 1))
    answer = caught.value.response
    assert answer["error"] == "invalid_blocks"
    (problem,) = answer["errors"]
    assert f"{at}]" in problem
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {problem}"]
    assert len(local.messages(channel)) == before


WRONG: dict[str, tuple[list[Any], str]] = {
    "empty text": ([section("")], "more than 0 characters"),
    "empty field": ([{"type": "section", "fields": [plain("")]}], "more than 0 characters"),
    "section without anything": ([{"type": "section"}], "text or fields attribute must be"),
    "header in mrkdwn": (
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        "must be one of plain_text",
    ),
    "button in mrkdwn": (
        [actions({**button(), "text": {"type": "mrkdwn", "text": "x"}})],
        "must be one of plain_text",
    ),
    "text as a string": ([{"type": "section", "text": "x"}], "missing required field"),
    "two blocks of one id": (
        [{**section(), "block_id": "b"}, {**section(), "block_id": "b"}],
        '`block_id` "b" already exists',
    ),
    "two actions of one id": ([actions(button(), button())], '`action_id` "go" already exists'),
    "unknown block": ([{"type": "carousel"}], "unsupported type: carousel"),
    "alert in a message": ([{"type": "alert"}], "unsupported type: alert"),
    "text input among actions": (
        [actions({"type": "plain_text_input", "action_id": "x"})],
        "unsupported type: plain_text_input",
    ),
    "unknown key": ([{**section(), "colour": "red"}], "invalid additional property: colour"),
    "emoji in mrkdwn": (
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}}],
        "invalid additional property: emoji",
    ),
    "unknown style": ([actions(button(style="default"))], "must be one of danger, primary"),
    "no options": ([actions(select(0))], "no less than 1 items"),
    "no context elements": ([{"type": "context", "elements": []}], "no less than 1 items"),
    "initial option not offered": (
        [actions({**select(1), "initial_option": option("9")})],
        "must match one of the options",
    ),
    "not a block": (["text"], "unsupported type: text"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_blocks(web: WebClient, channel: str, name: str) -> None:
    blocks, words = WRONG[name]
    with pytest.raises(SlackApiError) as caught:
        web.chat_postMessage(channel=channel, text="x", blocks=blocks)
    assert caught.value.response["error"] == "invalid_blocks"
    assert words in caught.value.response["errors"][0]


def test_the_same_action_id_in_two_blocks_is_fine(web: WebClient, channel: str) -> None:
    blocks = [actions(button()), {**actions(button()), "block_id": "other"}]
    assert web.chat_postMessage(channel=channel, text="x", blocks=blocks)["ok"]


def test_edits_and_ephemerals_have_the_same_limits(
    local: LocalSlack, web: WebClient, channel: str
) -> None:
    ann = local.add_person("Ann")
    ts = web.chat_postMessage(channel=channel, text="x")["ts"]
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        web.chat_update(channel=channel, ts=ts, text="x", blocks=[section()] * 51)
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        web.chat_postEphemeral(channel=channel, user=ann, text="x", blocks=[section()] * 51)


def test_all_texts_of_a_message_together_have_a_limit(web: WebClient, channel: str) -> None:
    most = [section("a" * 3000)] * 4 + [section("a" * (MESSAGE_BLOCKS_TEXT - 12_000))]
    assert web.chat_postMessage(channel=channel, text="x", blocks=most)["ok"]
    with pytest.raises(SlackApiError, match="msg_blocks_too_long"):
        web.chat_postMessage(channel=channel, text="x", blocks=[*most, section("b")])


def test_ten_fields_of_2000_pass_as_blocks() -> None:
    fields = [plain("f" * 2000)] * 10
    assert check_blocks([{"type": "section", "fields": fields}]) == []


def view_blocks(count: int) -> Json:
    return modal(*[section()] * count)


VIEW_EDGES: dict[str, tuple[Callable[[int], Json], int, str]] = {
    "blocks": (view_blocks, 100, "/view/blocks"),
    "title": (lambda n: modal(section(), title=plain("t" * n)), 24, "/view/title/text"),
    "submit": (lambda n: modal(section(), submit=plain("t" * n)), 24, "/view/submit/text"),
    "close": (lambda n: modal(section(), close=plain("t" * n)), 24, "/view/close/text"),
    "private metadata": (
        lambda n: modal(section(), private_metadata="m" * n),
        3000,
        "/view/private_metadata",
    ),
    "callback id": (lambda n: modal(section(), callback_id="c" * n), 255, "/view/callback_id"),
    "label": (
        lambda n: modal(text_input(label=plain("l" * n))),
        2000,
        "/view/blocks/0/label/text",
    ),
    "placeholder": (
        lambda n: modal(
            text_input(
                element={
                    "type": "plain_text_input",
                    "action_id": "value",
                    "placeholder": plain("p" * n),
                }
            )
        ),
        150,
        "/element/placeholder/text",
    ),
    "max length": (
        lambda n: modal(
            text_input(element={"type": "plain_text_input", "action_id": "value", "max_length": n})
        ),
        3000,
        "/element/max_length",
    ),
}


@pytest.mark.parametrize("name", VIEW_EDGES)
def test_edges_of_a_modal(local: LocalSlack, web: WebClient, name: str) -> None:
    make, most, at = VIEW_EDGES[name]
    ann = local.add_person("Ann")
    ids = [local.workspace.new_trigger(ann).id for _ in range(2)]
    assert web.views_open(trigger_id=ids[0], view=make(most))["ok"]
    with pytest.raises(SlackApiError) as caught:
        web.views_open(trigger_id=ids[1], view=make(most + 1))
    answer = caught.value.response
    assert answer["error"] == "invalid_arguments"
    (message,) = answer["response_metadata"]["messages"]
    assert f"{at}]" in message


def test_a_modal_with_inputs_needs_a_submit_button(local: LocalSlack, web: WebClient) -> None:
    trigger = local.workspace.new_trigger(local.add_person("Ann")).id
    view = modal(text_input())
    del view["submit"]
    with pytest.raises(SlackApiError) as caught:
        web.views_open(trigger_id=trigger, view=view)
    assert "submit" in str(caught.value.response["response_metadata"])


def test_a_view_above_250_kb_is_too_large(local: LocalSlack, web: WebClient) -> None:
    blocks = [{**section("ä" * 2999), "block_id": f"b{number}"} for number in range(42)]
    trigger = local.workspace.new_trigger(local.add_person("Ann")).id
    with pytest.raises(SlackApiError, match="view_too_large"):
        web.views_open(trigger_id=trigger, view=modal(*blocks))
    assert web.views_open(trigger_id=trigger, view=modal(*blocks[:40]))["ok"]
