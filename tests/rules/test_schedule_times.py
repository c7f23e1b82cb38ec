"""A time for the delete: what can be typed, and which moment it is, on odd nights too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from bot.request.event_changes import Step
from bot.request.events import Stored, TimePassed
from bot.request.fingerprint import fingerprint
from bot.request.model import Request, State
from bot.request.plan import Tick, Wait, plan
from bot.request.time_for_delete import moment, tidy_time
from tests.slack.cards.samples import MINUTE, NOW, TERMS, sample
from tests.support.world import snapshot

BERLIN, KOLKATA, LORD_HOWE = "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"


def ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


@pytest.mark.parametrize(
    ("typed", "tidy"),
    [
        ("22:00", "22:00"),
        (" 7:05 ", "07:05"),
        ("2026-12-03T22:00", "2026-12-03T22:00"),
        ("2026-12-03t2:00", "2026-12-03T02:00"),
        ("+6h", "+6h"),
        ("+090M", "+90m"),
        ("24:00", None),
        ("22:60", None),
        ("2026-02-30T22:00", None),
        ("2026-12-03", None),
        ("22", None),
        ("6h", None),
        ("-6h", None),
        ("+6", None),
        ("", None),
        ("tomorrow", None),
        ("22:00:00", None),
    ],
)
def test_what_is_a_time(typed: str, tidy: str | None) -> None:
    assert tidy_time(typed) == tidy


@pytest.mark.parametrize(
    ("at", "zone", "asked", "expected"),
    [
        ("+6h", None, "2026-12-03T09:00+00:00", "2026-12-03T15:00+00:00"),
        ("22:00", BERLIN, "2026-12-03T09:00+00:00", "2026-12-03T21:00+00:00"),
        ("10:00", BERLIN, "2026-12-03T09:00+00:00", "2026-12-04T09:00+00:00"),
        ("10:01", BERLIN, "2026-12-03T09:00+00:00", "2026-12-03T09:01+00:00"),
        ("2026-12-05T22:00", BERLIN, "2026-12-03T09:00+00:00", "2026-12-05T21:00+00:00"),
        ("22:00", KOLKATA, "2026-12-03T09:00+00:00", "2026-12-03T16:30+00:00"),
        ("22:00", "America/Los_Angeles", "2026-12-03T05:00+00:00", "2026-12-03T06:00+00:00"),
        # The day of it is the asker's, not Greenwich's: it is the 4th already in Kiritimati.
        ("22:00", "Pacific/Kiritimati", "2026-12-03T11:00+00:00", "2026-12-04T08:00+00:00"),
        # The night when Berlin's clocks are put forward, from 2 to 3: the day has 23 hours.
        ("03:00", BERLIN, "2027-03-27T20:00+00:00", "2027-03-28T01:00+00:00"),
        ("+24h", BERLIN, "2027-03-27T20:00+00:00", "2027-03-28T20:00+00:00"),
        # The night when they are put back, from 3 to 2.
        ("01:59", BERLIN, "2026-10-24T20:00+00:00", "2026-10-24T23:59+00:00"),
        ("03:00", BERLIN, "2026-10-24T20:00+00:00", "2026-10-25T02:00+00:00"),
        # Asked in the second of the two hours: the next day's is meant.
        ("02:30", BERLIN, "2026-10-25T01:45+00:00", "2026-10-26T01:30+00:00"),
        # Half an hour is what the clocks are changed by on Lord Howe Island.
        ("02:30", LORD_HOWE, "2026-10-03T12:00+00:00", "2026-10-03T15:30+00:00"),
    ],
)
def test_which_moment(at: str, zone: str | None, asked: str, expected: str) -> None:
    assert moment(at, zone, ms(asked)) == ms(expected)


@pytest.mark.parametrize(
    ("at", "zone", "asked", "why"),
    [
        ("02:30", BERLIN, "2027-03-27T20:00+00:00", "missing"),
        ("2027-03-28T02:00", BERLIN, "2027-03-22T20:00+00:00", "missing"),
        ("02:00", BERLIN, "2026-10-24T20:00+00:00", "twice"),
        ("2026-10-25T02:59", BERLIN, "2026-10-22T20:00+00:00", "twice"),
        # Asked between the two: it may be the one that comes, or tomorrow's.
        ("02:30", BERLIN, "2026-10-25T00:45+00:00", "twice"),
        ("02:15", LORD_HOWE, "2026-10-03T12:00+00:00", "missing"),
        ("01:45", LORD_HOWE, "2026-04-04T12:00+00:00", "twice"),
        # The ends of the calendar, which UTC has not.
        ("9999-12-31T23:59", "America/New_York", "2026-12-03T09:00+00:00", "too_far"),
        ("0001-01-01T00:00", BERLIN, "2026-12-03T09:00+00:00", "past"),
        ("22:00", None, "2026-12-03T09:00+00:00", "no_zone"),
        ("22:00", "", "2026-12-03T09:00+00:00", "no_zone"),
        ("22:00", "Nowhere/Land", "2026-12-03T09:00+00:00", "no_zone"),
        ("22:00", "../../etc/hostname", "2026-12-03T09:00+00:00", "no_zone"),
    ],
)
def test_what_is_not_guessed(at: str, zone: str | None, asked: str, why: str) -> None:
    assert moment(at, zone, ms(asked)) == why


def test_the_fingerprint_covers_it() -> None:
    made = {fingerprint(snapshot(), force=False, dry_run=False, scheduled_at=at) for at in (1, 2)}
    made.add(fingerprint(snapshot(), force=False, dry_run=False))
    assert len(made) == 3


def scheduled(**changes: Any) -> Request:
    return sample(scheduled_at=NOW + 10 * MINUTE, at="+10m", **changes)


def test_an_approval_that_is_heard_after_the_window_begins_nothing() -> None:
    """It was pressed in time, and the bot was away over the whole window."""
    late = NOW + 40 * MINUTE
    step = Step(scheduled(), Stored(at=NOW, event=TimePassed()), late)
    step.approve()
    assert step.request.execute_by == NOW + 10 * MINUTE + TERMS.execution_ttl_ms
    assert isinstance(plan(step.request, late), Tick)


def test_a_pause_does_not_outlast_the_window_before_which_a_clock_was_set_back() -> None:
    ends = NOW + 20 * MINUTE
    request = scheduled(
        state=State.APPROVED, approved_at=NOW, execute_by=ends, not_before=ends + MINUTE
    )
    # The notice ahead is only for who was approved long before.
    assert plan(request, NOW + 9 * MINUTE) == Wait(until=ends)
