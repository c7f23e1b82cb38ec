"""SIGSTOP of a copy at a nasty moment, until another has taken over; then SIGCONT."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.core.request import State
from tests.kills.faults import QUICK
from tests.kills.people import Story
from tests.kills.rules import Seen, check_story
from tests.kills.stage import ALAN, ANNA
from tests.postgres.server import PostgresServer
from tests.replicas.copies import QUICK_SETTINGS, Copies, copies, is_ready
from tests.replicas.rules import check_log
from tests.scenarios.way_in import WayIn

AT_ONCE = 2
"""They wait for leases most of the time; more than that would start too many bots at once."""

SETTINGS = {**QUICK_SETTINGS, "VR_TIMEOUT_SECONDS": "2"}
"""A DELETE that a busy machine takes in after two timeouts would be met by `attention` already."""

DONE, UNSENT = (State.SUCCEEDED, 1, 1), (State.ATTENTION, 0, 0)

MOMENTS = {
    # The card is claimed, and has not left: another posts it, so it must not leave.
    ("outbox:after", 1): (DONE,),
    # In the middle of a transaction, with the head of the audit trail locked for everybody.
    ("commit:before", 2): (DONE,),
    # Intent stored, nothing sent. It wakes up and does not send, since a second has passed, and
    # says so. In time, it is sent once; after the other one has looked for long, never.
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
            seen = frozen_at(*moment, database, way_in, tmp_path / str(number))
            assert (seen.state, seen.deletes, seen.accepted) in MOMENTS[moment]
            assert seen.doubled == 0
        except BaseException as error:
            error.add_note(f"frozen at {moment[0]} no. {moment[1]}")
            raise

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(play, range(len(MOMENTS)), MOMENTS, databases))


def frozen_at(point: str, nth: int, database: str, way_in: WayIn, folder: Path) -> Seen:
    many = (QUICK.freezing(point, nth),)
    with copies(database, folder, way_in, many, SETTINGS) as stage:
        story = Story(stage, presses=(ALAN, ANNA))
        (first,) = stage.lives

        def is_frozen() -> bool:
            if not first.events("frozen"):
                story.acts()
            return bool(first.events("frozen"))

        stage.wait_until(is_frozen)
        before = versions(stage)
        stage.add(QUICK)
        if point in HOLDS_EVERYBODY_UP:
            stage.finish([story])  # it stands still all the while
        # Else the nastiest moment to wake up: the other one has just begun.
        stage.wait_until(lambda: versions(stage) != before)
        os.kill(first.pid, signal.SIGCONT)
        stage.wait_until(lambda: is_ready(first))
        stage.balance()
        stage.finish([story])
        seen = check_story(story)
    check_log(stage)
    return seen


def versions(stage: Copies) -> list[tuple[object, ...]]:
    """They change when somebody claims a request, or a message."""
    return [
        *stage.ask("SELECT id, version FROM requests"),
        *stage.ask("SELECT request_id, slot, lease_until, shown FROM messages ORDER BY 1, 2"),
    ]
