"""SIGSTOP of a copy at a nasty moment, until another has taken over; then SIGCONT."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bot.request.model import State
from tests.life.kills.faults import QUICK
from tests.life.kills.people import Story
from tests.life.kills.rules import check_story, check_words
from tests.life.replicas.copies import DATABASE_AWAY, QUICK_SETTINGS, Copies, copies, is_ready
from tests.support.postgres import PostgresServer
from tests.support.stage import ALAN, ANNA
from tests.support.way_in import WayIn

AT_ONCE = 2
"""They wait for leases most of the time; more than that would start too many bots at once."""

DONE, UNSENT = (State.SUCCEEDED, 1, 1), (State.EXPIRED, 0, 0)

MOMENTS = {
    # The card is claimed, and has not left: another posts it, so it must not leave.
    ("outbox:after", 1): (DONE,),
    # In the middle of a transaction, with the head of the audit trail locked for everybody.
    ("commit:before", 2): (DONE,),
    # Intent stored, nothing sent. It wakes up and does not send, since a second has passed, and
    # says so. In time, it is sent once by another intent; after the other one has looked for long
    # and called a person, that is corrected: nothing was taken.
    ("intent:after", 1): (DONE, UNSENT),
    # The last byte has left. Whoever looks finds the task.
    ("delete:written", 1): (DONE,),
    # Answered, and nobody has read it.
    ("delete:received", 1): (DONE,),
    # A listing of tasks, or a look at the pairing, in hand since before the other one took over.
    ("effect:after", 6): (DONE,),
}
"""What may become of the request: state, DELETEs seen, DELETEs accepted."""

HOLDS_EVERYBODY_UP = ("commit:before",)
"""Unless the database ends the transaction of a copy that stands still."""


def test_frozen_past_the_lease(postgres: PostgresServer, way_in: WayIn, tmp_path: Path) -> None:
    databases = [postgres.new_database() for _ in MOMENTS]

    def play(number: int, moment: tuple[str, int], database: str) -> None:
        try:
            frozen_at(*moment, database, way_in, tmp_path / str(number))
        except BaseException as error:
            error.add_note(f"frozen at {moment[0]} no. {moment[1]}")
            raise

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(play, range(len(MOMENTS)), MOMENTS, databases))


def frozen_at(point: str, nth: int, database: str, way_in: WayIn, folder: Path) -> None:
    with frozen(point, nth, database, way_in, folder) as (stage, story):
        before = versions(stage)
        stage.add(QUICK)
        if point in HOLDS_EVERYBODY_UP:
            stage.finish([story])  # it stands still all the while
        # Else the nastiest moment to wake up: the other one has just begun.
        stage.wait_until(lambda: versions(stage) != before)
        wake(stage)
        stage.finish([story])
        seen = check_story(story)
        # Whatever was not on its way to Slack at that moment stands once (`check_thread`).
        assert (seen.state, seen.deletes, seen.accepted) in MOMENTS[point, nth]
    check_words(stage, DATABASE_AWAY)


def test_frozen_between_the_clock_and_the_first_byte(
    postgres: PostgresServer, way_in: WayIn, tmp_path: Path
) -> None:
    """Nothing can be read between the last look at the clock and the system call. What was approved
    is done then, once, after a person was called; and looking again tells it."""
    database = postgres.new_database()
    with frozen("delete:leaving", 1, database, way_in, tmp_path) as (stage, story):
        stage.add(QUICK)
        stage.finish([story])
        assert [row.state for row in stage.rows()] == [State.ATTENTION]
        assert stage.appliance.deletes == []
        wake(stage)
        stage.wait_until(lambda: story.pairing not in stage.appliance.pairings)
        (final,) = story.finals()
        assert stage.slack.click(ANNA, final, "unpair_look").ok
        stage.wait_until(lambda: len(story.finals()) == 2)
        stage.finish([story])
        assert [row.state for row in stage.rows()] == [State.SUCCEEDED]
        assert len(stage.appliance.deletes) == 1
    check_words(stage, DATABASE_AWAY)


@contextmanager
def frozen(
    point: str, nth: int, database: str, way_in: WayIn, folder: Path
) -> Iterator[tuple[Copies, Story]]:
    """One copy that stands still, and its story, which stands still with it."""
    many = (QUICK.freezing(point, nth),)
    with copies(database, folder, way_in, many, QUICK_SETTINGS) as stage:
        story = Story(stage, presses=(ALAN, ANNA))
        (first,) = stage.lives

        def is_frozen() -> bool:
            if not first.events("frozen"):
                story.acts()
            return bool(first.events("frozen"))

        stage.wait_until(is_frozen)
        yield stage, story


def wake(stage: Copies) -> None:
    first = stage.lives[0]
    os.kill(first.pid, signal.SIGCONT)
    stage.wait_until(lambda: is_ready(first))
    stage.balance()


def versions(stage: Copies) -> list[tuple[object, ...]]:
    """They change when somebody claims a request, or a message."""
    return [
        *stage.ask("SELECT id, version FROM requests"),
        *stage.ask("SELECT request_id, slot, lease_until, shown FROM messages ORDER BY 1, 2"),
    ]
