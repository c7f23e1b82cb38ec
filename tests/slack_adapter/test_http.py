"""The port: methods, paths, sizes, signatures, health."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from bot.slack.http import LARGEST_BODY, Wsgi
from bot.slack.server import NEVER_READ_MORE, Server
from tests.slack_adapter import made
from tests.slack_adapter.conftest import Adapter

EVENTS = "/slack/events"


def _command(adapter: Adapter, **changes: str | None) -> str:
    return made.form(made.command("paris gone", adapter.api.response_url(), **changes))


def test_health_says_only_that_the_process_lives(adapter: Adapter) -> None:
    adapter.broken = RuntimeError("the database is away")
    reply = adapter.raw("GET", "/healthz")
    assert (reply.status, reply.body) == (200, b"ok\n")


def test_ready_gives_reasons_as_json(adapter: Adapter) -> None:
    assert adapter.raw("GET", "/readyz").json == {"ready": True}
    adapter.ready = (False, {"database": "cannot be written"})
    reply = adapter.raw("GET", "/readyz")
    assert reply.status == 503
    assert reply.json == {"ready": False, "database": "cannot be written"}


def test_a_readiness_check_that_fails_is_not_ready(adapter: Adapter) -> None:
    adapter.broken = RuntimeError("secret in words")
    reply = adapter.raw("GET", "/readyz")
    assert reply.status == 503
    assert b"RuntimeError" in reply.body
    assert b"secret in words" not in reply.body


def test_metrics_are_prometheus_text(adapter: Adapter) -> None:
    reply = adapter.raw("GET", "/metrics")
    assert (reply.status, reply.body) == (200, b"up 1\n")
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_metrics_that_fail_leave_the_server_up(adapter: Adapter) -> None:
    adapter.broken = RuntimeError("no")
    assert adapter.raw("GET", "/metrics").status == 500
    assert adapter.raw("GET", "/healthz").status == 200


@pytest.mark.parametrize("path", ["/", "/slack", "/slack/events/", "/healthz/x", "/SLACK/EVENTS"])
def test_other_paths_are_not_found(adapter: Adapter, path: str) -> None:
    assert adapter.raw("GET", path).status == 404
    assert adapter.raw("POST", path, b"x").status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", EVENTS, "POST"),
        ("PUT", EVENTS, "POST"),
        ("DELETE", EVENTS, "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("POST", "/readyz", "GET, HEAD"),
        ("PATCH", "/metrics", "GET, HEAD"),
    ],
)
def test_wrong_methods(adapter: Adapter, method: str, path: str, allowed: str) -> None:
    reply = adapter.raw(method, path)
    assert reply.status == 405
    assert reply.headers["Allow"] == allowed


def test_head_has_no_body(adapter: Adapter) -> None:
    reply = adapter.raw("HEAD", "/healthz")
    assert (reply.status, reply.body) == (200, b"")


def test_in_socket_mode_there_is_no_door() -> None:
    server = Server(
        Wsgi(door=None, ready=lambda: (True, {}), metrics=lambda: b""), "127.0.0.1", 0, threads=1
    )
    server.start()
    adapter: Any = Adapter(None, None, None, None, server)  # type: ignore[arg-type]
    try:
        assert adapter.raw("POST", EVENTS, b"x").status == 404
        assert adapter.raw("GET", "/healthz").status == 200
    finally:
        server.close()


# ---- signatures ------------------------------------------------------------------------------


def test_a_signed_command_passes(adapter: Adapter) -> None:
    body = _command(adapter)
    assert adapter.raw("POST", EVENTS, body, made.signed(body)).status == 200
    assert len(adapter.inbox.puts) == 1
    assert adapter.rejected == []


def test_no_call_to_slack_is_made_for_it(adapter: Adapter) -> None:
    body = _command(adapter)
    adapter.raw("POST", EVENTS, body, made.signed(body))
    assert adapter.api.calls == []


@pytest.mark.parametrize("age_s", [301, 360, -301, -86_400])
def test_old_and_future_ones_are_refused(adapter: Adapter, age_s: int) -> None:
    body = _command(adapter)
    reply = adapter.raw("POST", EVENTS, body, made.signed(body, age_s=age_s))
    assert (reply.status, adapter.rejected) == (401, ["old"])
    assert adapter.inbox.puts == []


def test_a_forged_one_is_refused_and_counted(adapter: Adapter) -> None:
    body = _command(adapter)
    reply = adapter.raw("POST", EVENTS, body, made.signed(body, secret="another secret"))
    assert (reply.status, adapter.rejected) == (401, ["forged"])
    assert adapter.inbox.puts == []


def test_a_signature_of_another_body_is_forged(adapter: Adapter) -> None:
    body = _command(adapter)
    changed = body.replace("paris", "tokyo")
    assert changed != body
    assert adapter.raw("POST", EVENTS, changed, made.signed(body)).status == 401
    assert adapter.rejected == ["forged"]


@pytest.mark.parametrize("missing", ["X-Slack-Signature", "X-Slack-Request-Timestamp"])
def test_unsigned(adapter: Adapter, missing: str) -> None:
    body = _command(adapter)
    headers = made.signed(body)
    del headers[missing]
    assert adapter.raw("POST", EVENTS, body, headers).status == 401
    assert adapter.rejected == ["unsigned"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Slack-Request-Timestamp", "yesterday"),
        ("X-Slack-Request-Timestamp", "-1"),
        ("X-Slack-Request-Timestamp", "1e9"),
        ("X-Slack-Request-Timestamp", "\xb2\xb3"),
        ("X-Slack-Request-Timestamp", "9" * 5000),
        ("X-Slack-Signature", "v0="),
        ("X-Slack-Signature", "v0=\xe9\xe8"),
    ],
)
def test_headers_of_nonsense_are_401_and_no_error(
    adapter: Adapter, header: str, value: str
) -> None:
    body = _command(adapter)
    headers = made.signed(body) | {header: value.encode("latin-1")}  # type: ignore[dict-item]
    assert adapter.raw("POST", EVENTS, body, headers).status == 401
    assert len(adapter.rejected) == 1


def test_bolts_own_switches_in_headers_do_nothing(adapter: Adapter) -> None:
    body = _command(adapter)
    headers = made.signed(body) | {"X-Slack-Bolt-Lazy-Only": "1"}
    assert adapter.raw("POST", EVENTS, body, headers).status == 200
    assert len(adapter.inbox.puts) == 1


# ---- sizes -----------------------------------------------------------------------------------


def _padded(adapter: Adapter, size: int) -> str:
    start = _command(adapter) + "&padding="
    return start + "x" * (size - len(start))


def test_the_largest_body_still_passes(adapter: Adapter) -> None:
    body = _padded(adapter, LARGEST_BODY)
    assert adapter.raw("POST", EVENTS, body, made.signed(body)).status == 200
    assert len(adapter.inbox.puts) == 1


@pytest.mark.parametrize("size", [LARGEST_BODY + 1, 3 * LARGEST_BODY])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_larger_one_is_413(adapter: Adapter, size: int, chunked: bool) -> None:
    body = _padded(adapter, size)
    headers = made.signed(body)
    sent: Any = body.encode()
    if chunked:
        sent = iter([sent[i : i + 100_000] for i in range(0, len(sent), 100_000)])
        headers |= {"Transfer-Encoding": "chunked"}
    reply = adapter.raw("POST", EVENTS, sent, headers, chunked=chunked)
    assert (reply.status, adapter.rejected) == (413, ["too_large"])
    assert adapter.inbox.puts == []


def test_a_chunked_one_of_usual_size_passes(adapter: Adapter) -> None:
    body = _command(adapter)
    headers = made.signed(body) | {"Transfer-Encoding": "chunked"}
    reply = adapter.raw("POST", EVENTS, iter([body.encode()]), headers, chunked=True)
    assert reply.status == 200
    assert len(adapter.inbox.puts) == 1


def test_an_absurd_announced_length_is_413_before_it_comes(adapter: Adapter) -> None:
    with socket.create_connection(("127.0.0.1", adapter.server.port), timeout=5) as connection:
        head = f"POST {EVENTS} HTTP/1.1\r\nHost: x\r\nContent-Length: {NEVER_READ_MORE}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
