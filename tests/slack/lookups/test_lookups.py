"""The pool for what people look up: bounded, beside the queues, and unharmed by what it meets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.request.events import CallFailed, PairingRead, PairingUnresolved
from bot.request.lookup_results import (
    Home,
    HomeRead,
    ListedPairing,
    LookFailed,
    MayNotLook,
    PairingsListed,
    PreviewRead,
    SitesRead,
    SiteUnread,
)
from bot.request.pairing import Pairing
from bot.request.problem import ProblemKind
from bot.request.who_may import Person, Reason, SiteTerms
from bot.store.database import Database
from bot.store.migrate import upgrade
from bot.store.queries import Overview
from bot.worker.lookup_threads import (
    ASKING_MOST,
    AT_ONE_APPLIANCE,
    LOOK_SECONDS,
    STORED_WAITING_MOST,
    THREADS,
    WAITING_MOST,
    Lookups,
)
from bot.worker.pairings import COUNTED_MOST, Lists
from tests.support.world import TEAM, FakePeople, policy, problem, snapshot

PATIENCE_SECONDS = 10
POLICY = policy()
ONE = ListedPairing(pairing=Pairing(id="p-1"))
SITE = SiteTerms(appliance="vr", poll_ms=5_000, timeout_ms=10_000)


@dataclass
class Reader:
    """`hold` keeps every reading until it is set; `deadlines` are those that were given."""

    hold: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    listings: int = 0
    counted: list[int] = field(default_factory=list)
    deadlines: list[float] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    failure: CallFailed | None = None
    error: Exception | None = None

    def find_and_read(self, asked: str, by: float) -> PairingRead | PairingUnresolved | CallFailed:
        self._enter(by)
        return self.failure or PairingRead(snapshot=snapshot())

    def list_pairings(
        self, by: float, *, count_at_most: int
    ) -> tuple[tuple[ListedPairing, ...], tuple[str, ...]] | CallFailed:
        self._enter(by)
        self.listings += 1
        self.counted.append(count_at_most)
        return self.failure or ((ONE,), ("half",))

    def _enter(self, by: float) -> None:
        self.deadlines.append(by)
        self.threads.add(threading.current_thread().name)
        self.begun.release()
        assert self.hold.wait(PATIENCE_SECONDS)
        if self.error:
            raise self.error


class Heard:
    """What the callbacks brought, waited for."""

    def __init__(self) -> None:
        self.all: list[PreviewRead | SitesRead | HomeRead | str] = []
        self._some = threading.Semaphore(0)

    def __call__(self, read: PreviewRead | SitesRead | HomeRead | str) -> None:
        self.all.append(read)
        self._some.release()

    def wait(self, count: int = 1) -> list[PreviewRead | SitesRead | HomeRead | str]:
        for _ in range(count):
            assert self._some.acquire(timeout=PATIENCE_SECONDS), self.all
        return self.all


@dataclass
class Stage:
    reader: Reader
    people: FakePeople
    lookups: Lookups = field(init=False)
    seconds: float = 100.0


def made(people: FakePeople, now: Callable[[], float], db: Database, **readers: Reader) -> Lookups:
    sites = POLICY.model_copy(update={"sites": dict.fromkeys(readers, SITE)})
    lists = Lists(readers, lambda: 1_234, now)
    return Lookups(readers, lists, Overview(db), people, sites, monotonic=now)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """One appliance."""
    yield from _staged(tmp_path, "default")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Stage]:
    """Two of them, which answer alike."""
    yield from _staged(tmp_path, "default", "west")


def _staged(folder: Path, *sites: str) -> Iterator[Stage]:
    reader, people = Reader(), FakePeople()
    stage = Stage(reader, people)
    db = Database(f"sqlite:///{folder}/test.db")
    upgrade(db)
    stage.lookups = made(people, lambda: stage.seconds, db, **dict.fromkeys(sites, reader))
    reader.hold.set()
    yield stage
    reader.hold.set()
    assert stage.lookups.stop(PATIENCE_SECONDS)
    db.close()


def test_a_preview_is_read_in_a_thread_of_the_pool(stage: Stage) -> None:
    heard = Heard()
    assert stage.lookups.preview("default", "prague", "U1", heard)
    assert heard.wait() == [PairingRead(snapshot=snapshot())]
    assert stage.reader.threads <= {f"lookup-{n}" for n in range(THREADS)}
    assert stage.reader.deadlines == [100.0 + LOOK_SECONDS]


def test_all_sites_are_listed_and_one_failure_is_one_site(two: Stage) -> None:
    heard, stage = Heard(), two
    assert stage.lookups.pairings(["default", "west"], "U1", heard, counted=True)
    (read,) = heard.wait()
    listed = PairingsListed(site="default", pairings=(ONE,), partial=("half",), read_at=1_234)
    assert read == (listed, listed.model_copy(update={"site": "west"}))
    assert stage.reader.counted == [COUNTED_MOST, COUNTED_MOST]
    failure = CallFailed(problem=problem(ProblemKind.UNSENT))
    stage.reader.failure = failure
    stage.lookups.pairings(["west"], "U1", heard)
    assert heard.wait()[-1] == (SiteUnread(site="west", failed=failure),)
    assert stage.reader.counted[-1] == 0


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (Person(id="U1", team="T0OTHER"), Reason.OTHER_WORKSPACE),
        (Person(id="U1", team=TEAM, guest=True), Reason.GUEST),
        (Person(id="U1", team=TEAM, deleted=True), Reason.DEACTIVATED),
    ],
)
def test_a_stranger_learns_nothing_and_costs_no_call(
    stage: Stage, person: Person, reason: Reason
) -> None:
    stage.people.persons["U1"] = person
    heard = Heard()
    stage.lookups.preview("default", "prague", "U1", heard)
    stage.lookups.pairings(["default"], "U1", heard)
    stage.lookups.stored("U1", never_read, heard)
    assert heard.wait(3) == [MayNotLook(reason=reason)] * 3
    assert stage.reader.deadlines == []


def test_when_slack_does_not_say_who_it_is_the_answer_is_no(stage: Stage) -> None:
    stage.people.unreadable = True
    heard = Heard()
    stage.lookups.preview("default", "prague", "U1", heard)
    stage.lookups.stored("U1", never_read, heard)
    assert heard.wait(2) == [MayNotLook(reason=Reason.UNREADABLE)] * 2


def never_read() -> str:
    raise AssertionError("nothing is read for somebody who may not look")


def test_beyond_the_queue_it_is_refused_at_once(stage: Stage) -> None:
    stage.reader.hold.clear()
    heard = Heard()
    for _ in range(AT_ONE_APPLIANCE):
        assert stage.lookups.preview("default", "prague", "U1", heard)
        assert stage.reader.begun.acquire(timeout=PATIENCE_SECONDS)
    for _ in range(WAITING_MOST):
        assert stage.lookups.has_room()
        assert stage.lookups.preview("default", "prague", "U1", heard)
    assert not stage.lookups.has_room()
    with capture_logs() as logged:
        assert not stage.lookups.preview("default", "prague", "U1", heard)
        assert not stage.lookups.pairings(["default"], "U1", heard)
    assert [e["event"] for e in logged] == ["lookups_full"] * 2
    assert len(stage.reader.deadlines) == AT_ONE_APPLIANCE, "two at a time, however many ask"
    stage.reader.hold.set()
    assert len(heard.wait(AT_ONE_APPLIANCE + WAITING_MOST)) == AT_ONE_APPLIANCE + WAITING_MOST
    assert stage.lookups.has_room()


def test_what_the_store_knows_never_waits_behind_an_appliance(stage: Stage) -> None:
    answers_while_all_else_hangs(stage, "default")


def test_what_the_store_knows_never_waits_behind_several(two: Stage) -> None:
    answers_while_all_else_hangs(two, "default", "west")


def answers_while_all_else_hangs(stage: Stage, *sites: str) -> None:
    """Where requests stand is asked most while an appliance hangs: then each thread of the other
    lookups is at one, and no more of them are taken."""
    stage.reader.hold.clear()
    hanging, heard = Heard(), Heard()
    for site in sites:
        for _ in range(AT_ONE_APPLIANCE):
            assert stage.lookups.preview(site, "prague", "U1", hanging)
            assert stage.reader.begun.acquire(timeout=PATIENCE_SECONDS)
    while stage.lookups.pairings(sites, "U1", hanging):
        pass
    assert not stage.lookups.has_room()
    assert stage.lookups.stored("U1", lambda: "it waits for a decision", heard)
    assert heard.wait() == ["it waits for a decision"]
    assert stage.lookups.home("UAPPROVER", heard)
    assert isinstance(heard.wait()[-1], Home)
    assert hanging.all == []


@pytest.mark.parametrize("stuck", [["default"], ["default", "west"]])
def test_one_appliance_that_hangs_leaves_threads_to_the_others(
    tmp_path: Path, stuck: list[str]
) -> None:
    """Two that hang hold all threads that may ask: then the others wait, and the store does not.
    Nothing is found, so that no other end is looked for at those that hang."""
    told = CallFailed(problem=problem(ProblemKind.REFUSED))
    readers = {site: Reader(failure=told) for site in ("default", "west", "oslo")}
    db = Database(f"sqlite:///{tmp_path}/test.db")
    upgrade(db)
    lookups = made(FakePeople(), lambda: 100.0, db, **readers)
    heard = Heard()
    for site in stuck:
        for _ in range(AT_ONE_APPLIANCE + 1):
            assert lookups.preview(site, "prague", "U1", Heard())
        for _ in range(AT_ONE_APPLIANCE):
            assert readers[site].begun.acquire(timeout=PATIENCE_SECONDS)
    readers["oslo"].hold.set()
    assert lookups.preview("oslo", "prague", "U1", heard)
    waits = len(stuck) * AT_ONE_APPLIANCE >= ASKING_MOST
    if waits:
        assert lookups.stored("U1", lambda: "stored", heard)
        assert heard.wait() == ["stored"]
        readers["west"].hold.set()
    assert heard.wait()[-1] == told
    assert len(readers["default"].deadlines) == AT_ONE_APPLIANCE
    readers["default"].hold.set()
    assert lookups.stop(PATIENCE_SECONDS)
    db.close()


def test_a_crowd_that_looks_at_the_store_is_bounded_too(stage: Stage) -> None:
    hold, heard = threading.Event(), Heard()
    begun = threading.Semaphore(0)

    def read() -> str:
        begun.release()
        assert hold.wait(PATIENCE_SECONDS)
        return "read"

    for _ in range(THREADS):
        assert stage.lookups.stored("U1", read, heard)
        assert begun.acquire(timeout=PATIENCE_SECONDS)
    for _ in range(STORED_WAITING_MOST):
        assert stage.lookups.stored("U1", read, heard)
    assert not stage.lookups.stored("U1", read, heard)
    assert stage.lookups.has_room(), "the appliance's own queue is another one"
    hold.set()
    assert heard.wait(THREADS + STORED_WAITING_MOST) == ["read"] * (THREADS + STORED_WAITING_MOST)


def test_a_store_that_fails_is_told_like_any_fault(stage: Stage) -> None:
    def read() -> str:
        raise RuntimeError("planted")

    heard = Heard()
    stage.lookups.stored("U1", read, heard)
    (told,) = heard.wait()
    assert isinstance(told, LookFailed)


def test_a_fault_in_one_lookup_leaves_the_threads_for_the_next(stage: Stage) -> None:
    heard = Heard()
    stage.reader.error = RuntimeError("planted")
    for _ in range(AT_ONE_APPLIANCE * 2):
        stage.lookups.preview("default", "prague", "U1", heard)
        assert stage.reader.begun.acquire(timeout=PATIENCE_SECONDS)
    assert all(isinstance(read, LookFailed) for read in heard.wait(AT_ONE_APPLIANCE * 2))
    stage.reader.error = None
    stage.lookups.preview("default", "prague", "U1", heard)
    assert heard.wait()[-1] == PairingRead(snapshot=snapshot())


def test_whoever_meets_a_fault_gets_the_reference_that_stands_in_the_log(stage: Stage) -> None:
    stage.reader.error = RuntimeError("planted")
    heard = Heard()
    with capture_logs() as logged:
        stage.lookups.pairings(["default"], "U1", heard)
        (read,) = heard.wait()
    assert isinstance(read, LookFailed)
    (event,) = (e for e in logged if e["event"] == "lookup_failed")
    assert event["reference"] == read.reference
    assert event["exc_info"]


def test_a_fresh_list_is_given_again_and_an_old_one_is_not(stage: Stage) -> None:
    heard = Heard()
    stage.lookups.pairings(["default"], "U1", heard)
    heard.wait()
    stage.seconds += 60
    stage.lookups.pairings(["default"], "U1", heard, fresh_s=60)
    heard.wait()
    assert heard.all[0] == heard.all[1]
    assert stage.reader.listings == 1
    assert stage.lookups.lists.known("default", within_s=60) is not None
    assert stage.lookups.lists.known("default", within_s=59) is None
    stage.seconds += 0.5
    stage.lookups.pairings(["default"], "U1", heard, fresh_s=60)
    heard.wait()
    assert stage.reader.listings == 2


def test_a_list_that_failed_is_not_remembered(stage: Stage) -> None:
    heard = Heard()
    stage.reader.failure = CallFailed(problem=problem(ProblemKind.UNSENT))
    stage.lookups.pairings(["default"], "U1", heard)
    heard.wait()
    assert stage.lookups.lists.known("default", within_s=60) is None


def test_at_the_end_what_waits_is_dropped_and_what_runs_is_waited_for(stage: Stage) -> None:
    stage.reader.hold.clear()
    heard = Heard()
    for _ in range(AT_ONE_APPLIANCE):
        stage.lookups.preview("default", "prague", "U1", heard)
        assert stage.reader.begun.acquire(timeout=PATIENCE_SECONDS)
    stage.lookups.preview("default", "late", "U1", heard)
    ended: list[bool] = []
    stopping = threading.Thread(target=lambda: ended.append(stage.lookups.stop(PATIENCE_SECONDS)))
    stopping.start()
    while stage.lookups.has_room():
        pass
    assert not stage.lookups.preview("default", "later", "U1", heard)
    stage.reader.hold.set()
    stopping.join()
    assert ended == [True]
    assert not stage.lookups.stored("U1", never_read, heard)
    assert len(heard.all) == AT_ONE_APPLIANCE
    assert len(stage.reader.deadlines) == AT_ONE_APPLIANCE


def test_the_end_may_be_asked_for_first_and_waited_for_later(stage: Stage) -> None:
    stage.reader.hold.clear()
    heard = Heard()
    for _ in range(AT_ONE_APPLIANCE):
        stage.lookups.preview("default", "prague", "U1", heard)
        assert stage.reader.begun.acquire(timeout=PATIENCE_SECONDS)
    stage.lookups.preview("default", "late", "U1", heard)
    with capture_logs() as logged:
        assert not stage.lookups.stop(0)
        assert not stage.lookups.stop(0)
        stage.reader.hold.set()
        assert stage.lookups.stop(PATIENCE_SECONDS)
    dropped = [e["count"] for e in logged if e["event"] == "lookups_dropped_at_stop"]
    assert dropped == [1]
    assert len(heard.all) == AT_ONE_APPLIANCE
