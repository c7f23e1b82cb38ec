"""A kill with every figure as it is: the next one goes on within the promised time."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from bot.core.request import State
from tests.kills.faults import AS_IT_IS
from tests.kills.people import Story
from tests.kills.rules import check_story, check_words
from tests.kills.stage import Stage, staged

GOES_ON_WITHIN_SECONDS = 30.0
"""After a kill, at the default settings (contract)."""

SOURCE = Path(__file__).parents[2]


def test_goes_on_within_thirty_seconds(tmp_path: Path) -> None:
    """The appliance has accepted, and the answer dies with the process."""
    with staged(tmp_path, AS_IT_IS.deadly("delete:received", 1)) as stage:
        story = Story(stage)

        def dead() -> bool:
            if stage.bot.alive:
                story.acts()
            return not stage.bot.alive

        stage.wait_until(dead)
        died = time.monotonic()
        stage.revive(AS_IT_IS)
        stage.wait_until(lambda: bool(story.finals()))
        seconds = time.monotonic() - died
        print(f"the final reply came {seconds:.1f} s after the kill")
        assert seconds < GOES_ON_WITHIN_SECONDS
        stage.wait_until(stage.at_rest)
        seen = check_story(story)
        assert (seen.state, seen.deletes) == (State.SUCCEEDED, 1)
        assert audit_verify(stage).startswith("ok: ")
    check_words(stage)


def audit_verify(stage: Stage) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "audit", "verify"],
        cwd=stage.folder,
        env={**stage.bot.environment, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
