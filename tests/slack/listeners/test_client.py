"""The clients: one try, proxies by the environment, nothing secret in a log."""

from __future__ import annotations

import contextlib
import logging
import ssl
from pathlib import Path

import pytest
import trustme
from slack_sdk.errors import SlackApiError

from bot import __version__
from bot.request.messages import Drawn
from bot.slack.send.client import api_client, tls
from bot.slack.send.problems import BROKEN, Kind, problem_of
from bot.slack.send.whisper import is_of_slack, say
from tests.slack.listeners.fake_web_api import Answer, FakeWebApi, error, limited

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


def test_it_says_who_calls(api: FakeWebApi) -> None:
    api_client("xoxb-token", base_url=api.api_url, timeout_s=2).auth_test()
    headers = api.calls[0].headers
    assert headers["User-Agent"].startswith(f"vr-unpair/{__version__} ")
    assert headers["Authorization"] == "Bearer xoxb-token"


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


@pytest.mark.parametrize("answer", [Answer(cut=True), Answer(status=500), error("ratelimited")])
def test_nothing_is_ever_sent_twice(api: FakeWebApi, answer: Answer) -> None:
    api.script("chat.postMessage", answer)
    client = api_client("xoxb-t", base_url=api.api_url, timeout_s=2)
    with pytest.raises((SlackApiError, *BROKEN)):
        client.chat_postMessage(channel="C1", text="x")
    assert len(api.calls) == 1


def test_an_https_proxy_is_not_for_plain_addresses(
    api: FakeWebApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK itself would send this call to the proxy."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    api_client("xoxb-t", base_url=api.api_url, timeout_s=2).auth_test()
    assert say(api.response_url(), Drawn(text="x"), api_url=api.api_url, timeout_s=2) is None


def test_https_goes_through_the_proxy(api: FakeWebApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake refuses CONNECT, which is all that is needed to see that it was asked."""
    monkeypatch.setenv("HTTPS_PROXY", api.base)
    client = api_client("xoxb-t", base_url="https://slack.invalid/api/", timeout_s=2)
    with pytest.raises(OSError, match="501"):
        client.auth_test()


def test_no_proxy_goes_past_it(api: FakeWebApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    client = api_client("xoxb-t", base_url=api.api_url, timeout_s=2)
    with pytest.raises(OSError, match="refused"):
        client.auth_test()
    assert say(api.response_url(), Drawn(text="x"), api_url=api.api_url, timeout_s=2) is not None
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    client.auth_test()
    assert say(api.response_url(), Drawn(text="x"), api_url=api.api_url, timeout_s=2) is None


def test_debug_logs_hold_no_response_url(api: FakeWebApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = api_client("xoxb-secret-token", base_url=api.api_url, timeout_s=2)
    client.views_open(trigger_id="secret-trigger", view={"type": "modal"})
    say(api.response_url("secret-address"), Drawn(text="x"), api_url=api.api_url, timeout_s=2)
    api.script("response", Answer(cut=True))
    say(api.response_url("secret-address"), Drawn(text="x"), api_url=api.api_url, timeout_s=2)
    assert "secret" not in caplog.text


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
    problem = say(api.response_url("secret"), Drawn(text="x"), api_url=api.api_url, timeout_s=2)
    assert problem is not None
    assert problem.kind is kind
    assert "secret" not in problem.word


def test_a_response_url_of_nonsense_is_no_crash() -> None:
    for url in ("file:///etc/passwd", "nonsense", "http://[", "http://127.0.0.1:x/"):
        problem = say(url, Drawn(text="x"), api_url="http://127.0.0.1/api/", timeout_s=1)
        assert problem is not None
        assert (problem.kind, problem.word) == (Kind.FINAL, "response_url_not_slack")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_of_a_response_url_is_followed(api: FakeWebApi, status: int) -> None:
    moved = {"Location": f"{api.base}/respond/elsewhere"}
    api.script("response", Answer(b"", status=status, headers=moved))
    problem = say(api.response_url(), Drawn(text="x"), api_url=api.api_url, timeout_s=2)
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
    ],
)
def test_a_response_url_is_used_on_slacks_host_alone(url: str, api_url: str, used: bool) -> None:
    assert is_of_slack(url, api_url) is used


def test_nothing_is_sent_to_another_host(api: FakeWebApi) -> None:
    drawn, slack = Drawn(text="x"), "https://slack.com/api/"
    problem = say(api.response_url(), drawn, api_url=slack, timeout_s=2)
    assert problem is not None
    assert problem.kind is Kind.FINAL
    assert api.calls == []


@pytest.mark.parametrize("said", ["x" * 5000, "Received a response in a non-JSON format: <html>"])
def test_what_is_no_word_of_slacks_is_not_kept(said: str) -> None:
    from slack_sdk.web import SlackResponse

    response = SlackResponse(
        client=None,
        http_verb="POST",
        api_url="x",
        req_args={},
        data={"ok": False, "error": said},
        headers={},
        status_code=200,
    )
    problem = problem_of(SlackApiError("x", response))
    assert (problem.kind, problem.word, problem.away) == (Kind.PASSING, "http_200", True)


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
        "xoxb-t",
        base_url=api.api_url,
        timeout_s=2,
        on_call=lambda method, how: told.append((method, how)),
    )
    api.script("chat.postMessage", answer)
    with contextlib.suppress(SlackApiError, *BROKEN):
        client.chat_postMessage(channel="C1", text="x")
    assert told == [("chat.postMessage", result)]


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
