"""Approve by day, break by night: the real process, and the clock of its database in our hands."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.asked import Asked
from tests.support.bot_with_clock import CLOCK
from tests.support.forked.process import ForkedBot
from tests.support.stage import ALAN, RITA, Stage
from tests.whole.scenarios.conftest import NewStage
from tests.whole.scenarios.test_modal import sends

MINUTE, HOUR = 60_000, 3_600_000


@pytest.fixture
def stage(new_stage: NewStage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(ForkedBot, "module", "tests.support.bot_with_clock")
    return new_stage()


def goes_by(stage: Stage, ms: int) -> None:
    """So much later, at once. Replaced in one go: the bot reads it all the time."""
    file = stage.bot.folder / CLOCK
    before = int(file.read_text()) if file.exists() else 0
    new = Path(f"{file}.new")
    new.write_text(str(before + ms))
    os.replace(new, file)


def asks(stage: Stage, pairing: str, at: str = "+6h") -> Asked:
    return stage.asks_to_break(pairing, f"--at {at} the window of CHG0031337")


def approved(stage: Stage, pairing: str) -> Asked:
    asked = asks(stage, pairing)
    asked.clicks(ALAN, "approve")
    asked.wait_for_card_to_say("Approved, waits until its time")
    return asked


def row(stage: Stage, asked: Asked) -> dict[str, object]:
    (found,) = [r for r in stage.console.requests() if r["id"] == asked.id]
    return found


def test_from_the_day_into_the_night(stage: Stage) -> None:
    pairing = stage.pairing(replications=3)
    asked = approved(stage, pairing)
    made = row(stage, asked)
    span = _ms(str(made["scheduled_at"])) - _ms(str(made["created_at"]))
    assert (span, made["state"]) == (6 * HOUR, "approved")
    assert "Not before" in asked.card.all_text
    assert {b["action_id"] for b in asked.card.buttons()} == {"unpair_deny", "unpair_cancel"}

    goes_by(stage, 5 * HOUR + 51 * MINUTE)
    asked.wait_for_progress_to_say("3 replications now, as it was approved")
    assert stage.appliance.deletes == []
    assert row(stage, asked)["state"] == "approved"

    goes_by(stage, 9 * MINUTE)
    asked.wait_for_quiet()
    assert len(stage.appliance.deletes) == 1
    assert pairing not in stage.appliance.pairings
    ended = row(stage, asked)
    assert (ended["state"], ended["scheduled_at"]) == ("succeeded", made["scheduled_at"])


def test_by_the_form(stage: Stage) -> None:
    pairing = stage.pairing()
    asked = stage.asks("")
    stage.wait_for_form()
    tomorrow = datetime.fromtimestamp(time.time() + 86_400, tz=UTC).date()
    sends(stage, asked, pairing=pairing, date=str(tomorrow), time="13:30", reason="CHG0031337")
    assert row(stage, asked)["scheduled_at"] == f"{tomorrow}T13:30:00.000Z"
    asked.clicks(RITA, "cancel")
    asked.wait_for_record()


def test_the_bot_is_down_over_the_window(stage: Stage) -> None:
    asked = approved(stage, stage.pairing())
    stage.kill()
    goes_by(stage, 6 * HOUR + 10 * MINUTE)
    stage.restart()
    asked.wait_for_record()
    assert row(stage, asked)["state"] == "expired"
    assert stage.appliance.deletes == []


def test_the_appliance_is_away_over_the_window(stage: Stage) -> None:
    asked = approved(stage, stage.pairing())
    stage.appliance.refuse_connections()
    goes_by(stage, 6 * HOUR)
    asked.wait_for_card_to_say("about to be sent")
    goes_by(stage, 10 * MINUTE)
    asked.wait_for_record()
    assert row(stage, asked)["state"] == "expired"
    stage.appliance.refuse_connections(False)
    assert stage.appliance.deletes == []


def _ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)
