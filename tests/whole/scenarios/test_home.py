"""The home tab, opened by an approver, the requester and a guest; its link is the card's."""

from __future__ import annotations

import json

from tests.support.clock import PATIENCE_SECONDS
from tests.support.stage import ALAN, RITA, Stage


def home(stage: Stage, person: str) -> str:
    """What is published when this person opens it."""
    before = len(stage.slack.calls_of("views.publish"))
    assert stage.slack.open_home(person).ok
    stage.slack.wait_for(
        lambda: len(stage.slack.calls_of("views.publish")) > before, PATIENCE_SECONDS
    )
    assert all(call.error is None for call in stage.slack.calls_of("views.publish"))
    return json.dumps(stage.slack.home(person), ensure_ascii=False)


def test_what_waits_and_what_became_of_it(stage: Stage) -> None:
    asked = stage.asks_to_break(stage.pairing())
    stage.wait_for_states({"pending": 1})
    link = f"/archives/{asked.channel}/p{asked.card_ts.replace('.', '')}|Open {asked.id}>"
    guest = stage.slack.add_person("Gus", guest=True)

    for person, before, after in (
        (ALAN, "Waiting for you", asked.id),
        (RITA, "You asked", asked.id),
    ):
        seen = home(stage, person)
        assert seen.index(before) < seen.index(after)
        assert link in seen
    assert "Nothing waits for your decision" in home(stage, RITA)
    assert asked.id not in home(stage, guest)

    asked.clicks(ALAN, "approve")
    asked.wait_for_quiet()
    assert "is done: the pairing is gone" in home(stage, RITA)
    assert "Ended recently" in home(stage, ALAN)
