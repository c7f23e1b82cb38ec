"""How often Slack is called: for one whole story, and while a task runs for ten minutes.

A story is the real bot's, from the command to the final reply and the last edit of the card, each
in a world of its own and the first one of its process. Whatever arrives at the local Slack counts,
reads of people included; only edits of the progress message do not, since they are as many as a
task is long, and are what the ten minutes count.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.slack import LocalSlack
from bot.sandbox.slack.records import ApiCall
from tools.bench import ten_minutes
from tools.bench.databases import Stored
from tools.bench.figures import Aim, Line
from tools.bench.processes import wait_until_idle
from tools.bench.worlds import PATIENCE_SECONDS, World

STORIES = 5
TASK_SECONDS = 4.0
"""Long enough that progress is shown and edited."""

EDIT_SECONDS = 2.5
STEPS_MS = (500, 600, 700, 900, 1000)
"""One for each round: other beats of the clock, so that polls and edits meet differently."""

RESPONSE_URL = "response_url"
"""An answer to the person alone goes to an address that came with the click: it is no Web API call
and has no rate of its own."""


def measure() -> list[Line]:
    with ThreadPoolExecutor(STORIES) as pool:  # counted, not timed: side by side
        stories = list(pool.map(lambda _: _one_story(), range(STORIES)))
    moving = [ten_minutes.edits(step, moving=True) for step in STEPS_MS]
    still = [ten_minutes.edits(step, moving=False) for step in STEPS_MS]
    return [_story_line(stories), *_edit_lines(moving, still)]


def _one_story() -> Counter[str]:
    """Its calls by method. Raises RuntimeError when it had no progress to show."""
    with (
        tempfile.TemporaryDirectory(prefix="vr-unpair-bench-") as folder,
        SimulatedAppliance(task_seconds=TASK_SECONDS, calls_per_minute=None) as appliance,
        LocalSlack(rate_limits=False) as slack,
    ):
        world = World(appliance, slack)
        with world.bot(Path(folder)) as bot:
            slack.request_url = f"{bot.url}/slack/events"
            # What its start asks Slack, to say in the log what is wrong, belongs to no story.
            slack.wait_for(lambda: bool(slack.calls), PATIENCE_SECONDS)
            wait_until_idle(bot.pid)
            before = len(slack.calls)
            card = world.ask()
            world.seconds_from_click_to_delete(card)
            world.wait_for_the_end(card)
            Stored.in_file(Path(folder)).wait_until_done(PATIENCE_SECONDS)
            return _by_method(slack.calls[before:], card.message.ts)


def _by_method(calls: list[ApiCall], card_ts: str) -> Counter[str]:
    edits = [call for call in calls if call.method == "chat.update"]
    of_progress = [call for call in edits if call.args["ts"] != card_ts]
    if not of_progress:
        raise RuntimeError("the progress message was never edited: this was no whole story")
    return Counter(call.method for call in calls if call not in of_progress)


def _story_line(stories: list[Counter[str]]) -> Line:
    asides = [story.pop(RESPONSE_URL, 0) for story in stories]
    all_of_them = sum(stories, Counter[str]())
    methods = ", ".join(f"{name} {all_of_them[name] / STORIES:g}" for name in sorted(all_of_them))
    return Line.alone(
        "Slack Web API calls for one story",
        f"edits of progress not counted; {methods}; besides {max(asides)} to a response_url",
        "calls",
        [story.total() for story in stories],
        f"{STORIES} stories",
        (Aim(8, absolute=True),),
    )


def _edit_lines(moving: list[list[float]], still: list[list[float]]) -> list[Line]:
    rounds = f"{len(STEPS_MS)} rounds of ten minutes on our own clock"
    low, high = min(map(len, moving)), max(map(len, moving))
    within = [float(ten_minutes.most_within(EDIT_SECONDS, times)) for times in moving]
    poll = f"{ten_minutes.POLL_SECONDS:g} s"
    return [
        Line.alone(
            f"… most within any {EDIT_SECONDS} s while a task runs",
            f"another progress at each poll, every {poll}; {low} to {high} calls in each round",
            "calls",
            within,
            rounds,
            (Aim(1, absolute=True),),
        ),
        Line.alone(
            "… in all, while its progress stands still",
            f"nothing to say; a poll every {poll}",
            "calls",
            [float(len(times)) for times in still],
            rounds,
            (Aim(0, absolute=True),),
        ),
    ]
