"""Approve by day, break by night: the real process, and the clock of its database in our hands."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.asked import Asked
from tests.support.bot_on_stage import ALAN, RITA, STAN, World
from tests.support.bot_with_clock import CLOCK
from tests.support.forked.process import ForkedBot
from tests.whole.scenarios.conftest import Stage
from tests.whole.scenarios.test_modal import form, opened, sends

MINUTE, HOUR = 60_000, 3_600_000


@pytest.fixture
def world(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(ForkedBot, "module", "tests.support.bot_with_clock")
    return stage()


def goes_by(world: World, ms: int) -> None:
    """So much later, at once. Replaced in one go: the bot reads it all the time."""
    file = world.bot.folder / CLOCK
    before = int(file.read_text()) if file.exists() else 0
    new = Path(f"{file}.new")
    new.write_text(str(before + ms))
    os.replace(new, file)


def asks(world: World, pairing: str, at: str = "+6h") -> Asked:
    return world.asks_to_break(pairing, f"--at {at} the window of CHG0031337")


def approved(world: World, pairing: str) -> Asked:
    asked = asks(world, pairing)
    asked.clicks(ALAN, "approve")
    asked.wait_for_card_to_say("Approved, waits until its time")
    return asked


def row(world: World, asked: Asked) -> dict[str, object]:
    (found,) = [r for r in world.console.requests() if r["id"] == asked.id]
    return found


def test_from_the_day_into_the_night(world: World) -> None:
    pairing = world.pairing(replications=3)
    asked = approved(world, pairing)
    made = row(world, asked)
    span = _ms(str(made["scheduled_at"])) - _ms(str(made["created_at"]))
    assert (span, made["state"]) == (6 * HOUR, "approved")
    assert "Not before" in asked.card.all_text
    assert {b["action_id"] for b in asked.card.buttons()} == {"unpair_deny", "unpair_cancel"}

    goes_by(world, 5 * HOUR + 51 * MINUTE)
    asked.wait_for_progress_to_say("3 replications now, as it was approved")
    assert world.appliance.deletes == []
    assert row(world, asked)["state"] == "approved"

    goes_by(world, 9 * MINUTE)
    asked.wait_for_quiet()
    assert len(world.appliance.deletes) == 1
    assert pairing not in world.appliance.pairings
    ended = row(world, asked)
    assert (ended["state"], ended["scheduled_at"]) == ("succeeded", made["scheduled_at"])


def test_a_time_of_day_is_that_of_who_asks(world: World) -> None:
    world.slack.workspace.people[RITA].zone = "Asia/Kolkata"
    asked = asks(world, world.pairing(), "2:15")
    at = datetime.fromtimestamp(_ms(str(row(world, asked)["scheduled_at"])) / 1000, tz=UTC)
    assert (at.hour, at.minute) == (20, 45)
    assert "Asia/Kolkata" in asked.card.all_text
    asked.clicks(RITA, "cancel")
    asked.wait_for_record()


def test_by_the_form(world: World) -> None:
    pairing = world.pairing()
    asked = opened(world)
    form(world)
    tomorrow = datetime.fromtimestamp(time.time() + 86_400, tz=UTC).date()
    sends(world, asked, pairing=pairing, date=str(tomorrow), time="13:30", reason="CHG0031337")
    assert row(world, asked)["scheduled_at"] == f"{tomorrow}T13:30:00.000Z"
    asked.clicks(RITA, "cancel")
    asked.wait_for_record()


def test_who_approved_takes_it_back(world: World) -> None:
    asked = approved(world, world.pairing())
    asked.clicks(STAN, "deny")
    goes_by(world, 5 * HOUR)
    assert row(world, asked)["state"] == "approved"
    asked.denies(ALAN, "the window is not free after all")
    asked.wait_for_record()
    assert row(world, asked)["state"] == "denied"
    goes_by(world, 2 * HOUR)
    asked.wait_for_quiet()
    assert world.appliance.deletes == []


def test_rights_are_those_of_the_time(world: World) -> None:
    asked = approved(world, world.pairing())
    world.slack.deactivate(ALAN)
    goes_by(world, 6 * HOUR)
    asked.wait_for_record()
    assert world.appliance.deletes == []
    assert row(world, asked)["state"] == "expired"
    assert f"What <@{ALAN}> had decided no longer counted" in asked.wait_for_final().text


def test_what_changed_is_warned_of_and_not_sent(world: World) -> None:
    pairing = world.pairing(replications=2)
    asked = approved(world, pairing)
    world.appliance.set_replications(pairing, 3)
    goes_by(world, 5 * HOUR + 55 * MINUTE)
    asked.wait_for_progress_to_say("is not what was approved any more")
    goes_by(world, 5 * MINUTE)
    asked.wait_for_record()
    assert row(world, asked)["state"] == "changed"
    assert world.appliance.deletes == []


def test_the_bot_is_down_over_the_window(world: World) -> None:
    asked = approved(world, world.pairing())
    world.kill()
    goes_by(world, 6 * HOUR + 10 * MINUTE)
    world.restart()
    asked.wait_for_record()
    assert row(world, asked)["state"] == "expired"
    assert "the bot was not running" in asked.finals()[0].text
    assert world.appliance.deletes == []


def test_the_bot_is_down_and_back_within_the_window(world: World) -> None:
    asked = approved(world, world.pairing())
    world.kill()
    goes_by(world, 6 * HOUR + 5 * MINUTE)
    world.restart()
    asked.wait_for_quiet()
    assert len(world.appliance.deletes) == 1


def test_the_appliance_is_away_over_the_window(world: World) -> None:
    asked = approved(world, world.pairing())
    world.appliance.refuse_connections()
    goes_by(world, 6 * HOUR)
    asked.wait_for_card_to_say("about to be sent")
    goes_by(world, 10 * MINUTE)
    asked.wait_for_record()
    (final,) = asked.finals()
    assert "The time that was asked for passed" in final.text
    assert "This stood in the way" in final.text
    assert row(world, asked)["state"] == "expired"
    world.appliance.refuse_connections(False)
    assert world.appliance.deletes == []


def test_refused_where_it_cannot_be(stage: Stage) -> None:
    world = stage(SCHEDULE_MAX="2h")
    asked = world.asks(f"{world.pairing()} --at +3h the window")
    assert "further ahead than `SCHEDULE_MAX` allows" in world.answer(asked.delivery).text
    off = stage(SCHEDULE_MAX="0")
    asked = off.asks(f"{off.pairing()} --at +1h the window")
    assert "`SCHEDULE_MAX` is 0" in off.answer(asked.delivery).text


def _ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)
