"""The clients: one try on a fresh connection, proxies, secrets in no log; a `response_url`."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import time
from pathlib import Path

import pytest
import trustme
from slack_sdk.errors import SlackApiError

from bot import __version__
from bot.request.messages import Drawn
from bot.slack.send import web_api
from bot.slack.send.one_message import WAITING_MOST, Whisper, is_of_slack, say
from bot.slack.send.slack_problem import BROKEN, Kind, SlackProblem, answered, problem_of
from bot.slack.send.web_api import api_client, tls
from tests.slack.listeners.fake_web_api import (
    PATIENCE_SECONDS,
    Answer,
    FakeWebApi,
    error,
    limited,
)

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy")
DRAWN = Drawn(text="x")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


def _say(api: FakeWebApi, name: str = "one") -> SlackProblem | None:
    return say(api.response_url(name), DRAWN, api_url=api.api_url, timeout_s=2)


# ---- connections -----------------------------------------------------------------------------


def test_a_moment_has_one_connection_and_what_was_idle_is_not_used_again(
    api: FakeWebApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack may have closed it, and a post whose answer is lost may appear twice."""
    api.keeps = True
    client = api_client("xoxb-t", base_url=api.api_url, timeout_s=2)
    for _ in range(3):
        client.auth_test()
    assert api.requests == [3]
    monkeypatch.setattr(web_api, "IDLE_SECONDS", 0.0)
    client.auth_test()
    assert api.requests == [3, 1]
    api.script("auth.test", Answer(cut=True))
    monkeypatch.setattr(web_api, "IDLE_SECONDS", 60.0)
    with pytest.raises(OSError, match="closed connection"):
        client.auth_test()
    assert api.requests == [3, 2], "a lost answer is not asked for again"
    client.pool.clear()


def test_a_redirect_takes_the_token_nowhere(api: FakeWebApi) -> None:
    moved = {"Location": f"{api.base}/api/elsewhere"}
    api.script("auth.test", Answer(b"", status=307, headers=moved))
    with pytest.raises(SlackApiError):
        api_client("xoxb-t", base_url=api.api_url, timeout_s=2).auth_test()
    assert [c.method for c in api.calls] == ["auth.test"]


@pytest.mark.parametrize(
    ("url", "taken"), [("http://127.0.0.1:9/", False), ("https://h.invalid/", False), (None, True)]
)
def test_no_connection_is_not_taken_and_no_answer_may_be(url: str | None, taken: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        silent = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        client = api_client("xoxb-t", base_url=url or silent, timeout_s=1)
        with pytest.raises(BROKEN) as caught:
            client.auth_test()
    problem = problem_of(caught.value)
    assert (problem.kind, problem.away, problem.maybe_taken) == (Kind.PASSING, True, taken)


@pytest.mark.parametrize("answer", [Answer(cut=True), Answer(status=500), error("ratelimited")])
def test_nothing_is_ever_sent_twice(api: FakeWebApi, answer: Answer) -> None:
    api.script("chat.postMessage", answer)
    client = api_client("xoxb-t", base_url=api.api_url, timeout_s=2)
    with pytest.raises((SlackApiError, *BROKEN)):
        client.chat_postMessage(channel="C1", text="x")
    assert len(api.calls) == 1
    assert api.calls[0].headers["User-Agent"].startswith(f"vr-unpair/{__version__} ")


def test_a_company_s_own_authority_is_trusted_where_the_environment_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a proxy that opens TLS (docs/slack.md). Both ways to Slack use this context."""
    authority = trustme.CA(organization_name="example corp")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = tls.__wrapped__()  # it is read once in a process
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert ["example corp" in str(known["subject"]) for known in context.get_ca_certs()] == [True]


# ---- the token -------------------------------------------------------------------------------


class Kept:
    """A token where it is kept, as `SlackSecrets` gives it: read again when it was refused."""

    def __init__(self) -> None:
        self.known = self.there = "xoxb-old"
        self.looks = 0

    def __call__(self, refused: bool) -> str:
        if refused:
            self.looks += 1
            self.known = self.there
        return self.known


REFUSED = [error(w) for w in ("invalid_auth", "token_revoked", "token_expired", "account_inactive")]


@pytest.mark.parametrize("refusal", REFUSED)
def test_a_refused_token_that_has_changed_is_not_the_end(api: FakeWebApi, refusal: Answer) -> None:
    kept = Kept()
    told: list[str] = []
    client = api_client(
        kept, base_url=api.api_url, timeout_s=2, on_call=lambda _, result: told.append(result)
    )
    client.auth_test()
    kept.there = "xoxb-new"
    client.auth_test()  # while the old one is taken, nobody reads it again for each call
    assert kept.looks == 0
    api.script("chat.postMessage", refusal)
    assert client.chat_postMessage(channel="C1", text="x")["ok"]
    tokens = [call.headers["Authorization"] for call in api.calls]
    assert tokens == ["Bearer xoxb-old"] * 3 + ["Bearer xoxb-new"]
    assert told == ["ok", "ok", "account", "ok"]


def test_a_refused_token_that_is_still_the_same_is_not_sent_again(api: FakeWebApi) -> None:
    kept = Kept()
    client = api_client(kept, base_url=api.api_url, timeout_s=2)
    api.script("chat.postMessage", error("token_revoked"), error("token_revoked"))
    for calls in (1, 2):
        with pytest.raises(SlackApiError, match="token_revoked"):
            client.chat_postMessage(channel="C1", text="x")
        assert (len(api.calls), kept.looks) == (calls, calls)
    kept.known = "xoxb-new"  # as another client, or the look once a minute, has found it
    client.chat_postMessage(channel="C1", text="x")
    assert api.calls[-1].headers["Authorization"] == "Bearer xoxb-new"


def test_a_new_token_that_is_refused_too_is_tried_once(api: FakeWebApi) -> None:
    kept = Kept()
    kept.there = "xoxb-new"
    api.script("auth.test", *[error("invalid_auth")] * 5)
    with pytest.raises(SlackApiError, match="invalid_auth"):
        api_client(kept, base_url=api.api_url, timeout_s=2).auth_test()
    assert len(api.calls) == 2


# ---- proxies ---------------------------------------------------------------------------------


def test_calls_go_through_a_proxy_by_the_same_rules(
    api: FakeWebApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of `test_proxies`. The fake refuses CONNECT, which shows that it was asked."""
    monkeypatch.setenv("HTTPS_PROXY", api.base)
    with pytest.raises(OSError, match="501"):
        api_client("xoxb-t", base_url="https://slack.invalid/api/", timeout_s=2).auth_test()
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert _say(api) is not None, "through a proxy that is not there"
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert _say(api) is None


# ---- what is told and logged -----------------------------------------------------------------


def test_debug_logs_hold_no_response_url(api: FakeWebApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = api_client("xoxb-secret-token", base_url=api.api_url, timeout_s=2)
    client.views_open(trigger_id="secret-trigger", view={"type": "modal"})
    api.script("response", Answer(), Answer(cut=True))
    _say(api, "secret-address")
    _say(api, "secret-address")
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Answer(), "ok"),
        (limited(3), "limited"),
        (error("invalid_auth"), "account"),
        (error("channel_not_found"), "final"),
        (Answer(cut=True), "passing"),
        (Answer(status=500), "passing"),
    ],
)
def test_each_call_is_told_with_how_it_ended(api: FakeWebApi, answer: Answer, result: str) -> None:
    told: list[tuple[str, str]] = []
    client = api_client(
        "xoxb-t", base_url=api.api_url, timeout_s=2, on_call=lambda *call: told.append(call)
    )
    api.script("chat.postMessage", answer)
    with contextlib.suppress(SlackApiError, *BROKEN):
        client.chat_postMessage(channel="C1", text="x")
    assert told == [("chat.postMessage", result)]


@pytest.mark.parametrize("said", ["x" * 5000, "Received a response in a non-JSON format: <html>"])
def test_what_is_no_word_of_slacks_is_not_kept(api: FakeWebApi, said: str) -> None:
    api.script("auth.test", error(said))
    with pytest.raises(SlackApiError) as caught:
        api_client("xoxb-t", base_url=api.api_url, timeout_s=2).auth_test()
    assert problem_of(caught.value) == answered(200, "http_200", None)


# ---- through a response_url ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Kind.FINAL),
        (404, Kind.FINAL),
        (410, Kind.FINAL),
        (429, Kind.LIMITED),
        (500, Kind.PASSING),
        (503, Kind.PASSING),
    ],
)
def test_a_response_url_that_refuses(api: FakeWebApi, status: int, kind: Kind) -> None:
    api.script("response", Answer(b"used_url", status=status))
    problem = _say(api, "secret")
    assert problem is not None
    assert problem.kind is kind
    assert "secret" not in problem.word


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_of_a_response_url_is_followed(api: FakeWebApi, status: int) -> None:
    moved = {"Location": f"{api.base}/respond/elsewhere"}
    api.script("response", Answer(b"", status=status, headers=moved))
    problem = _say(api)
    assert problem is not None
    assert problem.kind is Kind.FINAL
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    ("url", "api_url", "used"),
    [
        ("https://hooks.slack.com/commands/T1/2/x", "https://slack.com/api/", True),
        ("https://hooks.slack-gov.com/commands/T1", "https://slack-gov.com/api/", True),
        ("https://double.example.com/respond/1", "https://double.example.com/api/", True),
        ("http://localhost:8080/x", "http://127.0.0.1:9000/api/", True),
        ("http://hooks.slack.com/commands/T1", "https://slack.com/api/", False),
        ("https://hooks.slack.com:8443/commands/T1", "https://slack.com/api/", False),
        ("https://hooks.slack-gov.com/commands/T1", "https://slack.com/api/", False),
        ("https://hooks.slack.com.example.com/x", "https://slack.com/api/", False),
        ("https://hooks.slack.com@example.com/x", "https://slack.com/api/", False),
        ("https://example.com/hooks.slack.com", "https://slack.com/api/", False),
        ("https://169.254.169.254/latest", "https://slack.com/api/", False),
        ("http://127.0.0.1/x", "https://slack.com/api/", False),
        ("https://hooks.slack.com/x", "http://127.0.0.1/api/", False),
        ("file:///etc/passwd", "http://127.0.0.1/api/", False),
        ("nonsense", "http://127.0.0.1/api/", False),
        ("http://[", "http://127.0.0.1/api/", False),
        ("http://127.0.0.1:x/", "http://127.0.0.1/api/", False),
    ],
)
def test_a_response_url_is_used_on_slacks_host_alone(url: str, api_url: str, used: bool) -> None:
    assert is_of_slack(url, api_url) is used


def test_nothing_is_sent_to_another_host(api: FakeWebApi) -> None:
    problem = say(api.response_url(), DRAWN, api_url="https://slack.com/api/", timeout_s=2)
    assert problem is not None
    assert problem.kind is Kind.FINAL
    assert api.calls == []


# ---- sentences behind a listener's back: never blocking, and ending with the process -------------


def test_a_failure_is_logged_and_the_next_goes_out(
    api: FakeWebApi, whisper: Whisper, capsys: pytest.CaptureFixture[str]
) -> None:
    api.script("response", Answer(status=404))
    for words in ("one", "two"):
        whisper.tell(api.response_url("secret"), words)
    whisper.tell(None, "to nobody")
    assert [c.body["text"] for c in api.wait_for("response", 2)] == ["one", "two"]
    assert whisper.stop(PATIENCE_SECONDS)
    logged = capsys.readouterr().out
    assert "whisper_failed" in logged
    assert "secret" not in logged
    whisper.tell(api.response_url(), "after the end")
    assert len(api.calls) == 2


def test_a_crowd_is_dropped_and_never_blocks(
    api: FakeWebApi,
    whisper: Whisper,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And a stop waits no longer than it may; then for the call in hand, and for no other."""
    monkeypatch.setattr("bot.slack.send.one_message.WHISPER_TIMEOUT_S", 60)
    api.script("response", Answer(hang=True))
    started = time.monotonic()
    for _ in range(WAITING_MOST + 20):
        whisper.tell(api.response_url(), "x")
    assert time.monotonic() - started < PATIENCE_SECONDS
    api.wait_for("response")
    assert not whisper.stop(0)
    assert not whisper.stop(0)
    api.release()
    assert whisper.stop(PATIENCE_SECONDS)
    assert len(api.of("response")) == 1
    assert "whisper_dropped" in capsys.readouterr().out


def test_it_waits_as_long_as_slack_asks(api: FakeWebApi, whisper: Whisper) -> None:
    api.script("response", limited(1))
    whisper.tell(api.response_url(), "one")
    api.wait_for("response", 1)
    refused = time.monotonic()
    whisper.tell(api.response_url(), "two")
    assert [c.body["text"] for c in api.wait_for("response", 3)] == ["one", "one", "two"]
    assert time.monotonic() - refused > 0.9
