"""A crowd at one appliance, over real TLS and by an injected clock: who acts, who waits, how full
the minute gets."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from typing import Any

import pytest
from pydantic import SecretStr

from bot.appliance.budget import LATER_MS, EffectBudget, MemoryBudget, Priority
from bot.appliance.session import Credentials
from bot.request.events import CallFailed, PairingRead
from bot.request.plan import READINGS_FRESH_MS
from bot.request.problem import ProblemKind as Kind
from bot.sandbox.appliance import SimulatedAppliance
from tests.appliance.clients import client_of_simulated
from tests.appliance.small_server import fails
from tests.support.clock import Clock

CALL_S = 0.3
"""How long a call takes by the injected clock."""

BY = 1e6
MINUTE = 60.0
INTENT_S = 0.1
"""Between the reading and the DELETE: the intent is stored."""


@dataclass(order=True)
class Due:
    """Work of the crowd, in the order of a worker with a queue for acting and one for checking."""

    at: float
    number: int
    work: Callable[[], None] = field(compare=False)


class World:
    """One appliance and one copy; work that has no room comes again at the time it was told."""

    def __init__(self, simulated: SimulatedAppliance, per_minute: int, *, remote: bool) -> None:
        self.clock = Clock(1000.0)
        self.simulated = simulated
        self.made: list[float] = []
        self.budget = MemoryBudget(per_minute, self.clock)
        self.appliance = client_of_simulated(
            simulated,
            budget=self.budget,
            remote=Credentials("far", SecretStr("far away")) if remote else None,
            now=self.clock.ms,
            monotonic=self.clock,
            on_call=self._called,
        )
        self.begun = self.clock.now
        self.cards: dict[str, float] = {}
        self.shown: list[float] = []
        self.waited: list[float] = []
        self.after_a_call: Callable[[], None] = lambda: None
        self._due: list[Due] = []
        self._numbers = count()

    def _called(self, *_: Any) -> None:
        self.made.append(self.clock.now)
        self.clock.now += CALL_S
        self.after_a_call()

    def at(self, seconds: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._due, Due(seconds, next(self._numbers), work))

    def play(self, seconds: float = BY) -> None:
        """All that is due within so many seconds."""
        while self._due and self._due[0].at <= self.begun + seconds:
            due = heapq.heappop(self._due)
            self.clock.now = max(self.clock.now, due.at)
            due.work()

    def again(self, failed: object, work: Callable[[], None]) -> None:
        assert isinstance(failed, CallFailed), failed
        assert failed.problem.kind is Kind.OVER_BUDGET
        assert failed.problem.retry_at is not None
        assert failed.problem.retry_at > self.clock.ms()
        self.at(failed.problem.retry_at / 1000, work)

    def check(self, pairing: str, then: Callable[[], None] = lambda: None) -> None:
        read = self.appliance.find_and_read(pairing, BY)
        if not isinstance(read, PairingRead):
            return self.again(read, lambda: self.check(pairing, then))
        self.cards[pairing] = self.clock.now - self.begun
        self.shown.append(self.clock.now - self.begun)
        return then()

    def act(self, pairing: str, approved_at: float) -> None:
        read = self.appliance.read_to_act(pairing, BY)
        if not isinstance(read, PairingRead):
            return self.again(read, lambda: self.act(pairing, approved_at))
        self.at(self.clock.now + INTENT_S, lambda: self.send(pairing, approved_at))
        return None

    def send(self, pairing: str, approved_at: float) -> None:
        assert self.appliance.prepare_delete(pairing, BY) is None
        self.waited.append(self.clock.now - approved_at)
        self._called()  # the DELETE, which is counted by the reading before it

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


@pytest.mark.parametrize(("per_minute", "deletes"), [(20, 9), (40, 18)])
def test_two_hundred_requests_in_six_minutes(
    world: Callable[..., World], per_minute: int, deletes: int
) -> None:
    """Each card is approved ten seconds after it was shown. Approved requests act at once, checks
    go on, and the limit holds."""
    at = world(per_minute)
    each = pairings(at, 50)

    def ask(pairing: str) -> None:
        def approve() -> None:
            approved_at = at.clock.now + 10
            at.at(approved_at, lambda: at.act(pairing, approved_at))

        at.check(pairing, approve)

    for n in range(200):
        at.at(at.begun + n * 1.8, lambda n=n: ask(each[n % len(each)]))  # type: ignore[misc]
    at.play(6 * MINUTE)
    assert at.fullest_minute() <= per_minute
    assert len(at.waited) >= deletes
    assert median(at.waited) < 3, "the time of its own calls, and no waiting"
    assert max(at.waited) < MINUTE, "of those approved when the first crowd had used the minute"
    shown = [sum(when // 120 == two for when in at.shown) for two in range(3)]
    assert min(shown) >= per_minute // 10, "and cards in all of the time"


def test_a_pairing_of_many_pages_ends_though_others_come_all_the_time(
    world: Callable[..., World],
) -> None:
    at = world(20)
    large = at.simulated.add_pairing(local="oslo", remote="wide", replications=1800)
    others = pairings(at, 20)
    at.at(at.begun + 1, lambda: at.check(large))
    for n, each in enumerate(others):
        at.at(at.begun + 12.0 * n, lambda each=each: at.check(each))  # type: ignore[misc]
    at.play()
    assert len(at.shown) == 21
    assert list(at.cards).index(large) < 10, "and not last of all"
    assert at.fullest_minute() <= 20


def test_a_reading_before_the_delete_comes_with_room_for_the_delete(
    world: Callable[..., World],
) -> None:
    at = world(40)
    (pairing,) = pairings(at, 1)
    EffectBudget(at.budget, Priority.ACT, calls=40 - 5).pay()
    assert isinstance(at.appliance.read_to_act(pairing, BY), CallFailed)
    assert at.made == [], "log-in, four readings and the DELETE do not fit, so none is begun"
    at.clock.now += 62
    EffectBudget(at.budget, Priority.ACT, calls=40 - 6).pay()
    assert isinstance(at.appliance.read_to_act(pairing, BY), PairingRead)
    with fails(Kind.OVER_BUDGET):
        EffectBudget(at.budget, Priority.ACT).pay()
    assert at.appliance.prepare_delete(pairing, BY) is None
    at.appliance.delete(pairing, force=False, send_by=BY, by=BY)
    assert at.fullest_minute() == 6
    assert len(at.budget.state.calls_ms) == 40


def test_what_a_reading_may_be_old_is_what_the_budget_thinks() -> None:
    assert LATER_MS == READINGS_FRESH_MS


def test_no_room_for_a_log_in_is_no_word_about_the_remote_site(world: Callable[..., World]) -> None:
    """The card would say that the replications came partial, as if the remote site were away."""
    at = world(40, remote=True)
    (pairing,) = pairings(at, 1)

    def after_the_list() -> None:
        if len(at.made) == 2:
            at.simulated.expire_sessions()
            EffectBudget(at.budget, Priority.ACT, calls=34).pay()

    def has_waited(*_: object) -> None:
        at.clock.now += 62  # whoever would go on now would find room for the rest

    at.after_a_call = after_the_list
    at.budget.on_wait = has_waited
    read = at.appliance.find_and_read(pairing, BY)
    assert isinstance(read, CallFailed), read
    assert read.problem.kind is Kind.OVER_BUDGET


def test_an_appliance_that_is_away_uses_up_no_minute(world: Callable[..., World]) -> None:
    """Of what failed before its second call, only the first one counts. Otherwise whoever waits is
    told that the limit leaves no room, and waits on for a minute when the appliance is back."""
    at = world(40)
    (pairing,) = pairings(at, 1)
    at.simulated.refuse_connections()
    for _ in range(10):
        reads = at.appliance.find_and_read(pairing, BY), at.appliance.read_to_act(pairing, BY)
        for read in reads:
            assert isinstance(read, CallFailed)
            assert read.problem.kind is Kind.UNSENT
    assert len(at.budget.state.calls_ms) == 20
