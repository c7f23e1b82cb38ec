"""Through the proxy that HTTPS_PROXY names, unless NO_PROXY names the host, and with TLS inside."""

from __future__ import annotations

import json
import ssl
import time

import pytest
import trustme
from websockets.sync.server import ServerConnection

from bot.slack.receive import socket_mode as receive
from bot.slack.send.web_api import proxy_for
from tests.slack.socket.conftest import Talk, connected, wait_for
from tests.support.proxy import PASSWORD, Proxy

SLACK = "wss://wss-primary.slack.com/link/?ticket=1"
VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


@pytest.fixture(autouse=True)
def _no_proxies_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, SLACK, None),
        ({"HTTPS_PROXY": "http://p:8080"}, SLACK, "http://p:8080"),
        ({"https_proxy": "http://u:pw@p:8080"}, SLACK, "http://u:pw@p:8080"),
        ({"HTTPS_PROXY": "p:8080"}, SLACK, "http://p:8080"),
        ({"HTTPS_PROXY": " "}, SLACK, None),
        ({"HTTP_PROXY": "http://p:8080"}, SLACK, None),
        ({"HTTPS_PROXY": "http://p:8080", "NO_PROXY": "slack.com"}, SLACK, None),
        ({"HTTPS_PROXY": "http://p:8080", "NO_PROXY": ".slack.com"}, SLACK, None),
        ({"HTTPS_PROXY": "http://p:8080", "no_proxy": "a, wss-primary.slack.com"}, SLACK, None),
        ({"HTTPS_PROXY": "http://p:8080", "NO_PROXY": "*"}, SLACK, None),
        ({"HTTPS_PROXY": "http://p:8080", "NO_PROXY": "lack.com"}, SLACK, "http://p:8080"),
        ({"HTTPS_PROXY": "http://p:8080", "NO_PROXY": "slack.com.evil"}, SLACK, "http://p:8080"),
        ({"HTTPS_PROXY": "http://p:8080"}, "ws://127.0.0.1:7/", None),
        ({"HTTPS_PROXY": "http://p:8080"}, "http://127.0.0.1:7/api/", None),
        ({"HTTP_PROXY": "http://p:8080"}, "http://127.0.0.1:7/api/", "http://p:8080"),
    ],
)
def test_which_proxy(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy


def slack_behind_tls(ca: trustme.CA, name: str) -> Talk:
    """It sends one large envelope."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)

    def envelope(connection: ServerConnection, number: int) -> None:
        payload = {"command": "/vr-unpair", "text": "x" * 300_000}
        connection.send(json.dumps({"envelope_id": "e1", "payload": payload}))

    return Talk(envelope, context)


def trust(monkeypatch: pytest.MonkeyPatch, ca: trustme.CA) -> None:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    monkeypatch.setattr(receive, "tls", lambda: context)


def test_the_whole_way_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    ca = trustme.CA()
    trust(monkeypatch, ca)
    talk = slack_behind_tls(ca, "wss-primary.slack.com")
    with talk.serving():
        proxy = Proxy(talk.port)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with connected(SLACK, ping=0.3) as (mode, payloads):
            wait_for(lambda: talk.said)
            assert (talk.asked, talk.said) == (["/link/?ticket=1"], ['{"envelope_id": "e1"}'])
            assert len(payloads[0]["text"]) == 300_000
            waited = time.monotonic()
            wait_for(lambda: time.monotonic() - waited > 0.6 and mode.silent_s() < 0.3)
            assert mode.problem() is None
        proxy.close()
    (asked,) = proxy.asked
    assert asked.startswith("CONNECT wss-primary.slack.com:443 HTTP/1.")
    assert "Proxy-Authorization: Basic dXNlcjpwcm94eXBhc3M=\r\n" in asked


def test_a_certificate_of_somebody_else_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    ca = trustme.CA()
    trust(monkeypatch, ca)
    talk = slack_behind_tls(ca, "evil.example.net")
    with talk.serving():
        proxy = Proxy(talk.port)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with connected(SLACK) as (mode, _):
            wait_for(lambda: "certificate" in str(mode.problem()))
        proxy.close()
    assert talk.asked == [], "not even the ticket"


@pytest.mark.parametrize(
    "spoil", ["", "http://user:proxypass@127.0.0.1:1/path", "ftp://u:proxypass@h"]
)
def test_a_proxy_that_does_not_work_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, spoil: str, capfd: pytest.CaptureFixture[str]
) -> None:
    proxy = Proxy(None)
    monkeypatch.setenv("HTTPS_PROXY", spoil or proxy.url)
    with connected(SLACK) as (mode, _):
        wait_for(lambda: ("HTTPS_PROXY" if spoil else "407") in str(mode.problem()))
        assert PASSWORD not in str(mode.problem())
    proxy.close()
    assert PASSWORD not in "".join(capfd.readouterr())
