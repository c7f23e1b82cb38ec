"""Passwords, certificates and tokens change while the bot runs: nobody restarts it, no account is
locked, and nothing that was asked for is lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest

from sandbox.appliance import Answer
from tests.support.clock import PATIENCE_SECONDS
from tests.support.stage import ALAN, ANNA, Stage
from tests.support.way_in import both_ways
from tests.whole.scenarios.conftest import NewStage
from tests.whole.scenarios.test_schedule import HOUR, approved

SECOND = "Second!2"

pytestmark = pytest.mark.usefixtures("clocked")


def refused(stage: Stage) -> int:
    """Log-ins."""
    return sum(login.status == 401 for login in stage.appliance.logins)


class Kept:
    """A stage whose bot has its secrets from files, as an operator changes them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.folder = stage.bot.folder
        (self.folder / "secrets").mkdir()

    def secret(self, name: str, value: str) -> None:
        """Replaced in one go, as secret stores do it."""
        new = self.folder / "new"
        new.write_text(f"{value}\n")
        os.replace(new, self.folder / "secrets" / name)

    def dotenv(self, **values: str) -> None:
        new = self.folder / "new"
        new.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        os.replace(new, self.folder / ".env")


def password(kept: Kept) -> None:
    kept.secret("VR_PASSWORD", SECOND)
    kept.stage.appliance.set_password(SECOND)
    kept.stage.appliance.expire_sessions()


def fingerprint(kept: Kept) -> None:
    kept.stage.appliance.new_certificate()
    kept.dotenv(VR_FINGERPRINT=kept.stage.appliance.fingerprint)


def bot_token(kept: Kept) -> None:
    kept.secret("SLACK_BOT_TOKEN", "xoxb-second")
    kept.stage.slack.rotate(bot_token="xoxb-second")


def way_in(kept: Kept) -> None:
    """The signing secret, or the app token and the next WebSocket."""
    slack = kept.stage.slack
    if kept.stage.way_in.name == "http":
        kept.secret("SLACK_SIGNING_SECRET", SECOND)
        slack.rotate(signing_secret=SECOND)
        return
    kept.secret("SLACK_APP_TOKEN", "xapp-second")
    slack.rotate(app_token="xapp-second")
    opened = slack.sockets.opened
    slack.sockets.disconnect(closes_after=0.1)
    slack.wait_for(lambda: slack.sockets.opened > opened, PATIENCE_SECONDS)
    kept.stage.way_in.connect(slack, kept.stage.bot)


def begun(new_stage: NewStage, *, pinned: bool = False) -> Kept:
    """`pinned`: the certificate is trusted by its fingerprint, else by its authority's file."""
    stage = new_stage()
    # A kill between a log-in and the first call would leave that log-in unproven.
    stage.appliance.wait_for(lambda: [c for c in stage.appliance.calls if c.path == "/info"])
    stage.kill()
    kept = Kept(stage)
    names = ("SLACK_BOT_TOKEN", "VR_PASSWORD")
    way_in = stage.way_in.settings(stage.slack)
    moved = [*names, *(name for name, value in way_in.items() if value)]
    for name in moved:
        kept.secret(name, stage.bot.environment[name])
    if pinned:
        kept.dotenv(VR_FINGERPRINT=stage.appliance.fingerprint)
    shutil.copy(stage.appliance.ca_file, kept.folder / "ca.pem")
    trusted = "" if pinned else "ca.pem"
    stage.restart(SECRETS_DIR="secrets", VR_CA_FILE=trusted, **dict.fromkeys(moved, ""))
    return kept


@pytest.mark.parametrize("rotate", [password, fingerprint, bot_token])
def test_each_request_outlives_the_rotation(
    new_stage: NewStage, rotate: Callable[[Kept], None]
) -> None:
    outlives(begun(new_stage, pinned=rotate is fingerprint), rotate)


@both_ways
def test_each_request_outlives_the_rotation_of_the_way_in(new_stage: NewStage) -> None:
    outlives(begun(new_stage), way_in)


def outlives(kept: Kept, rotate: Callable[[Kept], None]) -> None:
    stage, appliance = kept.stage, kept.stage.appliance
    before = (stage.bot.pid, stage.secrets())
    if rotate in (bot_token, way_in):
        stage.expected_from_slack.add("token_revoked")

    pairings = [stage.pairing() for _ in range(4)]
    pending = stage.asks_to_break(pairings[0])
    scheduled = approved(stage, pairings[1])
    appliance.hold_tasks()
    following = stage.asks_to_break(pairings[2])
    following.clicks(ALAN, "approve")
    stage.wait_for_states({"pending": 1, "approved": 1, "following": 1})
    appliance.fail("GET", "/pairings", Answer(wire="hang"))
    checking = stage.asks(f"{pairings[3]} CHG0031339")
    hanging = appliance.wait_for(lambda: [c for c in appliance.calls if c.status is None])
    assert len(hanging) == 1
    stage.wait_for_states({"checking": 1, "pending": 1, "approved": 1, "following": 1})

    rotate(kept)
    appliance.release_hanging()
    checking.wait_for_card()
    appliance.release_tasks()
    for each in (checking, pending):
        each.clicks(ANNA, "approve")
    for each in (checking, pending, following):
        each.wait_for_final()
        each.wait_for_record()
    assert pairings[1] in appliance.pairings
    stage.goes_by(6 * HOUR)
    scheduled.wait_for_final()
    scheduled.wait_for_record()

    assert stage.states() == {"succeeded": 4}
    assert len(appliance.deletes) == len(appliance.accepted_deletes) == 4
    assert not set(pairings) & set(appliance.pairings)
    assert refused(stage) <= 2
    assert not appliance.account_locked
    assert (stage.bot.alive, stage.bot.pid) == (True, before[0])
    leaked = [line for line in stage.log_lines if any(s in line for s in before[1])]
    assert leaked == [], "what was secret stays so"
