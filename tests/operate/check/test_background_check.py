"""The check at the start: it never delays, never logs in twice, ends the process only for what can
never work, and is repeated while there are hints."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.__main__ import FOR_GOOD
from bot.operate.check import BackgroundCheck, at_start
from bot.operate.check_line import Line, fine, note, skipped, wrong
from bot.secrets_now import SlackSecrets
from bot.slack.people import Myself
from sandbox.bot_process import BotProcess
from tests.operate.check.conftest import CHANNEL, PAIRING, Stage
from tests.support.clock import PATIENCE_SECONDS, wait_for
from tests.support.stage import ANNA

TOKEN, SITE = "slack-token", "appliance-login lyon"


def of(key: str, line: Line) -> Line:
    name, _, about = key.partition(" ")
    return replace(line, name=name, about=about)


REFUSED = of(TOKEN, wrong("Slack refuses it", "copy it again", final=True))
AWAY = of(TOKEN, wrong("no answer", "wait"))
LOGIN = of(SITE, wrong("refused", "correct it"))


class Rounds:
    """Each round of the check finds the next of these."""

    def __init__(self, *rounds: list[Line]) -> None:
        self._rounds = list(rounds)
        self.ended: list[str] = []
        self.asked = 0
        self.check = BackgroundCheck(self._next, self.ended.append, again_seconds=0.01)

    def _next(self) -> Iterator[Line]:
        for line in self._rounds.pop(0):
            self.asked += 1
            yield line


def test_a_token_refused_for_good_ends_it_before_anything_else_is_asked() -> None:
    rounds = Rounds([AWAY], [REFUSED, LOGIN])
    assert rounds.check.once()
    assert not rounds.check.once()
    assert rounds.ended == ["Slack refuses it; copy it again."]
    assert rounds.asked == 2


def test_a_token_that_has_worked_is_a_hint_when_it_is_revoked() -> None:
    rounds = Rounds([of(TOKEN, fine())], [REFUSED])
    assert rounds.check.once()
    assert rounds.check.once()
    assert rounds.ended == []
    assert rounds.check.hints() == {TOKEN: "Slack refuses it; copy it again"}


def test_a_hint_lasts_until_its_line_is_seen_fine() -> None:
    rounds = Rounds(
        [AWAY, LOGIN],
        [of(TOKEN, fine()), of(SITE, skipped("a person"))],
        [of(SITE, note("fine"))],
    )
    left = []
    for _ in range(3):
        rounds.check.once()
        left.append(set(rounds.check.hints()))
    assert left == [{TOKEN, SITE}, {SITE}, set()]


def test_it_goes_on_only_while_there_are_hints_and_tells_each_once() -> None:
    rounds = Rounds([AWAY], [AWAY], [of(TOKEN, fine())])
    with capture_logs() as logged:
        rounds.check.start()
        for thread in threading.enumerate():
            if thread.name == "check":
                thread.join(60)
    assert rounds.asked == 3
    assert [event["event"] for event in logged] == ["check_failed", "check_fine_again"]


def test_a_stop_ends_the_wait_between_two_rounds() -> None:
    seen = threading.Event()

    def found() -> Iterator[Line]:
        yield AWAY
        seen.set()

    waiting = BackgroundCheck(found, lambda _: None, again_seconds=3600)
    waiting.start()
    assert seen.wait(60)
    assert waiting.stop(10)


def test_a_stop_does_not_wait_for_a_server_that_hangs() -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def found() -> Iterator[Line]:
        asked.set()
        assert goes_on.wait(60)
        yield AWAY

    hanging = BackgroundCheck(found, lambda _: None)
    hanging.start()
    assert asked.wait(60)
    assert not hanging.stop(0)
    goes_on.set()
    assert hanging.stop(10)
    assert hanging.hints() == {}


# ---- with the real bot ---------------------------------------------------------------------------


@pytest.fixture
def http(stage: Stage) -> Stage:
    del stage.environment["SLACK_APP_TOKEN"]
    stage.environment["SLACK_SIGNING_SECRET"] = stage.slack.signing_secret
    return stage


def readiness(bot: BotProcess) -> dict[str, Any]:
    answer = requests.get(f"{bot.url}/readyz", timeout=60)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_one_log_in_one_reading_and_one_question_who_we_are(http: Stage) -> None:
    with BotProcess(http.environment, http.folder) as bot:
        http.appliance.wait_for(
            lambda: [c for c in http.appliance.calls if c.path == "/info"], PATIENCE_SECONDS
        )
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
            (hint,) = wait_for(lambda: readiness(bot).get("hints")).items()
            (event,) = bot.events("check_failed")
            assert (hint[0], event["line"]) == ("appliance-login", "appliance-login")
            assert "VR_PASSWORD" in hint[1]
            assert http.appliance.password not in "\n".join(bot.lines)
    assert len(http.appliance.logins) == 1


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
