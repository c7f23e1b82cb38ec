"""Checks count all their calls at once and wait in a queue: each that begins ends, in its turn."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from pydantic import SecretStr

from bot.appliance import budget as arithmetic
from bot.appliance.budget import Priority
from bot.appliance.errors import OverBudget
from bot.appliance.gate import GateState, MemoryGate
from bot.appliance.port import Port
from bot.core.events import CallFailed, PairingRead, PairingUnresolved
from bot.core.problem import ProblemKind
from bot.sandbox.appliance import SimulatedAppliance
from tests.appliance.simulated_client import client_of

CALL_S = 0.3
"""How long a call takes by the injected clock: an effect makes its last ones after it began."""

BY = 1e6
MINUTE = 60.0
LISTING = "a listing of tasks"


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def ms(self) -> int:
        return int(self.seconds * 1000)


class World:
    """One appliance, one process; requests are tried when the gate says so, as a lane does it."""

    def __init__(self, simulated: SimulatedAppliance, per_minute: int, *, remote: bool) -> None:
        self.clock = Clock()
        self.simulated = simulated
        self.made: list[float] = []
        self.gate = MemoryGate(per_minute, self.clock)
        self.appliance = client_of(
            simulated,
            self.gate,
            remote_username="far" if remote else None,
            remote_password=SecretStr("far away") if remote else None,
            monotonic=self.clock,
            on_call=self._called,
        )
        self.port = Port(self.appliance, self.clock.ms)
        self.cards: dict[str, float] = {}
        self.refused = self.listed = 0

    def _called(self, *_: Any) -> None:
        self.made.append(self.clock.seconds)
        self.clock.seconds += CALL_S

    def check_all(self, asked: list[tuple[float, str]], *, followed: bool = False) -> None:
        """Each of these at its second from now, tried until its card is there. `followed`: a
        listing of tasks every 5 s beside them, for a minute before and until the end."""
        begun, numbers = self.clock.seconds, count()
        due = [(begun + at, next(numbers), pairing) for at, pairing in asked]
        due += [(begun - MINUTE, next(numbers), LISTING)] if followed else []
        self.clock.seconds -= MINUTE if followed else 0
        heapq.heapify(due)
        while due:
            at, number, pairing = heapq.heappop(due)
            self.clock.seconds = max(self.clock.seconds, at)
            if pairing == LISTING:
                self.listed += not isinstance(self.port.list_tasks(BY), CallFailed)
                if due:
                    heapq.heappush(due, (at + 5, number, LISTING))
                continue
            read = self.port.find_and_read(pairing, BY)
            if isinstance(read, PairingRead):
                self.cards[pairing] = self.clock.seconds - begun
                continue
            assert isinstance(read, CallFailed), read
            assert read.problem.kind is ProblemKind.OVER_BUDGET
            assert read.problem.retry_at is not None
            self.refused += 1
            heapq.heappush(due, (read.problem.retry_at / 1000, number, pairing))
            assert self.refused < 1000

    def fullest_minute(self) -> int:
        return max(sum(at <= other < at + MINUTE for other in self.made) for at in self.made)


@pytest.fixture
def world() -> Iterator[Callable[..., World]]:
    made: list[World] = []
    far = {"remote_username": "far", "remote_password": "far away"}
    with SimulatedAppliance(calls_per_minute=None, **far) as simulated:

        def make(per_minute: int = 40, *, remote: bool = False) -> World:
            made.append(World(simulated, per_minute, remote=remote))
            return made[-1]

        yield make
        for each in made:
            each.appliance.close()


def pairings(world: World, many: int, **more: Any) -> list[str]:
    add = world.simulated.add_pairing
    return [add(local="oslo", remote=f"far-{n}", replications=2, **more) for n in range(many)]


def test_twenty_requests_at_once_all_get_their_card_in_order(
    world: Callable[..., World],
) -> None:
    at = world(40)
    twenty = pairings(at, 20)
    at.check_all([(n / 2, each) for n, each in enumerate(twenty)])
    # 4 checks in the first minute, with the log-in, and 5 in each other: 4 + 5 + 5 + 5 + 1.
    assert max(at.cards.values()) < 4 * MINUTE + 20
    assert list(at.cards) == twenty
    assert at.fullest_minute() <= 20
    assert at.refused <= 60, "each waits for its own turn, and not for the next free call"


def test_newcomers_do_not_pass_whoever_waits(world: Callable[..., World]) -> None:
    at = world(40)
    first = pairings(at, 10)
    late = [f"{each} " for each in pairings(at, 20)]
    # As many as there is room for, for minutes, at moments when somebody else's turn is near.
    at.check_all(
        [(0, each) for each in first] + [(30 + 5.9 * n, each) for n, each in enumerate(late)]
    )
    assert list(at.cards)[:10] == first
    assert max(at.cards[each] for each in first) < 2 * MINUTE + 20
    assert at.fullest_minute() <= 20


@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize("per_minute", [6, 7, 8, 12, 20])
def test_a_card_comes_at_any_limit(
    world: Callable[..., World], per_minute: int, remote: bool
) -> None:
    at = world(per_minute, remote=remote)
    three = pairings(at, 3)
    at.check_all([(0, each) for each in three])
    assert list(at.cards) == three
    assert max(at.cards.values()) < 2 * MINUTE + 20
    assert at.fullest_minute() <= per_minute


@pytest.mark.parametrize("per_minute", [6, 8, 12, 40])
def test_checks_go_on_while_a_task_is_followed_and_both_end(
    world: Callable[..., World], per_minute: int
) -> None:
    at = world(per_minute)
    three = pairings(at, 3)
    at.check_all([(n * 20.0, each) for n, each in enumerate(three)], followed=True)
    assert list(at.cards) == three
    assert max(at.cards.values()) < 4 * MINUTE
    assert at.listed >= 4
    assert at.fullest_minute() <= per_minute


def test_a_pairing_of_many_pages_ends_too(world: Callable[..., World]) -> None:
    at = world(6)
    large = at.simulated.add_pairing(local="oslo", remote="wide", replications=150)
    at.check_all([(0, large)])
    assert at.cards[large] < 3 * MINUTE
    assert at.fullest_minute() <= 6


def test_a_pairing_of_many_pages_ends_though_others_come_all_the_time(
    world: Callable[..., World],
) -> None:
    at = world(20)
    large = at.simulated.add_pairing(local="oslo", remote="wide", replications=1800)
    others = pairings(at, 20)
    asked = [(0, others[0]), (1, large), *((2 + 12.0 * n, p) for n, p in enumerate(others[1:]))]
    at.check_all(asked)
    assert list(at.cards).index(large) < 8, "and not last of all"
    assert at.fullest_minute() <= 10


def test_readings_to_act_come_with_room_for_the_delete(world: Callable[..., World]) -> None:
    at = world(40)
    (pairing,) = pairings(at, 1)
    at.gate.take(Priority.ACT, 40 - 5)
    refused = at.port.read_to_act(pairing, BY)
    assert isinstance(refused, CallFailed)
    assert at.made == [], "log-in, four readings and the DELETE do not fit, so none is begun"
    at.clock.seconds += MINUTE
    at.gate.take(Priority.ACT, 40 - 6)
    assert isinstance(at.port.read_to_act(pairing, BY), PairingRead)
    with pytest.raises(OverBudget):
        at.gate.take(Priority.ACT)
    assert at.port.prepare_delete(pairing, BY) is None


def test_a_refused_check_has_made_no_call(world: Callable[..., World]) -> None:
    at = world(40)
    (pairing,) = pairings(at, 1)
    at.gate.take(Priority.CHECK, 16)
    assert isinstance(at.port.find_and_read(pairing, BY), CallFailed)
    assert at.made == []


def test_a_check_that_ends_at_the_list_gives_back_the_rest(world: Callable[..., World]) -> None:
    """Others wait for it: of a name that nobody knows, only the list is read."""
    at = world(40)
    pairings(at, 1)
    for _ in range(3):
        read = at.port.find_and_read("nowhere", BY)
        assert isinstance(read, PairingUnresolved)
    assert len(at.made) == 4  # with the log-in
    assert len(at.gate.state.calls_ms) == len(at.gate.state.whose) == 4


def ask(
    state: GateState, now: int, turn: str, *, calls: int = 4, priority: Priority = Priority.CHECK
) -> tuple[GateState, int]:
    found, wait = arithmetic.ask(state, now, priority, calls, 40, turn)
    return GateState.model_validate_json(found.model_dump_json()), wait


def waiting() -> GateState:
    """The share of checks is used up, and two wait."""
    state, _ = ask(GateState(), 0, "", calls=20)
    for turn in ("one", "two"):
        state, wait = ask(state, 1_000, turn)
        assert wait == 59_000
    return state


def test_what_waits_longest_goes_first_however_late_it_comes() -> None:
    state, wait = ask(waiting(), 60_000, "new", calls=13)
    assert wait == 60_000, "20 calls, of which the two that wait take 8"
    assert ask(state, 60_000, "one")[1] == 0
    assert ask(waiting(), 60_000, "new", calls=12)[1] == 0


def test_who_does_not_come_loses_the_place() -> None:
    late = 60_000 + arithmetic.LATE_MS
    assert ask(waiting(), late, "new", calls=13)[1] > 0
    assert ask(waiting(), late + 1, "new", calls=20)[1] == 0


def test_a_clock_that_was_set_back_keeps_no_places() -> None:
    state = waiting()
    assert ask(state, 500, "new")[0].queue[0].turn == "new"


def test_looks_give_way_to_a_check_that_waits_and_begun_checks_do_not() -> None:
    state = waiting()
    assert ask(state, 60_000, "", calls=13, priority=Priority.PREVIEW)[1] > 0
    assert ask(state, 60_000, "", calls=12, priority=Priority.PREVIEW)[1] == 0
    assert ask(state, 60_000, "", calls=20)[1] == 0


def test_acting_waits_for_no_check() -> None:
    state = waiting()
    assert ask(state, 1_000, "act", calls=20, priority=Priority.ACT)[1] == 0


def test_a_call_counts_from_when_it_is_made() -> None:
    state, _ = ask(GateState(), 0, "", calls=2)
    state, wait = arithmetic.spend(state, 15_000, Priority.CHECK, 0, 40)
    assert (state.calls_ms, wait) == ((0, 15_000), 0)
    # What was counted a minute ago is gone: it is asked for anew.
    state, _ = ask(state, 60_001, "", calls=19)
    assert arithmetic.spend(state, 60_001, Priority.CHECK, 0, 40)[1] > 0


def test_what_an_older_copy_has_counted_counts_for_the_whole() -> None:
    state = GateState.model_validate({"calls_ms": [0] * 36})
    assert ask(state, 1, "")[1] == 0
    assert ask(state, 1, "", calls=5)[1] > 0
