"""A crowd at one appliance, by an injected clock: who acts, who waits, how full the minute gets."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from typing import Any

import pytest
from pydantic import SecretStr

from bot.appliance.appliance import ACTING, CHECKING, Appliance
from bot.appliance.budget import LATER_MS, EffectBudget, MemoryBudget, Priority
from bot.appliance.http_answers import CallError
from bot.appliance.session import Credentials
from bot.request.events import CallFailed, DeleteNotAccepted, PairingRead, PresenceRead
from bot.request.pairing import PairingUnresolved
from bot.request.plan import READINGS_FRESH_MS
from bot.request.problem import ProblemKind as Kind
from sandbox.appliance import SimulatedAppliance
from tests.appliance.clients import client_of_simulated
from tests.appliance.small_server import fails
from tests.support.clock import Clock

CALL_S = 0.3
"""How long a call takes."""

BY = 1e6
MINUTE = 60.0


class Crowd:
    """The effects of one copy, in the order in which they are due; one that has no room comes again
    at the time it was told."""

    def __init__(self, per_minute: int) -> None:
        self.clock = Clock(1000.0)
        self.budget = MemoryBudget(per_minute, self.clock)
        self.begun = self.clock.now
        self.made: list[float] = []
        self.shown: list[tuple[float, int]] = []
        self.waited: list[float] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, seconds: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._due, (seconds, next(self._numbers), work))

    def play(self, seconds: float = BY) -> None:
        """All that is due within so many seconds."""
        while self._due and self._due[0][0] <= self.begun + seconds:
            at, _, work = heapq.heappop(self._due)
            self.clock.now = max(self.clock.now, at)
            work()

    def makes(self, effect: EffectBudget, calls: int) -> None:
        for _ in range(calls):
            effect.pay()
            self.made.append(self.clock.now)
            self.clock.now += CALL_S

    def check(self, pages: int = 0, then: Callable[[], None] = lambda: None) -> None:
        """With so many further pages."""
        effect = EffectBudget(self.budget, Priority.CHECK, calls=CHECKING)
        try:
            self.makes(effect, CHECKING)
            effect.expect(pages)
            self.makes(effect, pages)
        except CallError as error:
            return self.again(error, lambda: self.check(pages, then))
        self.shown.append((self.clock.now - self.begun, pages))
        return then()

    def act(self, approved_at: float) -> None:
        effect = EffectBudget(self.budget, Priority.ACT, calls=ACTING, later=1)
        try:
            self.makes(effect, ACTING - 1)
        except CallError as error:
            return self.again(error, lambda: self.act(approved_at))
        self.waited.append(self.clock.now - approved_at)
        self.made.append(self.clock.now)  # the DELETE, which is counted by the reading before it
        return None

    def again(self, error: CallError, work: Callable[[], None]) -> None:
        assert error.kind is Kind.OVER_BUDGET
        assert error.retry_after_seconds
        self.at(self.clock.now + error.retry_after_seconds, work)

    def fullest_minute(self) -> int:
        return max(sum(at <= other < at + MINUTE for other in self.made) for at in self.made)


@pytest.mark.parametrize(("per_minute", "deletes"), [(20, 9), (40, 18)])
def test_two_hundred_requests_in_six_minutes(per_minute: int, deletes: int) -> None:
    """Each card is approved ten seconds after it was shown. Approved requests act at once, checks
    go on, and the limit holds."""
    crowd = Crowd(per_minute)

    def approve() -> None:
        approved_at = crowd.clock.now + 10
        crowd.at(approved_at, lambda: crowd.act(approved_at))

    for n in range(200):
        crowd.at(crowd.begun + n * 1.8, lambda: crowd.check(then=approve))
    crowd.play(6 * MINUTE)
    assert crowd.fullest_minute() <= per_minute
    assert len(crowd.waited) >= deletes
    assert median(crowd.waited) < 3, "the time of its own calls, and no waiting"
    assert max(crowd.waited) < MINUTE, "of those approved when the first crowd had used the minute"
    shown = [sum(when // 120 == two for when, _ in crowd.shown) for two in range(3)]
    assert min(shown) >= per_minute // 10, "and cards in all of the time"


def test_a_pairing_of_many_pages_ends_though_others_come_all_the_time() -> None:
    crowd = Crowd(20)
    crowd.at(crowd.begun + 1, lambda: crowd.check(pages=4))
    for n in range(20):
        crowd.at(crowd.begun + 12.0 * n, crowd.check)
    crowd.play()
    assert len(crowd.shown) == 21
    assert [pages for _, pages in crowd.shown].index(4) < 10, "and not last of all"
    assert crowd.fullest_minute() <= 20


def test_what_a_reading_may_be_old_is_what_the_budget_thinks() -> None:
    assert LATER_MS == READINGS_FRESH_MS


# ---- what the effects of a real client count -----------------------------------------------------


@dataclass
class Counted:
    """A client of a simulated appliance by an injected clock, and its budget."""

    simulated: SimulatedAppliance
    clock: Clock = field(default_factory=lambda: Clock(1000.0))
    made: int = 0
    after_a_call: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.budget = MemoryBudget(40, self.clock)
        self.pairing = self.simulated.add_pairing(local="oslo", remote="rome", replications=2)
        self.client: Appliance = client_of_simulated(
            self.simulated,
            budget=self.budget,
            remote=Credentials("far", SecretStr("far away")),
            now=self.clock.ms,
            monotonic=self.clock,
            on_call=self._called,
        )

    def _called(self, *_: Any) -> None:
        self.made += 1
        self.after_a_call()

    def others(self, calls: int) -> None:
        EffectBudget(self.budget, Priority.ACT, calls=calls).pay()


@pytest.fixture
def counted() -> Iterator[Counted]:
    with SimulatedAppliance(
        calls_per_minute=None, remote_username="far", remote_password="far away"
    ) as simulated:
        made = Counted(simulated)
        yield made
        made.client.close()


def test_a_reading_before_the_delete_comes_with_room_for_the_delete(counted: Counted) -> None:
    counted.others(40 - 5)
    assert isinstance(counted.client.read_to_act(counted.pairing, BY), CallFailed)
    assert counted.made == 0, "log-in, four readings and the DELETE do not fit, so none is begun"
    counted.clock.now += 62
    counted.others(40 - 7)
    assert isinstance(counted.client.read_to_act(counted.pairing, BY), PairingRead)
    with fails(Kind.OVER_BUDGET):
        counted.others(1)
    assert counted.client.prepare_delete(counted.pairing, BY) is None
    counted.client.delete(counted.pairing, force=False, send_by=BY, by=BY)
    assert counted.made == 7, "two log-ins, four readings and the DELETE"
    assert len(counted.budget.state.calls_ms) == 40


def test_what_is_counted_and_not_made_is_given_back(counted: Counted) -> None:
    client, pairing = counted.client, counted.pairing

    def spare() -> int:
        return len(counted.budget.state.calls_ms) - counted.made

    assert isinstance(client.find_and_read("nowhere", BY), PairingUnresolved)
    assert (counted.made, spare()) == (2, 0), "the log-in and the list, and no more is read"
    assert isinstance(client.read_to_act("nowhere", BY), PresenceRead)
    assert spare() == 0, "what is not there is not deleted"
    for _ in range(2):  # the second time as after an event that came before the intent
        assert isinstance(client.read_to_act(pairing, BY), PairingRead)
        assert spare() == 1
    client.give_back(pairing)
    assert spare() == 0
    assert isinstance(client.read_to_act(pairing, BY), PairingRead)
    client.sessions.held = None  # as after another thread's 401
    assert isinstance(client.delete(pairing, force=False, send_by=BY, by=BY), DeleteNotAccepted)
    client.give_back(pairing)
    assert spare() == 0
    assert isinstance(client.read_to_act(pairing, BY), PairingRead)
    client.delete(pairing, force=False, send_by=BY, by=BY)
    client.give_back(pairing)
    assert spare() == 0, "one that was sent stays counted"


def test_no_room_for_a_log_in_is_no_word_about_the_remote_site(counted: Counted) -> None:
    """The card would say that the replications came partial, as if the remote site were away."""

    def after_the_list() -> None:
        if counted.made == 2:
            counted.simulated.expire_sessions()
            counted.others(34)

    def has_waited(*_: object) -> None:
        counted.clock.now += 62  # whoever would go on now would find room for the rest

    counted.after_a_call = after_the_list
    counted.budget.on_wait = has_waited
    read = counted.client.find_and_read(counted.pairing, BY)
    assert isinstance(read, CallFailed), read
    assert read.problem.kind is Kind.OVER_BUDGET


def test_an_appliance_that_is_away_uses_up_no_minute(counted: Counted) -> None:
    """Of what failed before its second call, only the first one counts. Otherwise whoever waits is
    told that the limit leaves no room, and waits on for a minute when the appliance is back."""
    counted.simulated.refuse_connections()
    for _ in range(10):
        for read in (
            counted.client.find_and_read(counted.pairing, BY),
            counted.client.read_to_act(counted.pairing, BY),
        ):
            assert isinstance(read, CallFailed)
            assert read.problem.kind is Kind.UNSENT
    assert len(counted.budget.state.calls_ms) == 20
