"""The check at the start with the real bot: it never delays, never logs in twice, and ends the
process only for what can never work."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from bot.__main__ import FOR_GOOD
from bot.operate.background_check import BackgroundCheck
from bot.operate.check import at_start
from bot.sandbox.bot_process import BotProcess
from bot.secrets_now import SlackSecrets
from bot.slack.people import Myself
from tests.operate.check.conftest import CHANNEL, PAIRING, Stage
from tests.support.clock import PATIENCE_SECONDS, wait_for
from tests.support.stage import ANNA


@pytest.fixture
def http(stage: Stage) -> Stage:
    del stage.environment["SLACK_APP_TOKEN"]
    stage.environment["SLACK_SIGNING_SECRET"] = stage.slack.signing_secret
    return stage


def readiness(bot: BotProcess) -> dict[str, Any]:
    answer = requests.get(f"{bot.url}/readyz", timeout=10)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def hints(bot: BotProcess, count: int) -> dict[str, str]:
    """Those of `/readyz`, once it has so many."""

    def enough() -> dict[str, str] | None:
        found: dict[str, str] = readiness(bot).get("hints", {})
        return found if len(found) == count else None

    return wait_for(enough)


def checked(stage: Stage) -> None:
    """The check is over: `/info` is its last call."""
    stage.appliance.wait_for(
        lambda: [c for c in stage.appliance.calls if c.path == "/info"], PATIENCE_SECONDS
    )


def test_one_log_in_one_reading_and_one_question_who_we_are(http: Stage) -> None:
    with BotProcess(http.environment, http.folder) as bot:
        checked(http)
        assert "hints" not in readiness(bot)
        assert [(c.method, c.path) for c in http.appliance.calls] == [
            ("POST", "/session"),
            ("GET", "/info"),
        ]
        assert not bot.events("check_failed")
        assert not http.slack.calls_of("users.info")
        http.slack.request_url = f"{bot.url}/slack/events"
        assert http.slack.command(ANNA, f"{PAIRING} moving, CHG0031337", channel=CHANNEL).ok
        http.slack.wait_for(lambda: bool(http.slack.messages(CHANNEL)), PATIENCE_SECONDS)
        assert http.slack.calls_of("users.info")  # ours, compared with that of each person
        assert len(http.slack.calls_of("auth.test")) == 1


def test_a_refused_log_in_is_a_hint_and_no_restart_tries_it_again(http: Stage) -> None:
    http.appliance.set_password("other")
    for _ in range(2):
        with BotProcess(http.environment, http.folder) as bot:
            (hint,) = hints(bot, 1).items()
            (event,) = bot.events("check_failed")
            assert (hint[0], event["line"]) == ("appliance-login", "appliance-login")
            assert "VR_PASSWORD" in hint[1]
            assert http.appliance.password not in "\n".join(bot.lines)
    assert len(http.appliance.logins) == 1


def test_what_may_recover_is_a_hint_and_the_bot_is_ready(http: Stage) -> None:
    http.slack.set_channel(CHANNEL, bot_is_member=False)
    http.appliance.refuse_connections()
    with BotProcess(http.environment, http.folder) as bot:
        found = hints(bot, 2)
        assert set(found) == {f"slack-channel {CHANNEL}", "appliance-login"}
        assert "/invite @vr-unpair" in found[f"slack-channel {CHANNEL}"]
        assert len(bot.events("check_failed")) == 2


def test_a_slack_that_hangs_does_not_delay_the_start(http: Stage) -> None:
    http.slack.fail("auth.test", hang=True, times=None)
    began = time.monotonic()
    with BotProcess(http.environment, http.folder) as bot:
        http.slack.wait_for(lambda: http.slack.calls_of("auth.test"), PATIENCE_SECONDS)
        assert readiness(bot)["ready"]
        assert time.monotonic() - began < PATIENCE_SECONDS
        assert bot.stop() == 0


def test_a_token_that_is_refused_ends_the_start(http: Stage) -> None:
    http.slack.fail("auth.test", error="account_inactive", times=None)
    done = http.console("run")
    assert done.returncode == FOR_GOOD
    sentence = [line for line in done.stderr.splitlines() if "SLACK_BOT_TOKEN" in line]
    assert len(sentence) == 1, done.stderr
    assert "account_inactive" in sentence[0]
    assert sentence[0].endswith(".")
    assert http.slack.bot_token not in done.stderr
    # A supervisor may start it again and again: nothing that an account could be locked by.
    assert http.appliance.calls == []


def test_a_refused_token_ends_nothing_where_a_new_one_is_there(stage: Stage) -> None:
    """It was set between the start and the check, or while Slack was away."""
    settings, ours = stage.loaded(), "xoxb-second"
    stage.slack.rotate(bot_token=ours)
    again = settings.model_copy(update={"slack_bot_token": SecretStr(ours)})
    secrets = SlackSecrets(settings, lambda: again)
    known: list[Myself] = []
    found = at_start(settings, {}, known.append, partial(secrets.get, "SLACK_BOT_TOKEN"))
    ends: list[str] = []
    look = BackgroundCheck(found, ends.append)
    assert look.once()
    assert (ends, look.hints()) == ([], {})
    assert [me.bot for me in known] == [stage.slack.workspace.bot_id]
    calls = [call.error for call in stage.slack.calls_of("auth.test")]
    assert calls == ["token_revoked", None]
