"""How long a start takes, and what a bot weighs: after its start, and after 1,000 requests.

Starts of the real bot and of a bare one come in turn. How much it grows is seen in several real
bots side by side, since memory is no time. Each plays one whole story, one denial by form, a home
tab and a list first, so that everything that people use has run once; then a person who may not ask
asks over and over, and is refused by Slack's word alone. Each of these is stored, judged, ended,
recorded and answered as any other is.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sandbox.bot_process import BotProcess
from tools.bench.figures import Aim, Line
from tools.bench.processes import BareBot, resident_mb, seconds_to_ready, wait_until_idle
from tools.bench.worlds import PATIENCE_SECONDS, Stored, World, folder, quick_world

ROUNDS = 8
BOTS = 5
REQUESTS = 1_000
AT_ONCE = 50
"""So many are asked, then all of them are answered; after the first of these it is weighed too."""

BARE = "bare Bolt with requests on waitress"


def starting() -> list[Line]:
    with quick_world() as world, folder() as own:
        _started(world.bot(own))  # the first start makes the database
        rounds = [
            (_started(world.bot(own)), _started(BareBot(world.slack.signing_secret)))
            for _ in range(ROUNDS)
        ]
    ms, mb = ([(ours[n], bare[n]) for ours, bare in rounds] for n in (0, 1))
    count = f"{ROUNDS} rounds"
    return [
        Line.compared("start to /readyz", BARE, "ms", ms, count, Aim(2.2)),
        Line.compared("memory after start", BARE, "MB", mb, count, Aim(1.8)),
    ]


def _started(bot: BotProcess) -> tuple[float, float]:
    """Milliseconds to ready, and MB then. It has ended afterwards."""
    try:
        return 1000 * seconds_to_ready(bot), resident_mb(bot.pid)
    finally:
        bot.stop()


def growing() -> list[Line]:
    with ThreadPoolExecutor(BOTS) as pool:
        weighed = list(pool.map(lambda _: _weighed(), range(BOTS)))
    bots = f"{BOTS} bots"
    after, its_start = f"memory after {REQUESTS:,} requests", "the same bot after its start"
    some = f"the same bot after {AT_ONCE}, with one of each kind"
    from_start = [(end, start) for start, _, end in weighed]
    from_some = [(end, some) for _, some, end in weighed]
    return [
        Line.compared(after, its_start, "MB", from_start, bots, Aim(1.05)),
        Line.compared(f"… of which after the first {AT_ONCE}", some, "MB", from_some, bots),
    ]


def _weighed() -> tuple[float, float, float]:
    """MB of one bot after its start, after some requests, after all."""
    with folder() as own, quick_world() as world:
        stored = Stored.in_file(own)
        stranger = world.slack.add_person("Sam")
        with world.bot(own):
            pass  # to make a database takes memory that no later start takes
        before = len(world.appliance.calls)
        with world.bot(own, {"REQUESTERS": world.rita}) as bot:
            world.wait_until_started(bot, before)
            mb = [resident_mb(bot.pid)]
            world.slack.request_url = f"{bot.url}/slack/events"
            asked = _one_of_each(world)
            for up_to in range(AT_ONCE, REQUESTS + 1, AT_ONCE):
                _refused(world, stranger, up_to - asked)
                asked = up_to
                stored.wait_until_done()
                if up_to in (AT_ONCE, REQUESTS):
                    wait_until_idle(bot.pid)
                    mb.append(resident_mb(bot.pid))
            if stored.commands() != REQUESTS:
                raise RuntimeError(f"{stored.commands()} requests are stored, not {REQUESTS}")
            after_start, after_some, after_all = mb
            return after_start, after_some, after_all


def _one_of_each(world: World) -> int:
    """Whatever people do with a bot, once. Returns how many requests that were."""
    slack = world.slack
    world.play(world.ask())
    denied = world.ask()
    slack.click(world.alan, denied.message, "unpair_deny")
    slack.wait_for(lambda: slack.views.get(world.alan) is not None, PATIENCE_SECONDS)
    slack.submit(world.alan, values={"reason": "the sync is still running"})
    world.wait_for_the_end(denied)
    slack.open_home(world.alan)
    slack.wait_for(lambda: slack.home(world.alan) is not None, PATIENCE_SECONDS)
    known = len(slack.ephemerals(world.rita))
    slack.command(world.rita, "list", channel=world.channel)
    slack.wait_for(lambda: len(slack.ephemerals(world.rita)) > known, PATIENCE_SECONDS)
    return 2


def _refused(world: World, stranger: str, many: int) -> None:
    for _ in range(many):
        delivery = world.slack.command(stranger, "some-pairing CHG0031337", channel=world.channel)
        if not delivery.ok:
            raise RuntimeError(f"not acknowledged: {delivery.problem}")
