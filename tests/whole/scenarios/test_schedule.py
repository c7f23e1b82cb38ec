"""Approve by day, break by night: the real process, and the clock of its database in our hands."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.support.asked import Asked
from tests.support.stage import ALAN, Stage

MINUTE, HOUR = 60_000, 3_600_000


pytestmark = pytest.mark.usefixtures("clocked")


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

    stage.goes_by(5 * HOUR + 51 * MINUTE)
    asked.wait_for_progress_to_say("3 replications now, as it was approved")
    assert stage.appliance.deletes == []
    assert row(stage, asked)["state"] == "approved"

    stage.goes_by(9 * MINUTE)
    asked.wait_for_quiet()
    assert len(stage.appliance.deletes) == 1
    assert pairing not in stage.appliance.pairings
    ended = row(stage, asked)
    assert (ended["state"], ended["scheduled_at"]) == ("succeeded", made["scheduled_at"])


def _ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)
