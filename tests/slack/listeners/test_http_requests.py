"""The port: methods, paths, sizes, signatures, health."""

from __future__ import annotations

import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bot.slack.receive.http_server import EVENTS, LARGEST_BODY, LARGEST_HEAD
from bot.slack.receive.signature import LINE_EVERY_S
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter


@pytest.fixture
def body(adapter: Adapter) -> str:
    return made.form(made.command("paris gone", adapter.api.response_url()))


def _events(adapter: Adapter, body: str, headers: dict[str, Any]) -> int:
    return adapter.raw("POST", EVENTS, body, headers).status


# ---- pages -----------------------------------------------------------------------------------


def test_why_it_is_not_ready_is_said(adapter: Adapter) -> None:
    adapter.problem = "cannot be written"
    ready = adapter.raw("GET", "/readyz")
    assert (ready.status, ready.json) == (503, {"ready": False, "database": "cannot be written"})
    head = adapter.raw("HEAD", "/healthz")
    assert (head.status, head.body) == (200, b"")


def test_a_page_that_fails_shows_nothing_of_it(
    adapter: Adapter, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter.broken = RuntimeError("secret in words")
    reply = adapter.raw("GET", "/metrics")
    assert reply.status == 500
    for inside in (b"secret", b"RuntimeError", b"Traceback", b".py"):
        assert inside not in reply.body
    assert "secret in words" in capsys.readouterr().out, "but the log says it"
    assert adapter.raw("GET", "/healthz").status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/", 404, None),
        ("POST", "/slack", 404, None),
        ("POST", "/slack/events/", 404, None),
        ("POST", "/SLACK/EVENTS", 404, None),
        ("GET", "/healthz/x", 404, None),
        ("GET", EVENTS, 405, "POST"),
        ("DELETE", EVENTS, 405, "POST"),
        ("POST", "/healthz", 405, "GET, HEAD"),
        ("PATCH", "/metrics", 405, "GET, HEAD"),
    ],
)
def test_other_paths_and_methods(
    adapter: Adapter, method: str, path: str, status: int, allowed: str | None
) -> None:
    reply = adapter.raw(method, path, b"x")
    assert (reply.status, reply.headers.get("Allow")) == (status, allowed)
    assert "tornado" not in str(reply.headers).lower()


# ---- signatures ------------------------------------------------------------------------------


def test_a_signed_command_passes(adapter: Adapter, body: str) -> None:
    """And switches of Bolt's own in its headers do nothing."""
    assert _events(adapter, body, made.signed(body) | {"X-Slack-Bolt-Lazy-Only": "1"}) == 200
    assert (len(adapter.puts), adapter.rejected, adapter.api.calls) == (1, [], [])


@pytest.mark.parametrize("age_s", [301, 360, -301, -86_400])
def test_old_and_future_ones_are_refused(adapter: Adapter, body: str, age_s: int) -> None:
    assert _events(adapter, body, made.signed(body, age_s=age_s)) == 401
    assert (adapter.rejected, adapter.puts) == (["old"], [])


def test_a_forged_one_is_refused_and_counted(adapter: Adapter, body: str) -> None:
    assert _events(adapter, body, made.signed(body, secret="another secret")) == 401
    assert _events(adapter, body.replace("paris", "tokyo"), made.signed(body)) == 401
    assert (adapter.rejected, adapter.puts) == (["forged"] * 2, [])


def test_a_secret_that_has_changed_is_the_one_that_counts(adapter: Adapter, body: str) -> None:
    adapter.secret_set = "the new secret"
    assert _events(adapter, body, made.signed(body, secret="the new secret")) == 200
    assert len(adapter.puts) == 1
    # Whoever has stolen the old one gets nowhere with it.
    assert _events(adapter, body, made.signed(body)) == 401
    assert adapter.rejected == ["forged"]


def test_the_signature_comes_before_the_parser(adapter: Adapter) -> None:
    """Who cannot sign learns nothing about what would be parsed."""
    for sent in ("{", "payload=%7B", "", "[" * 10_000):
        assert _events(adapter, sent, made.signed(sent, secret="other")) == 401
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
    ("header", "value", "why"),
    [
        ("X-Slack-Signature", "", "unsigned"),
        ("X-Slack-Request-Timestamp", "", "unsigned"),
        ("X-Slack-Request-Timestamp", "yesterday", "forged"),
        ("X-Slack-Request-Timestamp", "-1", "old"),
        ("X-Slack-Request-Timestamp", "1e9", "forged"),
        ("X-Slack-Request-Timestamp", "\xb2\xb3", "forged"),
        ("X-Slack-Request-Timestamp", "9" * 5000, "forged"),
        ("X-Slack-Signature", "v0=", "forged"),
        ("X-Slack-Signature", "v0=\xe9\xe8", "forged"),
    ],
)
def test_headers_of_nonsense_are_401_and_no_error(
    adapter: Adapter, body: str, header: str, value: str, why: str
) -> None:
    assert _events(adapter, body, made.signed(body) | {header: value.encode("latin-1")}) == 401
    assert adapter.rejected == [why]


# ---- sizes -----------------------------------------------------------------------------------


SIZES = [
    (LARGEST_BODY, False),
    (LARGEST_BODY - 1000, True),  # what says how long each chunk is counts too
    *((size, chunked) for size in (LARGEST_BODY + 1, 40 * LARGEST_BODY) for chunked in (0, 1)),
]


@pytest.mark.parametrize(("size", "chunked"), SIZES)
def test_a_larger_one_is_413(adapter: Adapter, body: str, size: int, chunked: bool) -> None:
    """An answer that its sender reads, also if it only reads after it has sent all of it."""
    start = f"{body}&padding="
    body = start + "x" * (size - len(start))
    headers, sent = made.signed(body), body.encode()
    pieces: Any = sent
    if chunked:
        pieces = iter([sent[i : i + 100_000] for i in range(0, len(sent), 100_000)])
        headers |= {"Transfer-Encoding": "chunked"}
    status = adapter.raw("POST", EVENTS, pieces, headers, chunked=chunked).status
    if size <= LARGEST_BODY:
        assert (status, adapter.rejected, len(adapter.puts)) == (200, [], 1)
    else:
        assert (status, adapter.rejected, len(adapter.puts)) == (413, ["too_large"], 0)


@pytest.mark.parametrize("path", [EVENTS, "/healthz", "/anything"])
def test_no_body_reaches_the_disk_whatever_its_path(
    adapter: Adapter, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    assert adapter.raw("POST", path, b"x" * (LARGEST_BODY + 1)).status == 413
    assert adapter.raw("POST", path, b"x" * LARGEST_BODY).status in (401, 404, 405)


def test_a_size_that_is_only_announced_is_refused_at_once(adapter: Adapter) -> None:
    with socket.create_connection(("127.0.0.1", adapter.server.port), timeout=60) as connection:
        head = f"POST {EVENTS} HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGEST_BODY + 1}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
    assert adapter.raw("GET", "/healthz", headers={"X": "x" * (LARGEST_HEAD - 500)}).status == 200
    with suppress(ConnectionError):
        assert adapter.raw("GET", "/healthz", headers={"X": "x" * LARGEST_HEAD}).status == 400
