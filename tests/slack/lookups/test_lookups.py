"""What people look up: bounded, in threads beside the queues, and unharmed by what it meets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.request.events import CallFailed, PairingRead
from bot.request.lookup_results import (
    Home,
    ListedPairing,
    LookedTooOften,
    LookFailed,
    MayNotLook,
    SiteUnread,
)
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import Person, Reason, SiteTerms, Verdict
from bot.store.per_person import AT_ONCE, EVERY_MS
from bot.worker.find_pairings import COUNTED_MOST, Lists
from bot.worker.lookup_threads import (
    ASKED_MOST,
    ASKING_THREADS,
    ASKING_WAITING_MOST,
    ENDED_MOST,
    LOOK_SECONDS,
    STORE_THREADS,
    Lookups,
)
from tests.store.samples import born
from tests.support.world import (
    ASKER,
    FIRST,
    PATIENCE_SECONDS,
    TEAM,
    FakeAppliance,
    FakePeople,
    World,
    policy,
    problem,
)

SITE = SiteTerms(appliance="vr", poll_ms=5_000, timeout_ms=10_000)
SITES = ("default", "west")


@dataclass
class Reader(FakeAppliance):
    """`hold` keeps every reading until it is set; `deadlines` are those that were given."""

    hold: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    counted: list[int] = field(default_factory=list)
    deadlines: list[float] = field(default_factory=list)
    error: Exception | None = None

    def find_and_read(self, asked: str, by: float) -> Any:
        self._enter(by)
        return super().find_and_read(asked, by)

    def list_pairings(
        self, by: float, *, count_at_most: int
    ) -> tuple[tuple[ListedPairing, ...], tuple[str, ...]] | CallFailed:
        self._enter(by)
        self.counted.append(count_at_most)
        return super().list_pairings(by, count_at_most=count_at_most)

    def _enter(self, by: float) -> None:
        self.deadlines.append(by)
        self.begun.release()
        assert self.hold.wait(PATIENCE_SECONDS)
        if self.error:
            raise self.error


class Heard:
    """What the callbacks brought, waited for."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._some = threading.Semaphore(0)

    def __call__(self, read: Any) -> None:
        self.all.append(read)
        self._some.release()

    def wait(self, count: int = 1) -> list[Any]:
        for _ in range(count):
            assert self._some.acquire(timeout=PATIENCE_SECONDS), self.all
        return self.all


class Stage:
    """The lookups at two appliances that answer alike."""

    def __init__(self, world: World, **changes: object) -> None:
        self.world, self.people, self.reader = world, FakePeople(), Reader()
        self.seconds, self.heard = 100.0, Heard()
        self.reader.hold.set()
        readers = dict.fromkeys(SITES, self.reader)
        self.lists = Lists(readers, lambda: 1_234, lambda: self.seconds)
        allowed = policy(sites=dict.fromkeys(SITES, SITE), **changes)
        self.lookups = Lookups(
            readers,
            self.lists,
            world.overview,
            self.people,
            allowed,
            monotonic=lambda: self.seconds,
        )

    def hangs(self) -> None:
        """Each thread that asks an appliance is at one."""
        self.reader.hold.clear()
        for _ in range(ASKING_THREADS):
            assert self.lookups.pairings(["west"], "U1", self.heard)
            assert self.reader.begun.acquire(timeout=PATIENCE_SECONDS)

    def home(self, person: str) -> Any:
        assert self.lookups.home(person, self.heard)
        return self.heard.wait()[-1]

    def end(self) -> None:
        self.reader.hold.set()
        assert self.lookups.stop(PATIENCE_SECONDS)


@pytest.fixture
def stage(world_on_file: World) -> Iterator[Stage]:
    stage = Stage(world_on_file)
    yield stage
    stage.end()


def never_read() -> str:
    raise AssertionError("nothing is read for somebody who may not look")


def test_a_preview_says_where_it_is(stage: Stage) -> None:
    assert stage.lookups.preview("default", "prague", FIRST, stage.heard)
    (read,) = stage.heard.wait()
    assert isinstance(read, PairingRead)
    assert (read.snapshot, read.found_at) == (stage.reader.now, "default")
    assert stage.reader.deadlines[0] == stage.seconds + LOOK_SECONDS


def test_whoever_looks_without_end_waits_and_nobody_else_does(stage: Stage) -> None:
    for number in range(AT_ONCE):
        by_turns = stage.lookups.preview, stage.lookups.pairings
        if number % 2:
            assert by_turns[0]("default", "nonsense", FIRST, stage.heard)
        else:
            assert by_turns[1](["west"], FIRST, stage.heard, counted=True)
        stage.heard.wait()
    read = len(stage.reader.deadlines)
    assert stage.lookups.preview("default", "prague", FIRST, stage.heard)
    assert stage.lookups.pairings(["west"], FIRST, stage.heard, counted=True)
    last = stage.heard.wait(2)[-2:]
    assert last == [LookedTooOften(seconds=EVERY_MS // 1000)] * 2
    assert len(stage.reader.deadlines) == read
    # Not what is stored, nor the form, nor anybody else.
    assert stage.lookups.stored(FIRST, lambda: "stored", stage.heard)
    assert stage.lookups.pairings(["west"], FIRST, stage.heard, fresh_s=60)
    assert stage.lookups.preview("default", "prague", ASKER, stage.heard)
    assert not any(isinstance(each, LookedTooOften) for each in stage.heard.wait(3)[-3:])


def test_all_sites_are_listed_and_one_failure_is_one_site(stage: Stage) -> None:
    assert stage.lookups.pairings(SITES, FIRST, stage.heard, counted=True)
    (read,) = stage.heard.wait()
    assert [(each.site, len(each.pairings), each.read_at) for each in read] == [
        (site, 1, 1_234) for site in SITES
    ]
    assert stage.reader.counted == [COUNTED_MOST] * 2
    failed = problem(ProblemKind.UNSENT)
    stage.reader.look_failures = [failed]
    stage.lookups.pairings(["west"], FIRST, stage.heard)
    assert stage.heard.wait()[-1] == (SiteUnread(site="west", failed=CallFailed(problem=failed)),)
    assert stage.reader.counted[-1] == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"team": "T0OTHER"}, Reason.OTHER_WORKSPACE),
        ({"guest": True}, Reason.GUEST),
        ({"deleted": True}, Reason.DEACTIVATED),
        (None, Reason.UNREADABLE),
    ],
)
def test_a_stranger_learns_nothing_and_costs_no_call(
    stage: Stage, changes: dict[str, Any] | None, reason: Reason
) -> None:
    stage.people.unreadable = changes is None
    stage.people.persons["U1"] = Person(**{"id": "U1", "team": TEAM, **(changes or {})})
    stage.lookups.preview("default", "prague", "U1", stage.heard)
    stage.lookups.pairings(["default"], "U1", stage.heard)
    stage.lookups.stored("U1", never_read, stage.heard)
    assert stage.heard.wait(3) == [MayNotLook(reason=reason)] * 3
    assert stage.home("U1") == MayNotLook(reason=reason)
    assert stage.reader.deadlines == []


def test_all_names_of_a_card_are_for_those_who_could_ask_in_its_channel(
    world_on_file: World,
) -> None:
    stage = Stage(world_on_file, requesters=frozenset({"U1", "U2"}), channels=frozenset({"C0OPS"}))
    stage.people.persons["U2"] = Person(id="U2", team=TEAM, guest=True)
    read = []
    for by, team, channel in (
        ("U1", TEAM, "C0OPS"),
        ("U1", "T0OTHER", "C0OPS"),
        ("U1", TEAM, "C0ELSE"),
        ("U2", TEAM, "C0OPS"),
        ("U3", TEAM, "C0OPS"),
    ):
        assert stage.lookups.stored(by, lambda: "names", stage.heard, team=team, channel=channel)
        read.append(stage.heard.wait()[-1])
    refused = [Reason.OTHER_WORKSPACE, Reason.CHANNEL, Reason.GUEST, Reason.NOT_LISTED]
    assert read == ["names", *(MayNotLook(reason=reason) for reason in refused)]
    stage.end()


def test_beyond_the_queue_it_is_refused_and_the_store_answers_all_the_same(stage: Stage) -> None:
    """Where requests stand is asked most while an appliance hangs."""
    stage.hangs()
    for _ in range(ASKING_WAITING_MOST):
        assert stage.lookups.pairings(["west"], FIRST, stage.heard)
    with capture_logs() as logged:
        assert not stage.lookups.preview("default", "prague", FIRST, stage.heard)
    assert [e["event"] for e in logged] == ["lookups_full"]
    heard = Heard()
    assert stage.lookups.stored(FIRST, lambda: "it waits for a decision", heard)
    assert heard.wait() == ["it waits for a decision"]
    assert stage.lookups.home(FIRST, heard)
    assert isinstance(heard.wait()[-1], Home)
    assert stage.heard.all == []
    stage.reader.hold.set()
    stage.heard.wait(ASKING_THREADS + ASKING_WAITING_MOST)


@pytest.mark.parametrize("asks", ["an appliance", "the store"])
def test_whoever_meets_a_fault_gets_the_reference_that_stands_in_the_log(
    stage: Stage, asks: str
) -> None:
    def broken() -> str:
        raise RuntimeError("planted")

    def look() -> Callable[..., Any]:
        if asks == "the store":
            return lambda: stage.lookups.stored(FIRST, broken, stage.heard)
        return lambda: stage.lookups.pairings(["west"], FIRST, stage.heard)

    stage.reader.error = RuntimeError("planted")
    threads = ASKING_THREADS + STORE_THREADS
    with capture_logs() as logged:
        for _ in range(threads):
            look()()
            stage.heard.wait()
    assert all(isinstance(read, LookFailed) for read in stage.heard.all)
    references = [e["reference"] for e in logged if e["event"] == "lookup_failed"]
    assert references == [read.reference for read in stage.heard.all]
    assert len(references) == threads
    stage.reader.error = None
    assert stage.lookups.stored(FIRST, lambda: "the threads go on", stage.heard)
    assert stage.heard.wait()[-1] == "the threads go on"


def test_a_fresh_list_is_given_again_and_an_old_or_failed_one_is_not(stage: Stage) -> None:
    stage.reader.look_failures = [problem(ProblemKind.UNSENT)]
    stage.lookups.pairings(["west"], FIRST, stage.heard)
    stage.heard.wait()
    assert stage.lookups.known("west", within_s=60) is None
    reads = []
    for later in (0, 60, 0.5):
        stage.seconds += later
        stage.lookups.pairings(["west"], FIRST, stage.heard, fresh_s=60)
        stage.heard.wait()
        reads.append(len(stage.reader.counted))
        assert stage.lookups.known("west", within_s=60) is not None
    assert reads == [2, 2, 3]
    stage.seconds += 60
    assert stage.lookups.known("west", within_s=59) is None


def test_at_the_end_what_waits_is_dropped_and_what_runs_is_waited_for(stage: Stage) -> None:
    stage.hangs()
    stage.lookups.preview("default", "late", FIRST, stage.heard)
    with capture_logs() as logged:
        assert not stage.lookups.stop(0)
        assert not stage.lookups.stop(0)
    assert [e["count"] for e in logged if e["event"] == "lookups_dropped_at_stop"] == [1]
    assert not stage.lookups.stored(FIRST, never_read, stage.heard)
    stage.reader.hold.set()
    assert stage.lookups.stop(PATIENCE_SECONDS)
    assert len(stage.heard.all) == ASKING_THREADS


# ---- Home ----------------------------------------------------------------------------------------


def test_whose_home_shows_what(stage: Stage) -> None:
    one = born(stage.world.db, 1, State.PENDING)
    mine, theirs = stage.home(FIRST), stage.home("USTRANGER")
    assert ((mine.waiting, mine.others), (theirs.waiting, theirs.others)) == (
        ((one,), ()),
        ((), (one,)),
    )
    for number in range(2, ASKED_MOST + ENDED_MOST + 5):
        born(stage.world.db, number, State.DENIED, updated_at=number)
    assert len(stage.home(FIRST).ended) == ENDED_MOST


def test_a_group_that_cannot_be_read_is_said_at_home(world_on_file: World) -> None:
    stage = Stage(world_on_file, approvers=frozenset({"S1"}))
    one = born(world_on_file.db, 1, State.PENDING)
    stage.people.groups["S1"] = Verdict(reason=Reason.GROUP_UNREADABLE)
    read = stage.home(FIRST)
    assert (read.rights_unread, read.waiting, read.others) == (True, (), (one,))
    stage.end()
