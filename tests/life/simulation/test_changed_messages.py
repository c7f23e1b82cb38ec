"""`changed_messages` names every message that looks different after a step, drawn as Slack gets
it."""

from __future__ import annotations

from bot.request.messages import changed_messages, messages
from bot.request.model import Request
from bot.slack.draw.message import draw
from tests.life.simulation.happenings import history
from tests.life.simulation.simulation import Simulation

SEEDS = range(400, 550)


def test_what_is_not_named_looks_as_before() -> None:
    steps = [step for seed in SEEDS for step in _steps(seed)]
    saved_work = 0
    for before, after in steps:
        named = {message.slot for message in changed_messages(before, after)}
        shown = {message.slot for message in messages(before, before.updated_at)}
        for message in messages(after, after.updated_at):
            if message.slot in named:
                continue
            assert message.slot in shown
            assert draw(after, message.slot) == draw(before, message.slot), message.slot
            saved_work += 1
    assert saved_work > len(steps) / 4, "it is not enough to name all of them"


def _steps(seed: int) -> list[tuple[Request, Request]]:
    sim = Simulation(history(seed))
    found: list[tuple[Request, Request]] = []
    told = sim.store.on_saved

    def saved(before: Request | None, after: Request) -> None:
        told(before, after)
        if before is not None:
            found.append((before, after))

    sim.store.on_saved = saved
    sim.run()
    return found
