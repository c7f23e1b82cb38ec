"""Faults, outages, starting and stopping."""

from __future__ import annotations

import socket
import threading
import time
import urllib.error

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import LocalSlack
from tests.sandbox.slack.slack_kit import Receiver


def post(slack: LocalSlack, channel: str, text: str = "x", timeout: float = 5) -> requests.Response:
    with requests.Session() as session:
        return session.post(
            f"{slack.api_url}chat.postMessage",
            json={"channel": channel, "text": text},
            headers={"Authorization": f"Bearer {slack.bot_token}"},
            timeout=timeout,
        )


def test_an_error_once_and_then_fine(slack: LocalSlack, client: WebClient) -> None:
    channel = slack.add_channel("ops")
    fault = slack.fail("chat.postMessage", error="restricted_action")
    assert client.auth_test()["ok"]
    with pytest.raises(SlackApiError, match="restricted_action"):
        client.chat_postMessage(channel=channel, text="x")
    assert slack.messages(channel) == []
    assert client.chat_postMessage(channel=channel, text="x")["ok"]
    assert fault.used == 1
    assert [call.fault for call in slack.calls_of("chat.postMessage")] == ["error", None]
    assert slack.calls_of("chat.postMessage")[0].error == "restricted_action"


def test_times_match_and_heal(slack: LocalSlack) -> None:
    channel = slack.add_channel("ops")
    slack.fail("chat.postMessage", error="fatal_error", times=2)
    slack.fail("*", error="x", times=None, match=lambda args: args.get("text") == "bad")
    assert [post(slack, channel).json()["ok"] for _ in range(3)] == [False, False, True]
    assert post(slack, channel, "bad").json()["error"] == "x"
    assert post(slack, channel, "good").json()["ok"]
    assert post(slack, channel, "bad").json()["error"] == "x"
    slack.heal()
    assert post(slack, channel, "bad").json()["ok"]


def test_a_429_on_demand(slack: LocalSlack) -> None:
    channel = slack.add_channel("ops")
    slack.fail("chat.postMessage", retry_after=7)
    answer = post(slack, channel)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json() == {"ok": False, "error": "ratelimited"}
    assert slack.messages(channel) == []


def test_a_broken_front_server(slack: LocalSlack) -> None:
    channel = slack.add_channel("ops")
    slack.fail("chat.postMessage", status=502)
    answer = post(slack, channel)
    assert answer.status_code == 502
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert slack.messages(channel) == []


def test_a_lost_answer_is_carried_out(slack: LocalSlack) -> None:
    channel = slack.add_channel("ops")
    slack.fail("chat.postMessage", lost=True)
    with pytest.raises(requests.ConnectionError):
        post(slack, channel, "stands")
    assert [m.text for m in slack.messages(channel)] == ["stands"]
    (call,) = slack.calls_of("chat.postMessage")
    assert call.fault == "lost"
    assert call.response is not None
    assert post(slack, channel).json()["ok"]


def test_cutting_one_connection_leaves_the_others(slack: LocalSlack) -> None:
    channel = slack.add_channel("ops")
    with requests.Session() as kept:
        kept.post(f"{slack.api_url}auth.test", timeout=5)
        slack.fail("chat.postMessage", lost=True)
        with pytest.raises(requests.ConnectionError):
            post(slack, channel)
        (connection,) = slack._server._server.server_state.connections  # type: ignore[union-attr]
        assert connection.transport is not None
        assert not connection.transport.is_closing()
        assert kept.post(f"{slack.api_url}auth.test", timeout=5).json()["error"] == "not_authed"
        assert connection in slack._server._server.server_state.connections  # type: ignore[union-attr]


def test_a_hang_is_not_carried_out_and_ends_with_heal(slack: LocalSlack) -> None:
    channel = slack.add_channel("ops")
    slack.fail("chat.postMessage", hang=True, times=2)
    with pytest.raises(requests.Timeout):
        post(slack, channel, timeout=0.1)
    caught: list[BaseException] = []

    def patient() -> None:
        try:
            post(slack, channel, timeout=30)
        except requests.ConnectionError as error:
            caught.append(error)

    thread = threading.Thread(target=patient)
    thread.start()
    slack.wait_for(lambda: len(slack.calls_of("chat.postMessage")) == 2)
    slack.heal()
    thread.join(5)
    assert not thread.is_alive()
    assert len(caught) == 1
    assert slack.messages(channel) == []
    assert [call.fault for call in slack.calls] == ["hang", "hang"]


def test_faults_of_response_urls(slack: LocalSlack, receiver: Receiver) -> None:
    ann = slack.add_person("Ann")
    url = slack.command(ann, "x", channel=slack.add_channel("ops")).response_url
    slack.fail("response_url", status=500)
    slack.fail("response_url", lost=True)
    assert requests.post(url, json={"text": "one"}, timeout=5).status_code == 500
    with pytest.raises(requests.ConnectionError):
        requests.post(url, json={"text": "two"}, timeout=5)
    assert [shown.text for shown in slack.ephemerals(ann)] == ["two"]


@pytest.mark.parametrize("wrong", [{}, {"error": "x", "status": 500}, {"lost": True, "hang": True}])
def test_a_fault_is_of_one_kind(slack: LocalSlack, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="one of"):
        slack.fail("chat.postMessage", **wrong)  # type: ignore[arg-type]


def test_an_outage_refuses_connections_and_keeps_port_and_data(
    slack: LocalSlack, client: WebClient
) -> None:
    channel = slack.add_channel("ops")
    client.chat_postMessage(channel=channel, text="before")
    address = slack.api_url
    slack.down()
    with pytest.raises(urllib.error.URLError, match="refused"):
        client.auth_test()
    assert slack.api_url == address
    slack.down()
    slack.down(False)
    assert client.chat_postMessage(channel=channel, text="after")["ok"]
    assert [m.text for m in slack.messages(channel)] == ["before", "after"]


def test_an_outage_cuts_what_hangs(slack: LocalSlack) -> None:
    channel = slack.add_channel("ops")
    slack.fail("chat.postMessage", hang=True)
    caught: list[BaseException] = []

    def patient() -> None:
        try:
            post(slack, channel, timeout=30)
        except requests.ConnectionError as error:
            caught.append(error)

    thread = threading.Thread(target=patient)
    thread.start()
    slack.wait_for(lambda: slack.calls)
    slack.down()
    thread.join(5)
    assert len(caught) == 1
    slack.down(False)


def test_an_outage_of_503s(slack: LocalSlack, receiver: Receiver) -> None:
    channel = slack.add_channel("ops")
    slack.down(status=503)
    assert post(slack, channel).status_code == 503
    # The other direction works: people can still press things.
    assert slack.command(slack.add_person("Ann"), "x", channel=channel).ok
    slack.down(False)
    assert post(slack, channel).json()["ok"]
    assert slack.calls[0].fault == "down"


def test_start_and_stop_leave_nothing(slack: LocalSlack) -> None:
    before = set(threading.enumerate())
    local = LocalSlack()
    with pytest.raises(RuntimeError, match="started"):
        _ = local.api_url
    local.start()
    local.start()
    port = int(local.base_url.rsplit(":", 1)[1])
    assert len(set(threading.enumerate()) - before) == 1
    with requests.Session() as session:
        session.post(f"{local.api_url}auth.test", timeout=5)
        began = time.monotonic()
        local.stop()
        assert time.monotonic() - began < 2
    local.stop()
    assert set(threading.enumerate()) == before
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
        free.listen()
    with LocalSlack(port=port) as again:
        assert again.api_url == f"http://127.0.0.1:{port}/api/"


def test_a_taken_port_is_an_error(slack: LocalSlack) -> None:
    port = int(slack.base_url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"):
        LocalSlack(port=port).start()


def test_waiting(slack: LocalSlack, client: WebClient) -> None:
    ann, channel = slack.add_person("Ann"), slack.add_channel("ops")
    poster = threading.Timer(0.05, lambda: client.chat_postMessage(channel=channel, text="now"))
    poster.start()
    message = slack.wait_for_message(channel, lambda m: m.text == "now", timeout_seconds=5)
    poster.join()
    client.chat_postMessage(channel=channel, text="reply", thread_ts=message.ts)
    reply = slack.wait_for_message(channel, thread_ts=message.ts, timeout_seconds=5)
    assert reply.text == "reply"
    client.chat_postEphemeral(channel=channel, user=ann, text="psst")
    assert slack.wait_for_ephemeral(ann, timeout_seconds=5).text == "psst"
    with pytest.raises(TimeoutError, match=r"chat\.postEphemeral ok"):
        slack.wait_for_message(channel, lambda m: m.text == "never", timeout_seconds=0.05)


def test_waiting_is_woken_by_a_change_and_not_by_the_next_look(slack: LocalSlack) -> None:
    # A wait that only polled would need several looks of 0.2 s for ten changes.
    channel = slack.add_channel("ops")
    ann = slack.add_person("Ann")
    began = time.monotonic()
    for number in range(10):
        text = str(number)
        poster = threading.Timer(0.01, slack.post_as, (ann, channel, text))
        poster.start()
        slack.wait_for_message(channel, lambda m, text=text: m.text == text)  # type: ignore[misc]
        poster.join()
    assert time.monotonic() - began < 1.5


def test_many_callers_at_once_lose_nothing(slack: LocalSlack) -> None:
    channel = slack.add_channel("ops")

    def burst(name: int) -> None:
        for number in range(20):
            assert post(slack, channel, f"{name}-{number}").json()["ok"]

    threads = [threading.Thread(target=burst, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    messages = slack.messages(channel)
    assert len({message.ts for message in messages}) == 80
    assert [m.ts for m in messages] == sorted(m.ts for m in messages)
