"""The home tab, opened by an approver, the requester and a guest; its link is the card's."""

from __future__ import annotations

import json

from tests.support.asked import PATIENCE_SECONDS
from tests.support.bot_on_stage import ALAN, RITA, World


def home(world: World, person: str) -> str:
    """What is published when this person opens it."""
    before = len(world.slack.calls_of("views.publish"))
    assert world.slack.open_home(person).ok
    world.slack.wait_for(
        lambda: len(world.slack.calls_of("views.publish")) > before, PATIENCE_SECONDS
    )
    assert all(call.error is None for call in world.slack.calls_of("views.publish"))
    return json.dumps(world.slack.home(person), ensure_ascii=False)


def test_what_waits_and_what_became_of_it(world: World) -> None:
    asked = world.asks_to_break(world.pairing())
    world.wait_for_states({"pending": 1})
    link = f"/archives/{asked.channel}/p{asked.card_ts.replace('.', '')}|Open {asked.id}>"
    guest = world.slack.add_person("Gus", guest=True)

    for person, before, after in (
        (ALAN, "Waiting for you", asked.id),
        (RITA, "You asked", asked.id),
    ):
        seen = home(world, person)
        assert seen.index(before) < seen.index(after)
        assert link in seen
    assert "Nothing waits for your decision" in home(world, RITA)
    assert asked.id not in home(world, guest)

    asked.clicks(ALAN, "approve")
    asked.wait_for_quiet()
    assert "is done: the pairing is gone" in home(world, RITA)
    assert "Ended recently" in home(world, ALAN)
