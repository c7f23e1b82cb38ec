"""How much code one whole story passes through: functions, files, moves from folder to folder.

`python -m tools.walk` plays two lives of the real bot against the sandbox. One starts and stops.
The other has one story in between: command, card, approval, DELETE, task, final reply. What the
second ran and the first did not is the story's own. `--list` names each function, in the order of
its first call; `--moves` says how often which folder calls which function of another one.

`python -m tools.walk run` is the bot with a profile of its calls: what the two lives start.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

BOT = Path(__file__).resolve().parents[1] / "bot"
OUT = "WALK_OUT"
PATIENCE_SECONDS = 30.0
REST_SECONDS = 3.0
"""What the bot does by itself after a start is over by then, and is not the story's."""


class Profile:
    """Counts calls of the bot's functions, in every thread; the sandbox and lambdas aside."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.moves: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._places: dict[str, str] = {}

    def start(self) -> None:
        sys.setprofile(self._hook)
        threading.setprofile(self._hook)

    def write(self, path: str) -> None:
        sys.setprofile(None)
        with self._lock:
            Path(path).write_text(json.dumps({"calls": self.calls, "moves": self.moves}))

    def _hook(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call" or not (here := self._place(frame)):
            return
        caller = frame.f_back
        while caller is not None and not self._place(caller):
            caller = caller.f_back
        with self._lock:
            called = f"{here}:{frame.f_code.co_qualname}"
            self.calls[called] += 1
            if caller is not None and room(self._place(caller)) != room(here):
                self.moves[f"{room(self._place(caller))} -> {called}"] += 1

    def _place(self, frame: FrameType) -> str:
        """The file below `bot/`, or nothing where the code is not the bot's own."""
        code = frame.f_code
        if not code.co_flags & 1 or code.co_name.startswith("<"):
            return ""  # a module's or a class's body, a lambda
        known = self._places.get(code.co_filename)
        if known is None:
            path = Path(code.co_filename)
            inside = path.is_relative_to(BOT)
            known = path.relative_to(BOT).as_posix() if inside else ""
            self._places[code.co_filename] = known
        return known


def room(place: str) -> str:
    return place.partition("/")[0] if "/" in place else "."


def life(*, with_story: bool) -> tuple[dict[str, int], Counter[str]]:
    """Calls by `file:function`, and moves by `folder -> file:function`, of one life of the bot."""
    from sandbox import demo
    from sandbox.appliance import SimulatedAppliance
    from sandbox.bot_process import BotProcess
    from sandbox.slack import LocalSlack

    class Walked(BotProcess):
        module = "tools.walk"

    with (
        tempfile.TemporaryDirectory(prefix="vr-unpair-walk-") as folder,
        SimulatedAppliance(task_seconds=1.0) as appliance,
        LocalSlack() as slack,
    ):
        rita, alan = slack.add_person("Rita"), slack.add_person("Alan")
        channel = slack.add_channel("dr-operations")
        pairing = appliance.add_pairing(local="berlin", remote="helsinki", replications=12)
        out = str(Path(folder) / "walk.json")
        settings = {**demo.settings(appliance, slack, alan), OUT: out}
        with Walked(settings, Path(folder)) as bot:
            slack.request_url = f"{bot.url}/slack/events"
            time.sleep(REST_SECONDS)
            if with_story:
                asked = f"{pairing} moving, CHG0031337"
                demo.story(slack, channel, rita, asked, alan, PATIENCE_SECONDS)
        counted = json.loads(Path(out).read_text())
        return counted["calls"], Counter(counted["moves"])


def main() -> None:
    idle, idle_moves = life(with_story=False)
    story, moves = life(with_story=True)
    own = [name for name in story if name not in idle]
    if "--list" in sys.argv:
        for name in own:
            print(f"{story[name]:6d}  {name}")
    print(f"functions of the story: {len(own)}; with shared ones {len(story)}")
    moves.subtract(idle_moves)
    if "--moves" in sys.argv:
        for name, count in moves.most_common():
            print(f"{count:6d}  {name}")
    files = {name.partition(":")[0] for name in own}
    print(f"files: {len(files)}; with shared ones {len({n.partition(':')[0] for n in story})}")
    print(f"moves between folders of bot/: {moves.total()}")


if __name__ == "__main__":
    if "run" in sys.argv[1:]:
        profile = Profile()
        atexit.register(profile.write, os.environ[OUT])
        profile.start()
        from bot.__main__ import main as bot_main

        bot_main()
    else:
        main()
