"""The port: methods, paths, sizes, signatures, health."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from typing import Any

import pytest

from bot.slack.receive.http_server import EVENTS, LARGEST_BODY, LARGEST_HEAD, Server, Wsgi
from bot.slack.receive.signature import LINE_EVERY_S, LOOK_EVERY_S
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter


def _command(adapter: Adapter, **changes: str | None) -> str:
    return made.form(made.command("paris gone", adapter.api.response_url(), **changes))


def test_health_says_only_that_the_process_lives(adapter: Adapter) -> None:
    adapter.broken = RuntimeError("the database is away")
    reply = adapter.raw("GET", "/healthz")
    assert (reply.status, reply.body) == (200, b"ok\n")


def test_ready_gives_reasons_as_json(adapter: Adapter) -> None:
    reply = adapter.raw("GET", "/readyz")
    assert (reply.status, reply.json) == (200, {"ready": True, "database": "ok"})
    adapter.problem = "cannot be written"
    reply = adapter.raw("GET", "/readyz")
    assert (reply.status, reply.json) == (503, {"ready": False, "database": "cannot be written"})


def test_metrics_are_prometheus_text(adapter: Adapter) -> None:
    reply = adapter.raw("GET", "/metrics")
    assert (reply.status, reply.body) == (200, b"up 1\n")
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_a_page_that_fails_shows_nothing_of_it(
    adapter: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    adapter.broken = RuntimeError("secret in words")
    reply = adapter.raw("GET", "/metrics")
    assert reply.status == 500
    for inside in (b"secret", b"RuntimeError", b"Traceback", b".py"):
        assert inside not in reply.body
    assert "secret in words" in caplog.text, "but the log says it"
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


def test_in_socket_mode_slack_has_no_address_here() -> None:
    server = Server(Wsgi({"/healthz": lambda: (200, b"ok", "text/plain")}, None), "127.0.0.1", 0)
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


def test_a_secret_that_has_changed_is_the_one_that_counts(adapter: Adapter) -> None:
    body = _command(adapter)
    adapter.secret_set = "the new secret"
    new = made.signed(body, secret="the new secret")
    assert adapter.raw("POST", EVENTS, body, new).status == 200
    assert len(adapter.inbox.puts) == 1
    # Whoever has stolen the old one gets nowhere with it.
    assert adapter.raw("POST", EVENTS, body, made.signed(body)).status == 401
    assert adapter.rejected == ["forged"]


def test_strangers_have_the_secret_read_once_a_second(adapter: Adapter) -> None:
    body = _command(adapter)
    forged = made.signed(body, secret="another secret")
    for _ in range(5):
        assert adapter.raw("POST", EVENTS, body, forged).status == 401
    assert adapter.raw("POST", EVENTS, body, made.signed(body, age_s=3600)).status == 401
    assert adapter.looks == 1
    adapter.now += LOOK_EVERY_S
    adapter.raw("POST", EVENTS, body, forged)
    assert adapter.looks == 2


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


def test_the_signature_comes_before_the_parser(adapter: Adapter) -> None:
    """Who cannot sign learns nothing about what would be parsed."""
    for body in ("{", "payload=%7B", "", "[" * 10_000):
        assert adapter.raw("POST", EVENTS, body, made.signed(body, secret="other")).status == 401
    assert adapter.rejected == ["forged"] * 4


def test_strangers_write_one_line_a_minute(
    adapter: Adapter, capsys: pytest.CaptureFixture[str]
) -> None:
    def knock(times: int) -> list[str]:
        for _ in range(times):
            assert adapter.raw("POST", EVENTS, "x").status == 401
        lines = capsys.readouterr().out.splitlines()
        return [line for line in lines if "slack_request" in line]

    assert len(knock(1)) == 1, "the first at once"
    assert knock(49) == []
    adapter.now += LINE_EVERY_S
    (line,) = knock(1)
    assert "requests=50" in line, "and those that nobody has read of since"
    assert knock(20) == []
    assert adapter.rejected == ["unsigned"] * 71


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


@pytest.mark.parametrize("size", [LARGEST_BODY + 1, 3 * LARGEST_BODY, 40 * LARGEST_BODY])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_larger_one_is_413(adapter: Adapter, size: int, chunked: bool) -> None:
    """An answer that its sender reads, also if it only reads after it has sent all of it."""
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


@pytest.mark.parametrize("path", [EVENTS, "/healthz", "/anything"])
def test_no_body_reaches_the_disk_whatever_its_path(
    adapter: Adapter, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    assert adapter.raw("POST", path, b"x" * (LARGEST_BODY + 1)).status == 413
    assert adapter.raw("POST", path, b"x" * LARGEST_BODY).status in (401, 404, 405)


def test_an_absurd_announced_length_is_413_before_it_comes(adapter: Adapter) -> None:
    with socket.create_connection(("127.0.0.1", adapter.server.port), timeout=5) as connection:
        head = f"POST {EVENTS} HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGEST_BODY + 1}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_head_has_a_limit_too(adapter: Adapter) -> None:
    assert adapter.raw("GET", "/healthz", headers={"X": "x" * (LARGEST_HEAD - 500)}).status == 200
    assert adapter.raw("GET", "/healthz", headers={"X": "x" * LARGEST_HEAD}).status == 431
