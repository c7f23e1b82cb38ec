"""Rights beside the lists: the workspace of a click, the settings at the check, races, strays."""

from __future__ import annotations

import pytest

from bot.request.events import Misdirected
from bot.request.model import State
from bot.request.who_may import Person, Reason, Verdict
from bot.store import audit_trail as trail
from bot.store.verify_audit_trail import verify_trail
from tests.support.listed import refusals
from tests.support.world import ASKER, FIRST, SECOND, TEAM, World


class TestTheTeamOfTheClick:
    """What Slack says of the click itself never makes a yes; where it contradicts, it is a no."""

    @pytest.mark.parametrize("team", [None, TEAM])
    def test_none_or_ours(self, world: World, team: str | None) -> None:
        request_id = world.pending()
        world.click(request_id, "approve", FIRST, team=team)
        world.settle()
        assert world.state() is State.FOLLOWING

    def test_another_one_although_users_info_says_ours(self, world: World) -> None:
        request_id = world.pending()
        world.click(request_id, "approve", FIRST, team="T0ELSE")
        world.settle()
        assert world.state() is State.PENDING
        assert world.answers == [(FIRST, "no_right_other_workspace")]

    def test_ours_although_users_info_says_another_one(self, world: World) -> None:
        request_id = world.pending()
        world.people.persons[FIRST] = Person(id=FIRST, team="T0ELSE")
        world.click(request_id, "approve", FIRST, team=TEAM)
        world.settle()
        assert world.answers == [(FIRST, "no_right_other_workspace")]

    @pytest.mark.parametrize("team", [None, "T0SISTER", "T0THIRD"])
    def test_a_colleague_of_the_grid_from_any_of_its_workspaces(
        self, world: World, team: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = world.people.home().model_copy(update={"enterprise": "E0OURS"})
        monkeypatch.setattr(world.people, "home", lambda: home)
        request_id = world.pending()
        sister = Person(id=FIRST, team="T0SISTER", enterprise="E0OURS")
        world.people.persons[FIRST] = sister
        world.click(request_id, "approve", FIRST, team=team)
        world.settle()
        assert world.state() is State.FOLLOWING

    def test_whoever_asks_from_another_one(self, world: World) -> None:
        world.people.persons[ASKER] = Person(id=ASKER, team="T0ELSE")
        world.ask()
        world.settle()
        assert world.state() is State.REFUSED
        assert world.people.asked == [ASKER]


class TestWhatTheSettingsSay:
    def test_refused_by_the_check_and_kept_in_the_trail(self) -> None:
        world = World(channels=frozenset({"C0OTHER"}))
        world.ask()
        world.settle()
        outcome = world.get().outcome
        assert outcome is not None
        assert (outcome.code, outcome.lines) == ("channel_not_allowed", ("C0OTHER",))
        (record,) = [r for r in trail.export(world.db) if r.action == "refused"]
        assert (record.before, record.after) == ("checking", "refused")
        assert record.detail["why"] == "channel_not_allowed"
        assert world.answers == [(ASKER, "refused")]
        world.close()

    def test_a_direct_message_is_no_place_to_ask(self) -> None:
        world = World()
        world.put(world.ask_event(channel="D0DIRECT"), "AAAA-BBBB")
        world.settle()
        outcome = world.get().outcome
        assert outcome is not None
        assert outcome.code == "channel_not_allowed"
        world.close()


class TestRaces:
    def test_of_two_last_approvals_the_second_is_answered_at_once(self, world: World) -> None:
        request_id = world.pending()
        world.appliance.delete_outcomes.clear()
        world.click(request_id, "approve", FIRST)
        world.click(request_id, "approve", SECOND)
        world.click(request_id, "deny", SECOND)
        world.settle()
        assert world.state() is State.FOLLOWING
        assert sorted(world.answers) == [
            (FIRST, "approval_counted"),
            (SECOND, "ended"),
            (SECOND, "ended"),
        ]
        assert refusals(world) == [(SECOND, "ended"), (SECOND, "ended")]

    def test_every_loser_is_in_the_trail(self, world: World) -> None:
        request_id = world.pending()
        world.click(request_id, "deny", FIRST)
        world.click(request_id, "approve", SECOND)
        world.settle()
        world.click(request_id, "approve", SECOND)
        world.settle()
        assert world.state() is State.DENIED
        assert refusals(world) == [(SECOND, "ended"), (SECOND, "already_decided")]


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


def test_verdicts_that_may_become_a_yes() -> None:
    unread = {r for r in Reason if Verdict(reason=r).unread}
    assert unread == {Reason.UNREADABLE, Reason.GROUP_UNREADABLE}


def test_a_clock_that_is_set_back_makes_no_reading_fresh(world: World) -> None:
    """Rights were read by the later clock: until the DELETE anything may have happened."""
    request_id = world.pending()
    original = world.appliance.read_to_act

    def read(pairing_id: str, by: float) -> object:
        world.appliance.read_to_act = original  # type: ignore[method-assign]
        world.ms -= 3_600_000
        world.people.persons[FIRST] = Person(id=FIRST, team=TEAM, deleted=True)
        return original(pairing_id, by)

    world.appliance.read_to_act = read  # type: ignore[method-assign, assignment]
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert world.state() is State.PENDING
    assert world.get().approvals == ()
    assert world.appliance.deletes == []
