"""Rights beside the lists: the workspace of a click, the settings at the check, races, strays."""

from __future__ import annotations

import pytest

from bot.request.events import AskRefused, Misdirected
from bot.request.model import State
from bot.request.who_may import GROUP_UNREADABLE, UNREADABLE, Person
from bot.slack.draw.message import draw
from bot.store import audit_trail as trail
from bot.store.audit_trail import verify_trail
from tests.support.world import ASKER, CHANNEL, FIRST, SECOND, TEAM, World


class TestTheTeamOfTheClick:
    """What Slack says of the click itself never makes a yes; where it contradicts, it is a no."""

    @pytest.mark.policy(break_glass=frozenset({FIRST}))
    @pytest.mark.parametrize(("action", "right"), [("approve", "right"), ("break_glass", "glass")])
    def test_another_one_although_users_info_says_ours(
        self, world: World, action: str, right: str
    ) -> None:
        world.pending()
        world.press(action, FIRST, team="T0ELSE", reason="it burns")
        assert world.state() is State.PENDING
        assert world.answers == [(FIRST, f"no_{right}_other_workspace")]

    def test_whoever_asks_from_another_one(self, world: World) -> None:
        world.people.persons[ASKER] = Person(id=ASKER, team="T0ELSE")
        world.ask()
        world.settle()
        assert world.state() is State.REFUSED
        assert world.people.asked == [ASKER]


@pytest.mark.policy(channels=frozenset({"C0OTHER"}))
def test_a_channel_is_refused_by_the_check_and_kept_in_the_trail(world: World) -> None:
    world.ask()
    world.settle()
    outcome = world.outcome()
    assert (outcome.code, outcome.lines) == ("channel_not_allowed", ("C0OTHER",))
    (record,) = [r for r in trail.export(world.db) if r.action == "refused"]
    assert (record.before, record.after) == ("checking", "refused")
    assert record.detail["why"] == "channel_not_allowed"
    assert world.answers == [(ASKER, "refused")]


def test_a_button_that_is_not_ours_is_kept_in_the_trail(world: World) -> None:
    astray = Misdirected(
        action="approve",
        by=SECOND,
        channel="C0OPS",
        message_ts="9.9",
        value="AAAA-ZZZZ:x",
        why="unknown_request",
    )
    world.put(astray, "AAAA-ZZZZ")
    world.put(astray.model_copy(update={"value": "nonsense", "why": "unreadable_button"}), "")
    world.settle()
    found = [r for r in trail.export(world.db) if r.action == "click_refused"]
    assert [(r.request_id, r.actor, r.message, r.after) for r in found] == [
        ("AAAA-ZZZZ", SECOND, "C0OPS/9.9", None),
        (None, SECOND, "C0OPS/9.9", None),
    ]
    assert [r.detail["why"] for r in found] == ["unknown_request", "unreadable_button"]
    assert verify_trail(world.db)[0] is None
    assert world.answers == []


def test_a_clock_that_is_set_back_makes_no_reading_fresh(world: World) -> None:
    """Rights were read by the later clock: until the DELETE anything may have happened."""
    world.pending()

    def set_back() -> None:
        world.ms -= 3_600_000
        world.people.persons[FIRST] = Person(id=FIRST, team=TEAM, deleted=True)

    world.appliance.meanwhile["read_to_act"] = set_back
    world.press("approve", FIRST)
    assert world.state() is State.PENDING
    assert world.get().approvals == ()
    assert world.appliance.deletes == []


def test_what_the_listener_refused_is_in_the_trail_and_nowhere_else(world: World) -> None:
    refused = AskRefused(
        by=FIRST, team=TEAM, channel=CHANNEL, pairing="prague", force=True, why="channel"
    )
    world.put(refused, "")
    world.settle()
    (record,) = trail.export(world.db)
    assert (record.action, record.actor, record.request_id) == ("ask_refused", FIRST, None)
    assert (record.before, record.after) == (None, None)
    assert record.detail == {
        "team": TEAM,
        "channel": CHANNEL,
        "pairing": "prague",
        "force": True,
        "why": "channel",
    }
    assert world.overview.newest() == []
    assert (world.posted, world.answers) == ([], [])
    assert world.appliance.listings == 0
    assert world.people.asked == []


class TestWhoCannotSeeTheChannel:
    """A requester and one approver alone in a private channel: the others hear of it all the
    same."""

    def told(self, world: World) -> list[str]:
        return [slot for _, slot, how in world.posted if how == "post" and "told" in slot]

    @pytest.mark.policy(notify=(FIRST, SECOND, ASKER, "S0NIGHT"))
    def test_is_told_of_the_card_and_of_the_approval(self, world: World) -> None:
        world.people.groups["S0NIGHT"] = frozenset({SECOND, "U0NIGHT"})
        world.people.seeing = frozenset({ASKER, FIRST})
        world.pending()
        assert self.told(world) == ["told:U0NIGHT:1", f"told:{SECOND}:1"]
        world.press("approve", FIRST)
        assert self.told(world)[2:] == ["told:U0NIGHT:2", f"told:{SECOND}:2"]
        asked, approved = world.get().notices
        assert (asked.code, asked.text, approved.who) == ("asked_unseen", "", (FIRST,))
        slots = [slot for _, slot, _ in world.posted]
        assert "notice:1" in slots
        assert "notice:2" not in slots, "the thread says it in another way"
        card = draw(world.get(), f"told:{SECOND}:1").text
        assert f"<@{ASKER}> has asked" in card
        assert "moving" in card

    @pytest.mark.policy(notify=(FIRST, SECOND))
    def test_a_public_one_needs_no_message(self, world: World) -> None:
        world.pending()
        world.press("approve", FIRST)
        assert self.told(world) == []

    @pytest.mark.policy(notify=(FIRST, SECOND, "S0NIGHT"))
    def test_where_slack_does_not_say_all_are_told_and_the_card_comes_at_once(
        self, world: World
    ) -> None:
        world.people.seeing = UNREADABLE.model_copy(update={"retry_at": world.ms + 60_000})
        world.people.groups["S0NIGHT"] = GROUP_UNREADABLE
        world.pending()
        assert self.told(world) == [f"told:{FIRST}:1", f"told:{SECOND}:1"]
        words = draw(world.get(), "notice:1").text
        assert "did not say who is in this channel" in words
        assert "<!subteam^S0NIGHT>" in words
        world.press("approve", FIRST)
        assert self.told(world)[2:] == [f"told:{SECOND}:2"]
