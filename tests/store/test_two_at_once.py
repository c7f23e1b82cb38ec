"""Two transactions at once in PostgreSQL, at two levels of isolation.

The first is held just before its commit; the second begins, and ends or waits; then the first goes
on. Compared: what each brings back, and whether the second had to wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from bot.request.event_changes import Absorbed
from bot.request.events import OperatorCancelled
from bot.request.messages import Due
from bot.request.model import Request, State
from bot.store.one_open_request import PairingTakenBy
from bot.store.outbox import Outbox
from bot.store.queues import Queue
from bot.store.saving import Claim, ClaimLost, SaveRefused
from tests.life.simulation.real_store import RealStore
from tests.store.samples import click, entry, request
from tests.support.clock import Clock
from tests.support.postgres import PostgresServer
from tests.support.world import snapshot

LEASE_MS = 25_000
DEADLINE_S = 60.0
SAID = (ClaimLost, SaveRefused, PairingTakenBy)


@dataclass(frozen=True)
class Case:
    """`prepare` brings what the two need. `then` is what they bring back, and whether the second
    waited for the first."""

    name: str
    prepare: Callable[[Any, Clock], Any]
    first: Callable[[Any, Any], object]
    second: Callable[[Any, Any], object]
    then: tuple[str, str, bool]


def approved(store: Any, _clock: Clock) -> Claim:
    store.insert_row(
        Absorbed(request=request(1, State.APPROVED, execute_by=10**15), entries=(entry(),))
    )
    return _claimed(store, Queue.ACT)


def free(store: Any, _clock: Clock) -> None:
    store.insert_row(Absorbed(request=request(1, State.PENDING), entries=(entry(),)))


def undecided(store: Any, clock: Clock) -> Claim:
    free(store, clock)
    return _claimed(store, Queue.DECIDE)


def lapsed(store: Any, clock: Clock) -> Claim:
    claim = approved(store, clock)
    clock.turn(LEASE_MS / 1000)
    return claim


def two_checked(store: Any, _clock: Clock) -> tuple[Claim, Claim]:
    for number in (1, 2):
        store.insert_row(Absorbed(request=request(number), entries=(entry(),)))
    return _claimed(store, Queue.CHECK), _claimed(store, Queue.CHECK)


def one_message(store: Any, _clock: Clock) -> None:
    store.insert_row(Absorbed(request=request(1, snapshot=snapshot()), entries=(entry(),)))


def put(store: Any, _with: object) -> object:
    return store.put(click(), origin="click", request_id="AAAA-0001")


def cancel(store: Any, _with: object) -> object:
    event = OperatorCancelled(operator="root")
    return store.put(event, origin="cancel", request_id="AAAA-0001")


def intend(store: Any, claim: Claim) -> object:
    return store.save_intent(claim, _to(claim, State.DELETING))


def pass_time(store: Any, claim: Claim) -> object:
    return store.save_passed(claim, _to(claim, State.EXPIRED))


def save(store: Any, claim: Claim) -> object:
    return store.save(claim, _to(claim, State.CANCELLED))


def claim(store: Any, held: Claim | None) -> object:
    return store.claim(held.queue if held else Queue.DECIDE)


def approve(store: Any, held: Claim) -> object:
    """With this commit it goes to those who act."""
    return store.save(held, _to(held, State.APPROVED))


def act(store: Any, _with: object) -> object:
    return store.claim(Queue.ACT)


def insert_row(store: Any, _with: object) -> object:
    return store.insert_row(Absorbed(request=request(7), entries=(entry(),)))


def claim_message(store: Any, _with: object) -> object:
    return Outbox(store.db, 25_000).claim()


def take(which: int) -> Callable[[Any, tuple[Claim, Claim]], object]:
    def taking(store: Any, claims: tuple[Claim, Claim]) -> object:
        mine = claims[which]
        wanted = mine.request.model_copy(update={"pairing_id": "p"})
        return store.save(mine, Absorbed(request=wanted, entries=(entry(),)))

    return taking


CASES = (
    Case("a cancel, then the intent", approved, cancel, intend, ("1", "SaveRefused", True)),
    Case("a stranger, then the intent", approved, put, intend, ("1", "Claim", True)),
    Case("a click, then its deadline", approved, put, pass_time, ("1", "SaveRefused", True)),
    Case("the intent, then a click", approved, intend, put, ("Claim", "1", True)),
    Case("a click, then a claim", free, put, claim, ("1", "None", False)),
    Case("the same click twice", free, put, put, ("1", "None", True)),
    Case("two claims", free, claim, claim, ("Claim", "None", False)),
    Case("a claim, then a lost holder", lapsed, claim, save, ("Claim", "ClaimLost", True)),
    Case("a claim, then a lost intent", lapsed, claim, intend, ("Claim", "ClaimLost", True)),
    Case("a slow holder, then a claim", lapsed, save, claim, ("Claim", "None", False)),
    Case("an approval, then a claim to act", undecided, approve, act, ("Claim", "None", False)),
    Case("the same pairing", two_checked, take(0), take(1), ("Claim", "PairingTakenBy", True)),
    Case("the same new row", lambda *_: None, insert_row, insert_row, ("True", "False", True)),
    Case("two claims of a message", one_message, claim_message, claim_message,
         ("Due", "None", False)),
)  # fmt: skip


@pytest.fixture(scope="module", params=["read committed", "repeatable read"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Also of a database whose owner has made another level the default."""
    server = PostgresServer().start()
    url = server.new_database()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        setting = f"default_transaction_isolation = '{request.param}'"
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET {setting}")
    yield url
    server.stop()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_each_brings_back(case: Case, url: str) -> None:
    clock = Clock()
    store = RealStore(clock.ms, LEASE_MS, url)
    store.empty()
    try:
        assert _both(case, store, case.prepare(store, clock), url) == case.then
    finally:
        store.db.close()


def _both(case: Case, store: RealStore, given: object, url: str) -> tuple[str, str, bool]:
    at_commit, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def hold(_conn: object) -> None:
        if threading.current_thread().name == "first" and not at_commit.is_set():
            at_commit.set()
            assert go_on.wait(DEADLINE_S)

    event.listen(store.db.engine, "commit", hold)
    said: dict[str, str] = {}

    def act(name: str, does: Callable[[Any, Any], object]) -> None:
        said[name] = _words(does, store, given)
        if name == "second":
            ended.set()

    first = threading.Thread(target=act, args=("first", case.first), name="first")
    second = threading.Thread(target=act, args=("second", case.second), name="second")
    first.start()
    assert at_commit.wait(DEADLINE_S)
    second.start()
    waited = _waits(ended, url)
    go_on.set()
    for thread in (first, second):
        thread.join(DEADLINE_S)
    return said["first"], said["second"], waited


def _waits(ended: threading.Event, url: str) -> bool:
    """Until the second has ended, or PostgreSQL says that it waits for a lock."""
    asks = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for _ in range(int(DEADLINE_S / 0.02)):
            if ended.wait(0.02):
                return False
            found = connection.execute(asks, [connection.info.dbname]).fetchone()
            if found and found[0]:
                return True
    raise AssertionError("the second transaction neither ended nor waited for a lock")


def _claimed(store: Any, queue: Queue) -> Claim:
    found = store.claim(queue)
    assert isinstance(found, Claim)
    return found


def _to(held: Claim, state: State) -> Absorbed:
    changed: Request = held.request.model_copy(update={"state": state})
    return Absorbed(request=changed, entries=(entry(),))


def _words(act: Callable[[Any, Any], object], store: Any, given: object) -> str:
    try:
        found = act(store, given)
    except SAID as said:
        return type(said).__name__
    return type(found).__name__ if isinstance(found, (Claim, Due)) else str(found)
