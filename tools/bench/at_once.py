"""Sixteen commands at once, over and over: the acknowledgement that one in a hundred waits for.

To a bot that answers each one with a refusal behind its acknowledgement: what it does for that,
with the sandbox that listens to it, goes on beside the commands on the same cores and is part of
the load. The bare bot has nothing else to do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from bot.sandbox.slack import interaction_payloads as payloads
from bot.sandbox.slack.records import Origin
from bot.sandbox.slack.signed_requests import FORM, form
from tools.bench.figures import Aim, Line
from tools.bench.installed import ROOT
from tools.bench.many_at_once import CONNECTIONS
from tools.bench.processes import wait_until_idle
from tools.bench.takers import Taker
from tools.bench.worlds import World

ROUNDS = 5
COMMANDS = 480
"""In one round: enough for a p99."""

REFUSED_WITHIN_SECONDS = 60.0


@dataclass(frozen=True)
class Figures:
    """Of one burst, in ms."""

    median: float
    p99: float


def rounds(world: World, bot: Taker, bare: Taker) -> list[tuple[Figures, Figures]]:
    return [(_burst(world, bot), _burst(world, bare)) for _ in range(ROUNDS)]


def _burst(world: World, taker: Taker) -> Figures:
    """All answered with 200. Returns when the bot has said its last refusal too."""
    told = {"port": taker.port, "requests": [_signed(world, taker) for _ in range(COMMANDS)]}
    wait_until_idle(taker.pid)
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.many_at_once"],
        cwd=ROOT,
        input=json.dumps(told),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    ms = json.loads(done.stdout)
    if taker.stored is not None:
        taker.stored.wait_until_done(REFUSED_WITHIN_SECONDS)
    return Figures(median(ms), quantiles(ms, n=100)[-1])


def lines(taken: Sequence[tuple[Figures, Figures]], bare: str) -> list[Line]:
    """`taken`: what `rounds` brought. `bare`: in words what it was taken against."""
    ours, its = zip(*taken, strict=True)
    count = f"{len(taken)} rounds of {COMMANDS}"
    p99, its_p99 = [one.p99 for one in ours], [one.p99 for one in its]
    middle, its_middle = [one.median for one in ours], [one.median for one in its]
    first = f"… {CONNECTIONS} at once, p99"
    return [
        Line.compared(first, bare, "ms", p99, its_p99, f"p99 of {count}", (Aim(4),)),
        Line.compared("… and the median", bare, "ms", middle, its_middle, f"medians of {count}"),
    ]


def _signed(world: World, taker: Taker) -> str:
    """A whole request. Nobody waits at Slack for its answer, but the refusal has an address."""
    ws, user, command = world.slack.workspace, world.rita, "/vr-unpair"
    with ws.changing():
        trigger = ws.new_trigger(user)
        origin = Origin("command", user, command, trigger.id, world.channel)
        address = ws.new_response_url(origin, world.channel)
        fields = payloads.command_form(
            ws,
            ws.people[user],
            ws.channels[world.channel],
            command,
            "some-pairing CHG0031337",
            trigger,
            world.slack.base_url + address.path,
        )
    body = form(fields)
    headers = {
        "Host": f"127.0.0.1:{taker.port}",
        "Content-Type": FORM,
        "Content-Length": str(len(body)),
        **taker.courier.sign(body),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /slack/events HTTP/1.1\r\n{head}\r\n{body.decode()}"
