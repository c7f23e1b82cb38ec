"""Each limit at its edge: the most that passes, and one more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack import Json, LocalSlack
from sandbox.slack.block_limits import MESSAGE_BLOCKS_TEXT, check_blocks, check_view
from tests.sandbox.slack.slack_kit import (
    ANN,
    OPS,
    actions,
    button,
    error_of,
    modal,
    option,
    section,
    text_input,
)


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def confirm(**more: str) -> Json:
    words = {"title": "t", "text": "x", "confirm": "y", "deny": "n", **more}
    return {"confirm": {name: plain(text) for name, text in words.items()}}


def select(count: int, kind: str = "static_select", **more: object) -> Json:
    options = [option(str(number)) for number in range(count)]
    return {"type": kind, "action_id": "s", "options": options, **more}


def fields(*texts: str) -> Json:
    return {"type": "section", "fields": [plain(text) for text in texts]}


def context(*texts: str) -> Json:
    return {"type": "context", "elements": [plain(text) for text in texts]}


EDGES: dict[str, tuple[Callable[[int], list[Json]], int]] = {
    "blocks": (lambda n: [section()] * n, 50),
    "section text": (lambda n: [section("a" * n)], 3000),
    "wide characters": (lambda n: [section("🔵" * n)], 1500),
    "fields": (lambda n: [fields(*["f"] * n)], 10),
    "field text": (lambda n: [fields("f" * n)], 2000),
    "header": (lambda n: [{"type": "header", "text": plain("h" * n)}], 150),
    "context elements": (lambda n: [context(*["c"] * n)], 10),
    "context text": (lambda n: [context("c" * n)], 3000),
    "actions": (lambda n: [actions(*(button(f"a{i}") for i in range(n)))], 25),
    "button text": (lambda n: [actions(button(text="b" * n))], 75),
    "button value": (lambda n: [actions(button(value="v" * n))], 2000),
    "spoken label": (lambda n: [actions(button(accessibility_label="l" * n))], 75),
    "action id": (lambda n: [actions(button("i" * n))], 255),
    "block id": (lambda n: [{**section(), "block_id": "i" * n}], 255),
    "confirm title": (lambda n: [actions(button(**confirm(title="t" * n)))], 100),
    "confirm text": (lambda n: [actions(button(**confirm(text="t" * n)))], 300),
    "confirm button": (lambda n: [actions(button(**confirm(confirm="t" * n)))], 30),
    "deny button": (lambda n: [actions(button(**confirm(deny="t" * n)))], 30),
    "options": (lambda n: [actions(select(n))], 100),
    "radio buttons": (lambda n: [actions(select(n, "radio_buttons"))], 10),
    "option text": (lambda n: [actions(select(0, options=[option("1", "o" * n)]))], 75),
    "option value": (lambda n: [actions(select(0, options=[option("o" * n, "x")]))], 150),
}


@pytest.mark.parametrize(("make", "most"), EDGES.values(), ids=EDGES)
def test_edges_of_a_message(make: Callable[[int], list[Json]], most: int) -> None:
    assert check_blocks(make(most)) == []
    assert len(check_blocks(make(most + 1))) == 1


WRONG: dict[str, list[Any]] = {
    "empty text": [section("")],
    "empty field": [fields("")],
    "section without anything": [{"type": "section"}],
    "header in mrkdwn": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "button in mrkdwn": [actions({**button(), "text": {"type": "mrkdwn", "text": "x"}})],
    "option in mrkdwn": [
        actions(select(0, options=[{**option("1"), "text": {"type": "mrkdwn", "text": "x"}}]))
    ],
    "text as a string": [{"type": "section", "text": "x"}],
    "confirm without its buttons": [
        actions(button(confirm={"title": plain("t"), "text": plain("x")}))
    ],
    "two blocks of one id": [{**section(), "block_id": "b"}, {**section(), "block_id": "b"}],
    "two actions of one id": [actions(button(), button())],
    "unknown block": [{"type": "carousel"}],
    "alert in a message": [{"type": "alert"}],
    "text input among actions": [actions({"type": "plain_text_input", "action_id": "x"})],
    "unknown key": [{**section(), "colour": "red"}],
    "emoji in mrkdwn": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}}
    ],
    "unknown style": [actions(button(style="default"))],
    "no options": [actions(select(0))],
    "no context elements": [context()],
    "initial option not offered": [actions(select(1, initial_option=option("9")))],
    "not a block": ["text"],
}


@pytest.mark.parametrize("blocks", WRONG.values(), ids=WRONG)
def test_wrong_blocks(blocks: list[Any]) -> None:
    assert check_blocks(blocks) != []


@pytest.mark.parametrize(
    "blocks",
    [
        [actions(button()), {**actions(button()), "block_id": "other"}],
        [fields(*["f" * 2000] * 10)],
        [actions(button(style="danger", **confirm()))],
    ],
    ids=["one action id in two blocks", "ten full fields", "a dialog"],
)
def test_fine_blocks(blocks: list[Json]) -> None:
    assert check_blocks(blocks) == []


def typed(**element: Any) -> Json:
    return modal(text_input(element={"type": "plain_text_input", "action_id": "value", **element}))


VIEW_EDGES: dict[str, tuple[Callable[[int], Json], int]] = {
    "blocks": (lambda n: modal(*[section()] * n), 100),
    "title": (lambda n: modal(section(), title=plain("t" * n)), 24),
    "submit": (lambda n: modal(section(), submit=plain("t" * n)), 24),
    "close": (lambda n: modal(section(), close=plain("t" * n)), 24),
    "private metadata": (lambda n: modal(section(), private_metadata="m" * n), 3000),
    "callback id": (lambda n: modal(section(), callback_id="c" * n), 255),
    "label": (lambda n: modal(text_input(label=plain("l" * n))), 2000),
    "placeholder": (lambda n: typed(placeholder=plain("p" * n)), 150),
    "max length": (lambda n: typed(max_length=n), 3000),
}


@pytest.mark.parametrize(("make", "most"), VIEW_EDGES.values(), ids=VIEW_EDGES)
def test_edges_of_a_modal(make: Callable[[int], Json], most: int) -> None:
    assert check_view(make(most)) == []
    assert len(check_view(make(most + 1))) == 1


def test_a_modal_with_inputs_needs_a_submit_button() -> None:
    view = modal(text_input())
    del view["submit"]
    assert len(check_view(view)) == 1


def test_a_refusal_names_what_is_wrong_and_nothing_is_shown(
    slack: LocalSlack, client: WebClient
) -> None:
    ts = client.chat_postMessage(channel=OPS, text="x")["ts"]
    many = [section()] * 51
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=OPS, text="x", blocks=many)
    answer = caught.value.response
    (problem,) = answer["errors"]
    assert "/blocks" in problem
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {problem}"]
    for call, to in (
        (client.chat_postMessage, {}),
        (client.chat_update, {"ts": ts}),
    ):
        assert error_of(call, channel=OPS, text="x", blocks=many, **to) == "invalid_blocks"
    most = [section("a" * 3000)] * 4 + [section("a" * (MESSAGE_BLOCKS_TEXT - 12_000))]
    assert client.chat_postMessage(channel=OPS, text="x", blocks=most)["ok"]
    most.append(section("b"))
    told = error_of(client.chat_postMessage, channel=OPS, text="x", blocks=most)
    assert told == "msg_blocks_too_long"
    assert len(slack.messages(OPS)) == 2
    trigger = slack.workspace.new_trigger(ANN).id
    view = modal(section(), title=plain("t" * 25))
    assert error_of(client.views_open, trigger_id=trigger, view=view) == "invalid_arguments"
    large = modal(*({**section("ä" * 2999), "block_id": f"b{n}"} for n in range(42)))
    assert error_of(client.views_open, trigger_id=trigger, view=large) == "view_too_large"
    assert slack.views == {}
