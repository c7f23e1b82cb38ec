"""A time for the delete: approved by day, carried out by night, by the real worker and store."""

from __future__ import annotations

import pytest

from bot.request.events import OperatorCancelled
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import Person
from bot.store.queues import Queue
from bot.store.saving import BEHIND_THE_DELETE_MS
from tests.support.world import ASKER, FIRST, SECOND, START_MS, TEAM, World, problem, snapshot

MINUTE, HOUR = 60_000, 3_600_000
AT = START_MS + 6 * HOUR
STRANGER = "U0STRANGER"


pytestmark = pytest.mark.policy(schedule_max_ms=48 * HOUR)


@pytest.fixture(autouse=True)
def zone(world: World) -> None:
    """At the start it is nine in Berlin."""
    world.people.persons[ASKER] = Person(id=ASKER, team=TEAM, zone="Europe/Berlin")


def ask(world: World, at: str = "+6h", request_id: str = "AAAA-BBBB") -> str:
    world.put(world.ask_event(at=at), request_id)
    world.settle()
    return request_id


def approved(world: World, at: str = "+6h") -> str:
    request_id = ask(world, at)
    world.press("approve", FIRST)
    assert world.state() is State.APPROVED
    return request_id


def codes(world: World) -> list[str]:
    return [notice.code for notice in world.get().notices]


def until(world: World, ms: int) -> None:
    """As time passes for a bot that runs: it looks at each of its own times."""
    while world.ms < ms:
        due = min(filter(None, (world.next_due(queue) for queue in Queue)), default=ms)
        world.ms = max(world.ms + 1, min(due, ms))
        world.settle()


def test_it_is_sent_at_its_time_and_not_before(world: World) -> None:
    approved(world)
    request = world.get()
    assert (request.scheduled_at, request.execute_by) == (AT, AT + 10 * MINUTE)
    until(world, AT - 1)
    assert (world.state(), world.appliance.deletes) == (State.APPROVED, [])
    until(world, AT)
    assert world.state() is State.FOLLOWING
    assert len(world.appliance.deletes) == 1


def test_the_time_is_the_askers(world: World) -> None:
    ask(world, "15:00")
    assert (world.get().scheduled_at, world.get().zone) == (AT, "Europe/Berlin")


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2027-01-15T08:59", "past"),
        ("0001-01-01T00:00", "past"),
        ("9999-12-31T23:59", "too_far"),
        ("+49h", "too_far"),
        pytest.param("+6h", "off", marks=pytest.mark.policy(schedule_max_ms=0)),
    ],
)
def test_a_time_that_is_refused(world: World, at: str, why: str) -> None:
    ask(world, at)
    request = world.get()
    assert (request.state, world.answers) == (State.REFUSED, [(ASKER, "refused")])
    assert request.outcome is not None
    assert (request.outcome.code, request.outcome.lines[0]) == ("time_not_taken", why)
    assert world.posted == []


def test_without_a_zone_only_a_span_is_taken(world: World) -> None:
    world.people.persons.clear()
    ask(world, "15:00")
    assert world.state() is State.REFUSED
    ask(world, "+1h", "CCCC-DDDD")
    assert world.state("CCCC-DDDD") is State.PENDING


def test_a_time_that_passes_while_the_appliance_is_away(world: World) -> None:
    world.appliance.read_failures = [problem(ProblemKind.UNSENT)] * 40
    ask(world, "+1m")
    until(world, START_MS + 2 * MINUTE)
    outcome = world.outcome()
    assert (world.state(), outcome.lines[0]) == (State.REFUSED, "past")


class TestDeciding:
    @pytest.mark.parametrize(("at", "ends"), [("+20m", 20 * MINUTE), ("+6h", HOUR)])
    def test_the_time_to_decide_ends_at_the_latest_then(
        self, world: World, at: str, ends: int
    ) -> None:
        ask(world, at)
        assert world.get().decide_by == START_MS + ends
        until(world, START_MS + ends)
        assert world.state() is State.EXPIRED
        world.press("approve", FIRST)
        assert world.answers[-1] == (FIRST, "already_decided")

    @pytest.mark.parametrize("who", [SECOND, FIRST], ids=["another", "who approved it"])
    def test_a_denial_counts_until_it_is_sent(self, world: World, who: str) -> None:
        approved(world)
        until(world, AT - MINUTE)
        world.press("deny", who)
        assert world.state() is State.DENIED
        assert (who, "denied") in world.answers
        until(world, AT + HOUR)
        assert world.appliance.deletes == []

    def test_a_denial_that_waits_at_its_time_stops_it(self, world: World) -> None:
        """Stored in the very moment in which it would be sent."""
        approved(world)
        until(world, AT - 1)
        world.click("AAAA-BBBB", "deny", SECOND)
        until(world, AT)
        assert (world.state(), world.appliance.deletes) == (State.DENIED, [])

    def test_without_a_time_it_is_decided_once(self, world: World) -> None:
        world.pending()
        world.appliance.read_failures = [problem(ProblemKind.UNSENT)] * 9
        world.press("approve", FIRST)
        world.press("deny", SECOND)
        world.wait(BEHIND_THE_DELETE_MS)
        assert world.answers[-1] == (SECOND, "already_decided")

    @pytest.mark.parametrize("operator", [True, False])
    def test_it_is_withdrawn_until_it_is_sent(self, world: World, operator: bool) -> None:
        approved(world)
        until(world, AT - 1)
        if operator:
            world.put(OperatorCancelled(operator="root"), "AAAA-BBBB")
        else:
            world.click("AAAA-BBBB", "cancel", ASKER)
        until(world, AT)
        assert (world.state(), world.appliance.deletes) == (State.CANCELLED, [])


class TestReadAgain:
    def test_a_right_that_is_lost_meanwhile_does_not_count(self, world: World) -> None:
        approved(world)
        until(world, AT - HOUR)
        world.people.persons[FIRST] = Person(id=FIRST, team=TEAM, deleted=True)
        until(world, AT)
        assert world.appliance.deletes == []
        # Back to deciding, and the time for that is over.
        assert world.state() is State.EXPIRED
        assert "rights_lost" in codes(world)

    def test_a_reading_from_before_decides_nothing(self, world: World) -> None:
        """One that began a moment before the time, and ended after it, is made again."""
        approved(world)
        world.appliance.meanwhile["read_to_act"] = lambda: setattr(world, "ms", AT + 1_000)
        world.ms = AT - 1_000
        world.settle()
        assert world.appliance.listings == 2
        assert "ahead" not in codes(world)
        assert world.state() is State.FOLLOWING


class TestTenMinutesBefore:
    @pytest.mark.parametrize(
        ("there", "differs"), [(3, []), (4, ["number of replications: was 3, is now 4"])]
    )
    def test_the_thread_is_told_once_how_many_there_are_and_what_differs(
        self, world: World, there: int, differs: list[str]
    ) -> None:
        approved(world)
        world.appliance.now = snapshot(there)
        until(world, AT - 10 * MINUTE - 1)
        assert codes(world) == []
        until(world, AT - 1)
        (notice,) = world.get().notices
        assert (notice.code, notice.at) == ("ahead", AT - 10 * MINUTE)
        assert (notice.text, notice.who) == (str(there), (ASKER, FIRST))
        assert list(notice.lines[:1]) == differs
        assert "told_ahead" in world.actions()
        world.appliance.now = snapshot(3)
        until(world, AT)
        assert world.state() is State.FOLLOWING

    def test_a_pairing_that_is_gone_already_is_told(self, world: World) -> None:
        approved(world)
        world.appliance.present = False
        until(world, AT - 10 * MINUTE)
        assert world.get().notices[0].lines == ("the appliance answers 404 for the pairing",)
        assert world.state() is State.APPROVED
        until(world, AT)
        assert world.state() is State.CHANGED

    def test_an_appliance_that_is_away_then_is_told_once(self, world: World) -> None:
        approved(world)
        world.appliance.read_failures = [problem(ProblemKind.UNSENT)]
        until(world, AT - 1)
        assert codes(world) == ["ahead_unread"]
        until(world, AT)
        assert world.state() is State.FOLLOWING

    def test_our_own_limit_is_no_outage_and_it_is_read_a_little_later(self, world: World) -> None:
        approved(world)
        again = AT - 9 * MINUTE
        limit = problem(ProblemKind.OVER_BUDGET, retry_at=again)
        world.appliance.read_failures = [limit]
        until(world, again - 1)
        assert codes(world) == []
        until(world, AT - 1)
        (notice,) = world.get().notices
        assert (notice.code, notice.at) == ("ahead", again)
        until(world, AT)
        assert world.state() is State.FOLLOWING

    def test_a_reading_that_is_partial_by_then_is_none(self, world: World) -> None:
        approved(world)
        world.appliance.now = snapshot(complete=False, partial=("one of three is missing",))
        until(world, AT - 1)
        (notice,) = world.get().notices
        assert notice.code == "ahead_unread"
        assert "one of three is missing" in notice.text

    def test_who_approves_later_than_that_needs_no_notice(self, world: World) -> None:
        ask(world, "+12m")
        until(world, START_MS + 3 * MINUTE)
        world.click("AAAA-BBBB", "approve", FIRST)
        until(world, START_MS + 12 * MINUTE)
        assert codes(world) == []
        assert world.state() is State.FOLLOWING

    def test_it_is_not_said_late(self, world: World) -> None:
        """While Slack is away, over the time: nothing is announced that is done already."""
        approved(world)
        world.ms = AT - 10 * MINUTE
        assert world.worker.step(Queue.ACT)
        assert codes(world) == ["ahead"]
        world.ms = AT
        while world.state() is State.APPROVED:
            assert world.worker.step(Queue.ACT)
        world.settle()
        assert not any(slot.startswith("notice") for _, slot, _ in world.posted)


class TestTheWindow:
    def test_an_appliance_that_is_away_over_it(self, world: World) -> None:
        approved(world)
        until(world, AT - 1)
        world.appliance.read_failures = [problem(ProblemKind.UNSENT)] * 999
        until(world, AT + 10 * MINUTE)
        outcome = world.outcome()
        assert (world.state(), outcome.code) == (State.EXPIRED, "not_begun")
        assert outcome.problem is not None
        assert outcome.problem.kind is ProblemKind.UNSENT

    def test_a_bot_that_is_down_over_it(self, world: World) -> None:
        approved(world)
        world.ms = AT + 10 * MINUTE
        world.settle()
        outcome = world.outcome()
        assert (world.state(), outcome.code, outcome.problem) == (State.EXPIRED, "not_begun", None)
        assert world.appliance.deletes == []

    def test_a_clock_that_is_set_back_between_the_reading_and_the_intent(
        self, world: World
    ) -> None:
        approved(world)
        until(world, AT - 1)
        world.appliance.meanwhile["prepare_delete"] = lambda: setattr(world, "ms", AT - 5)
        world.ms = AT + 5
        world.settle()
        assert (world.state(), world.appliance.deletes) == (State.APPROVED, [])
        until(world, AT)
        assert len(world.appliance.deletes) == 1
