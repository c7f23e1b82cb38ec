"""What each setting of the bot itself takes and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.settings import Settings, SettingsError, load


def test_the_defaults(load_with: Any) -> None:
    settings = load_with()
    assert settings.slack_bot_token.get_secret_value() == "xoxb-the-bot-token"
    assert settings.slack_signing_secret is None
    assert settings.slack_app_token is None
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.slack_command == "/vr-unpair"
    assert settings.deployment_label == ""
    assert settings.approvers == ("UALICE", "WBOB")
    assert settings.approvals_required == 1
    assert settings.effective_force_approvals_required == 1
    assert settings.effective_notify == ("UALICE", "WBOB")
    assert settings.break_glass == settings.requesters == settings.channels == ()
    assert settings.require_reason is False
    assert settings.reason_pattern is None
    assert settings.approval_ttl == 3_600_000
    assert settings.execution_ttl == 600_000
    assert settings.follow_ttl == 86_400_000
    assert settings.remind_after == 900_000
    assert settings.keep_for == 180 * 86_400_000
    assert settings.database_url.get_secret_value() == "sqlite:///vr-unpair.db"
    assert (settings.host, settings.port) == ("0.0.0.0", 3000)
    assert settings.operate_port is None
    assert settings.dry_run is False
    assert (settings.log_level, settings.log_format) == ("info", "console")
    assert list(settings.sites) == ["default"]


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        (
            "SLACK_API_URL",
            "http://127.0.0.1:8080/api",
            "slack_api_url",
            "http://127.0.0.1:8080/api/",
        ),
        ("SLACK_API_URL", "http://localhost/api", "slack_api_url", "http://localhost/api/"),
        ("SLACK_API_URL", "http://[::1]:80/", "slack_api_url", "http://[::1]:80/"),
        ("SLACK_COMMAND", "/vr-unpair_2", "slack_command", "/vr-unpair_2"),
        ("DEPLOYMENT_LABEL", "Köln, production", "deployment_label", "Köln, production"),
        ("APPROVERS", " U1 ,,W2,U1,", "approvers", ("U1", "W2")),
        ("APPROVALS_REQUIRED", "2", "approvals_required", 2),
        ("APPROVALS_REQUIRED", "2", "effective_force_approvals_required", 2),
        ("FORCE_APPROVALS_REQUIRED", "3", "effective_force_approvals_required", 3),
        ("NOTIFY", "U7", "effective_notify", ("U7",)),
        ("NOTIFY", "None", "effective_notify", ()),
        ("REQUESTERS", "U7,W8", "requesters", ("U7", "W8")),
        ("APPROVERS", "U1, S0GROUP", "approvers", ("U1", "S0GROUP")),
        ("REQUESTERS", "S0GROUP", "requesters", ("S0GROUP",)),
        ("NOTIFY", "S0GROUP,U2", "notify", ("S0GROUP", "U2")),
        ("CHANNELS", "C1,G2", "channels", ("C1", "G2")),
        ("REQUIRE_REASON", "TRUE", "require_reason", True),
        ("REASON_PATTERN", r"CHG\d{7}", "reason_pattern", r"CHG\d{7}"),
        ("APPROVAL_TTL", "90s", "approval_ttl", 90_000),
        ("EXECUTION_TTL", "2h", "execution_ttl", 7_200_000),
        ("FOLLOW_TTL", "2d", "follow_ttl", 172_800_000),
        ("REMIND_AFTER", "0", "remind_after", 0),
        ("KEEP_FOR", "1d", "keep_for", 86_400_000),
        ("HOST", "127.0.0.1", "host", "127.0.0.1"),
        ("HOST", "::1", "host", "::1"),
        ("PORT", "8443", "port", 8443),
        ("OPERATE_PORT", "9090", "operate_port", 9090),
        ("OPERATE_PORT", "3000", "operate_port", None),
        ("OPERATE_PORT", "0", "operate_port", 0),
        ("DRY_RUN", "on", "dry_run", True),
        ("DRY_RUN", "0", "dry_run", False),
        ("LOG_LEVEL", "DEBUG", "log_level", "debug"),
        ("LOG_FORMAT", "json", "log_format", "json"),
    ],
)
def test_taken(load_with: Any, name: str, text: str, field: str, value: object) -> None:
    assert getattr(load_with(**{name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-a b", "copy it again"),
        ("SLACK_BOT_TOKEN", "xoxb-a\n", "copy it again"),
        ("SLACK_BOT_TOKEN", "xapp-1", "begins with xoxb-"),
        ("SLACK_SIGNING_SECRET", "a\tb", "copy it again"),
        ("SLACK_API_URL", "slack.com/api", "must be an address"),
        ("SLACK_API_URL", "ftp://slack.com/api", "must be an address"),
        ("SLACK_API_URL", "http://slack.com/api/", "must begin with https://"),
        ("SLACK_API_URL", "http://10.0.0.1/api/", "must begin with https://"),
        ("SLACK_API_URL", "http://localhost.example.net/", "must begin with https://"),
        ("SLACK_API_URL", "http://127.0.0.1.example.net/", "must begin with https://"),
        ("SLACK_API_URL", "http://0.0.0.0/api/", "must begin with https://"),
        ("SLACK_API_URL", "https://u:p@slack.com/api", "without user"),
        ("SLACK_API_URL", "https://slack.com:99999/api", "must be an address"),
        ("SLACK_API_URL", "https://slack.com/api?x=1", "without user"),
        ("SLACK_COMMAND", "vr-unpair", "must be a slash command"),
        ("SLACK_COMMAND", "/VR", "lower-case"),
        ("SLACK_COMMAND", "/two words", "not '/two words'"),
        ("SLACK_COMMAND", "/" + "a" * 32, "at most 32"),
        ("DEPLOYMENT_LABEL", "two\nlines", "one line"),
        ("DEPLOYMENT_LABEL", "x" * 81, "80 characters"),
        ("APPROVERS", "@alice", "'@alice' is not one"),
        ("APPROVERS", "u123", "'u123' is not one"),
        ("APPROVERS", "U1;U2", "separated by commas"),
        ("APPROVERS", "C123", "'C123' is not one"),
        ("APPROVALS_REQUIRED", "0", "from 1 to 100"),
        ("APPROVALS_REQUIRED", "two", "not 'two'"),
        ("APPROVALS_REQUIRED", "1.0", "not '1.0'"),
        ("FORCE_APPROVALS_REQUIRED", "-1", "from 1 to 100"),
        ("NOTIFY", "none,U1", "'none' is not one"),
        ("REQUESTERS", ",", "names nobody"),
        ("REQUESTERS", " ", "names nobody"),
        ("CHANNELS", ",", "leave it out"),
        ("CHANNELS", "#ops", "'#ops' is not one"),
        ("REQUIRE_REASON", "ja", "true or false"),
        ("DRY_RUN", "ture", "true or false, not 'ture'"),
        ("DRY_RUN", " ", "true or false"),
        ("REASON_PATTERN", "CHG[", "not a valid regular expression"),
        ("APPROVAL_TTL", "0", "must be a duration"),
        ("APPROVAL_TTL", "0s", "longer than no time"),
        ("EXECUTION_TTL", "10", "such as 90s, 15m, 1h or 2d"),
        ("FOLLOW_TTL", "9999d", "365d or less"),
        ("REMIND_AFTER", "never", "or 0"),
        ("KEEP_FOR", "23h", "1d or more, not '23h'"),
        ("KEEP_FOR", "0", "such as 90s"),
        ("DATABASE_URL", "mysql://x/y", "must begin with sqlite:///"),
        ("DATABASE_URL", "sqlite://", "must name a file"),
        ("DATABASE_URL", "sqlite:///:memory:", "must name a file"),
        ("DATABASE_URL", "sqlite:///file:x?mode=memory", "must name a file"),
        ("DATABASE_URL", "sqlite:///a.db?mode=ro", "without ?"),
        ("DATABASE_URL", "sqlite://", "such as sqlite:///vr-unpair.db"),
        ("DATABASE_URL", "postgresql+psycopg://", "form postgresql+psycopg://user"),
        ("HOST", "0.0.0.0:3000", "without a port"),
        ("HOST", "http://x", "without a port"),
        ("PORT", "65536", "from 0 to 65535"),
        ("PORT", "http", "not 'http'"),
        ("OPERATE_PORT", "65536", "from 0 to 65535"),
        ("LOG_LEVEL", "loud", "debug, info, warning"),
        ("LOG_FORMAT", "xml", "console, json"),
        ("VR_USERNAME", "a\udcff", "not UTF-8"),
    ],
)
def test_refused(sentences_with: Any, name: str, text: str, says: str) -> None:
    found = sentences_with(**{name: text})
    assert list(found) == [name]
    assert found[name].startswith(name + " ")
    assert says in found[name]
    assert found[name].endswith(".")


def test_nothing_set_names_everything_required(tmp_path: Path, required: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load({}, tmp_path)
    assert {problem.setting for problem in caught.value.problems} == set(required)
    assert all(" is not set: " in problem.sentence for problem in caught.value.problems)


def test_all_problems_come_at_once(sentences_with: Any) -> None:
    found = sentences_with(VR_HOST=None, APPROVERS="x", PORT="x", VR_POLL_SECONDS="x")
    assert set(found) == {"VR_HOST", "APPROVERS", "PORT", "VR_POLL_SECONDS"}


def test_empty_means_not_set(load_with: Any, sentences_with: Any) -> None:
    settings = load_with(PORT="", DRY_RUN="", NOTIFY="", VR_CA_FILE="", SLACK_APP_TOKEN="")
    assert settings == load_with()
    assert "is not set" in sentences_with(APPROVERS="")["APPROVERS"]


def test_settings_do_not_change(load_with: Any) -> None:
    settings = load_with()
    with pytest.raises(ValidationError, match="frozen"):
        settings.dry_run = True
    with pytest.raises(ValidationError, match="frozen"):
        settings.sites["default"].host = "elsewhere"


def test_an_object_made_directly_reads_no_environment(
    load_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "4444")
    made = Settings(
        slack_bot_token="xoxb-1",
        sites=load_with().sites,
        approvers=("U1",),
        approval_ttl=1500,
        requesters=(),
    )
    assert (made.port, made.approval_ttl, made.requesters) == (3000, 1500, ())
