"""Whose home shows what: the right to decide as Slack tells it when the tab is opened."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.request.lookup_results import Home, HomeRead, MayNotLook
from bot.request.model import State
from bot.request.who_may import Person, Policy, Reason, Verdict
from bot.store.database import Database
from bot.store.migrate import upgrade
from bot.store.queries import Overview
from bot.worker.lookup_threads import ASKED_MOST, ENDED_MOST, Lookups
from bot.worker.pairings import Lists
from tests.slack.listeners.made import policy
from tests.store.samples import born
from tests.support.world import TEAM, FakePeople

PATIENCE_SECONDS = 10


@dataclass
class Homes:
    db: Database
    people: FakePeople = field(default_factory=FakePeople)
    policy: Policy = field(default_factory=policy)

    def read(self, person: str) -> HomeRead:
        lookups = Lookups({}, Lists({}, lambda: 1), Overview(self.db), self.people, self.policy)
        heard: list[HomeRead] = []
        done = threading.Event()

        def then(read: HomeRead) -> None:
            heard.append(read)
            done.set()

        assert lookups.home(person, then)
        assert done.wait(PATIENCE_SECONDS)
        assert lookups.stop(PATIENCE_SECONDS)
        (read,) = heard
        return read


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Homes]:
    db = Database(f"sqlite:///{tmp_path}/test.db")
    upgrade(db)
    homes = Homes(db)
    for someone in ("UASKER", "UAPPROVER", "USTRANGER"):
        homes.people.persons[someone] = Person(id=someone, team=TEAM)
    yield homes
    db.close()


def test_an_approver_and_somebody_else(homes: Homes) -> None:
    one = born(homes.db, 1, State.PENDING)
    mine, theirs = homes.read("UAPPROVER"), homes.read("USTRANGER")
    assert isinstance(mine, Home)
    assert isinstance(theirs, Home)
    assert (mine.waiting, mine.others) == ((one,), ())
    assert (theirs.waiting, theirs.others) == ((), (one,))


def test_a_guest_sees_nothing(homes: Homes) -> None:
    homes.people.persons["UGUEST"] = Person(id="UGUEST", team=TEAM, guest=True)
    assert homes.read("UGUEST") == MayNotLook(reason=Reason.GUEST)


def test_a_group_that_cannot_be_read_is_said(homes: Homes) -> None:
    homes.policy = policy(approvers=frozenset({"S1"}))
    one = born(homes.db, 1, State.PENDING)
    homes.people.groups["S1"] = Verdict(reason=Reason.GROUP_UNREADABLE)
    read = homes.read("UAPPROVER")
    assert isinstance(read, Home)
    assert (read.rights_unread, read.waiting, read.others) == (True, (), (one,))


def test_the_past_is_bounded(homes: Homes) -> None:
    for number in range(ASKED_MOST + ENDED_MOST + 5):
        born(homes.db, number, State.DENIED, updated_at=number)
    read = homes.read("UAPPROVER")
    assert isinstance(read, Home)
    assert len(read.ended) == ENDED_MOST
