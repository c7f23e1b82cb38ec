"""A crowd: fifty cards that two people double-click at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.request.model import State
from sandbox.slack import Delivery, Message
from tests.life.kills.faults import NO_BUDGET
from tests.life.kills.people import Story
from tests.life.kills.rules import check_story, check_words
from tests.life.kills.stage import Stage, staged
from tests.support.stage import ALAN, ANNA

FIFTY = 50
SETTINGS = {"VR_POLL_SECONDS": "0.5"}


def asked(stage: Stage, requests: int) -> list[Story]:
    """So many requests whose cards stand and are undecided."""
    stories = [Story(stage, presses=(ALAN, ALAN, ANNA, ANNA)) for _ in range(requests)]
    for story in stories:
        story.asks()
        assert story.asked
    stage.wait_until(lambda: all(row.state is State.PENDING for row in stage.rows()))
    return stories


def test_fifty_simultaneous_double_clicks_by_two_people_are_fifty_deletes(tmp_path: Path) -> None:
    with staged(tmp_path, NO_BUDGET, SETTINGS) as stage:
        stories = asked(stage, FIFTY)
        cards = [(story, card) for story in stories for card in story.cards()]
        together = threading.Barrier(2 * FIFTY)

        def double_click(story: Story, card: Message, person: str) -> tuple[Delivery, Delivery]:
            together.wait()
            # The second one is on its way whatever the first one has led to: a screen is behind.
            button = card.button("unpair_approve")
            assert button is not None
            press = [
                stage.slack.click(person, card, "unpair_approve", value=button["value"], force=True)
                for _ in range(2)
            ]
            return press[0], press[1]

        with ThreadPoolExecutor(2 * FIFTY) as pool:
            hands = [
                (story, pool.submit(double_click, story, card, person))
                for story, card in cards
                for person in (ALAN, ANNA)
            ]
            for story, hand in hands:
                story.acknowledged += [click for click in hand.result() if click.ok]
        stage.wait_until(stage.at_rest)

        assert sum(len(story.acknowledged) for story in stories) == 4 * FIFTY
        paths = [call.path for call in stage.appliance.deletes]
        assert len(paths) == len(set(paths)) == FIFTY
        assert len(stage.appliance.accepted_deletes) == FIFTY
        assert stage.appliance.pairings == []
        assert [len(story.finals()) for story in stories] == [1] * FIFTY
        records = stage.records()
        assert {check_story(story, records).state for story in stories} == {State.SUCCEEDED}
    check_words(stage)
