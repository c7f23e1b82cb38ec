"""The password of the user is changed at the appliance while the bot runs: nobody restarts it, no
account is locked, and nothing that was asked for is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.conftest import Stage
from tests.scenarios.world import ALAN, RITA, World

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
    return sum(call.status == 401 and call.path == "/session" for call in world.appliance.logins)


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
