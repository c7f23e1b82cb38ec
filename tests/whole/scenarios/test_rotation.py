"""Passwords, certificates and tokens change while the bot runs: nobody restarts it, no account is
locked, and nothing that was asked for is lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.sandbox.appliance import Answer
from tests.support.asked import PATIENCE_SECONDS
from tests.support.bot_on_stage import ALAN, ANNA, RITA, World
from tests.support.forked.process import ForkedBot
from tests.whole.scenarios.conftest import Stage
from tests.whole.scenarios.test_schedule import HOUR, approved, goes_by

SECOND, THIRD = "Second!2", "Third!3"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "VR_PASSWORD").write_text("Sandbox!1\n")
    return folder / "VR_PASSWORD"


@pytest.fixture
def world(stage: Stage, secret: Path) -> World:
    return stage(VR_PASSWORD="", SECRETS_DIR=str(secret.parent))


def refused(world: World) -> int:
    """Log-ins at either site."""
    ends = ("/session", "/remote-session")
    posts = [call for call in world.appliance.calls if call.method == "POST"]
    return sum(call.status == 401 and call.path.endswith(ends) for call in posts)


@pytest.mark.both_ways
def test_a_request_outlives_two_changes_of_the_password(world: World, secret: Path) -> None:
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)

    # In the right order: the file first, so that no log-in is ever refused.
    secret.write_text(SECOND)
    world.appliance.set_password(SECOND)
    world.appliance.expire_sessions()
    other = world.asks_to_break(world.pairing())
    assert refused(world) == 0

    # In the other order: one log-in is refused, and the correction ends the rest at once.
    world.appliance.set_password(THIRD)
    world.appliance.expire_sessions()
    turned_away = world.asks(f"{world.pairing()} CHG0031338", by=RITA)
    assert "log-in" in world.answer(turned_away.delivery).all_text
    assert refused(world) == 1
    secret.write_text(THIRD)
    for each in (asked, other):
        each.clicks(ALAN, "approve")
        each.wait_for_final()

    assert world.states() == {"succeeded": 2, "refused": 1}
    assert pairing not in world.appliance.pairings
    assert refused(world) == 1
    assert not world.appliance.account_locked
    assert not any(word in line for line in world.log_lines for word in (SECOND, THIRD))


# ---- each credential, with a request in every state ----------------------------------------------

FAR = {"remote_username": "far@vsphere.local", "remote_password": "Far!1"}


class Kept:
    """A world whose bot has its secrets from files, as an operator changes them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.folder = world.bot.folder
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
    kept.world.appliance.set_password(SECOND)
    kept.world.appliance.expire_sessions()


def remote_password(kept: Kept) -> None:
    kept.secret("VR_REMOTE_PASSWORD", SECOND)
    kept.world.appliance.set_password(SECOND, remote=True)
    kept.world.appliance.expire_sessions()


def authority(kept: Kept) -> None:
    kept.world.appliance.new_certificate(same_authority=False)
    shutil.copy(kept.world.appliance.ca_file, kept.folder / "new")
    os.replace(kept.folder / "new", kept.folder / "ca.pem")


def fingerprint(kept: Kept) -> None:
    kept.world.appliance.new_certificate()
    kept.dotenv(VR_FINGERPRINT=kept.world.appliance.fingerprint)


def bot_token(kept: Kept) -> None:
    kept.secret("SLACK_BOT_TOKEN", "xoxb-second")
    kept.world.slack.rotate(bot_token="xoxb-second")


def way_in(kept: Kept) -> None:
    """The signing secret, or the app token and the next WebSocket."""
    slack = kept.world.slack
    if kept.world.way_in.name == "http":
        kept.secret("SLACK_SIGNING_SECRET", SECOND)
        slack.rotate(signing_secret=SECOND)
        return
    kept.secret("SLACK_APP_TOKEN", "xapp-second")
    slack.rotate(app_token="xapp-second")
    opened = slack.sockets.opened
    slack.sockets.disconnect(closes_after=0.1)
    slack.wait_for(lambda: slack.sockets.opened > opened, PATIENCE_SECONDS)
    kept.world.way_in.connect(slack, kept.world.bot)


Begin = Callable[[bool], Kept]


@pytest.fixture
def begin(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """`begin(pinned)`: the certificate is trusted by its fingerprint, or by its authority."""
    return lambda pinned: begun(stage, monkeypatch, pinned)


def begun(stage: Stage, monkeypatch: pytest.MonkeyPatch, pinned: bool) -> Kept:
    monkeypatch.setattr(ForkedBot, "module", "tests.support.bot_with_clock")
    world = stage(appliance=FAR, VR_REMOTE_USERNAME="far@vsphere.local", VR_REMOTE_PASSWORD="Far!1")
    # A kill between a log-in and the first call would count as a log-in in vain.
    world.appliance.wait_for(lambda: [c for c in world.appliance.calls if c.path == "/info"])
    world.kill()
    kept = Kept(world)
    names = ("SLACK_BOT_TOKEN", "VR_PASSWORD", "VR_REMOTE_PASSWORD")
    moved = [*names, *world.way_in.settings(world.slack)]
    for name in moved:
        kept.secret(name, world.bot.environment[name])
    if pinned:
        kept.dotenv(VR_FINGERPRINT=world.appliance.fingerprint)
    shutil.copy(world.appliance.ca_file, kept.folder / "ca.pem")
    trusted = "" if pinned else "ca.pem"
    world.restart(SECRETS_DIR="secrets", VR_CA_FILE=trusted, **dict.fromkeys(moved, ""))
    return kept


@pytest.mark.parametrize("rotate", [password, remote_password, authority, fingerprint, bot_token])
def test_each_request_outlives_the_rotation(begin: Begin, rotate: Callable[[Kept], None]) -> None:
    outlives(begin(rotate is fingerprint), rotate)


@pytest.mark.both_ways
def test_each_request_outlives_the_rotation_of_the_way_in(begin: Begin) -> None:
    outlives(begin(False), way_in)


def outlives(kept: Kept, rotate: Callable[[Kept], None]) -> None:
    world, appliance = kept.world, kept.world.appliance
    before = (world.bot.pid, world.secrets())
    if rotate in (bot_token, way_in):
        world.expected_from_slack.add("token_revoked")

    pairings = [world.pairing() for _ in range(4)]
    pending = world.asks_to_break(pairings[0])
    scheduled = approved(world, pairings[1])
    appliance.hold_tasks()
    following = world.asks_to_break(pairings[2])
    following.clicks(ALAN, "approve")
    world.wait_for_states({"pending": 1, "approved": 1, "following": 1})
    appliance.fail("GET", "/pairings", Answer(wire="hang"))
    checking = world.asks(f"{pairings[3]} CHG0031339")
    hanging = appliance.wait_for(lambda: [c for c in appliance.calls if c.status is None])
    assert len(hanging) == 1
    world.wait_for_states({"checking": 1, "pending": 1, "approved": 1, "following": 1})

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
    goes_by(world, 6 * HOUR)
    scheduled.wait_for_final()
    scheduled.wait_for_record()

    assert world.states() == {"succeeded": 4}
    assert len(appliance.deletes) == len(appliance.accepted_deletes) == 4
    assert not set(pairings) & set(appliance.pairings)
    assert refused(world) <= 2
    assert not appliance.account_locked
    assert (world.bot.alive, world.bot.pid) == (True, before[0])
    leaked = [line for line in world.log_lines if any(s in line for s in before[1])]
    assert leaked == [], "what was secret stays so"
