"""`bare_calls.py` as a process, for one world."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tools.bench.installed import ROOT, python
from tools.bench.worlds import World


@dataclass(frozen=True)
class BareSeconds:
    """Until the DELETE got to the appliance, and of the first call to Slack alone."""

    to_delete: float
    one_call: float


class BareCaller:
    """`world` is who is called."""

    def __init__(self, world: World, process: subprocess.Popen[str]) -> None:
        self._world, self._process = world, process
        appliance, slack = world.appliance, world.slack
        where = {
            "appliance": appliance.host,
            "base_path": appliance.base_path,
            "ca_file": appliance.ca_file,
            "username": appliance.username,
            "password": appliance.password,
            "slack_port": int(slack.base_url.rpartition(":")[2]),
            "token": slack.bot_token,
            "user": world.alan,
        }
        self._tell(json.dumps(where))

    def seconds(self) -> BareSeconds:
        """One pass through the calls. Raises RuntimeError when the process has ended."""
        pairing = self._world.pairing()
        before = len(self._world.appliance.deletes)
        began, one_call = map(float, self._tell(pairing).split())
        return BareSeconds(self._world.delete_after(before, pairing) - began, one_call)

    def _tell(self, line: str) -> str:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the bare calls ended with {process.wait()}")
        return answer


@contextmanager
def bare_caller(world: World) -> Iterator[BareCaller]:
    with subprocess.Popen(
        [python(), "-m", "tools.bench.bare_calls"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield BareCaller(world, process)  # its end is the end of its stdin
