"""Whose home shows what: the right to decide as Slack told it a moment ago."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.request.home import Home
from bot.request.lookups import MayNotLook
from bot.request.model import State
from bot.request.who_may import Person, Reason, Verdict
from bot.store.database import Database
from bot.store.migrate import upgrade
from bot.store.overview import Overview
from bot.worker.homes import ASKED_MOST, ENDED_MOST, Homes
from tests.slack_adapter.made import policy
from tests.store.samples import born
from tests.worker.world import TEAM, FakePeople


@pytest.fixture
def homes(tmp_path: Path) -> Homes:
    db = Database(f"sqlite:///{tmp_path}/test.db")
    upgrade(db)
    people = FakePeople()
    for someone in ("UASKER", "UAPPROVER", "USTRANGER"):
        people.persons[someone] = Person(id=someone, team=TEAM)
    return Homes(Overview(db), people, policy(), lambda: 1)


def db_of(homes: Homes) -> Database:
    assert isinstance(homes.overview, Overview)
    return homes.overview.db


def test_an_approver_and_somebody_else(homes: Homes) -> None:
    one = born(db_of(homes), 1, State.PENDING)
    mine, theirs = homes.read("UAPPROVER"), homes.read("USTRANGER")
    assert isinstance(mine, Home)
    assert isinstance(theirs, Home)
    assert (mine.waiting, mine.others) == ((one,), ())
    assert (theirs.waiting, theirs.others) == ((), (one,))


def test_a_guest_sees_nothing(homes: Homes) -> None:
    assert isinstance(homes.people, FakePeople)
    homes.people.persons["UGUEST"] = Person(id="UGUEST", team=TEAM, guest=True)
    assert homes.read("UGUEST") == MayNotLook(reason=Reason.GUEST)


def test_a_group_that_cannot_be_read_is_said(homes: Homes) -> None:
    grouped = Homes(homes.overview, homes.people, policy(approvers=frozenset({"S1"})), lambda: 1)
    one = born(db_of(homes), 1, State.PENDING)
    assert isinstance(homes.people, FakePeople)
    homes.people.groups["S1"] = Verdict(reason=Reason.GROUP_UNREADABLE)
    read = grouped.read("UAPPROVER")
    assert isinstance(read, Home)
    assert (read.rights_unread, read.waiting, read.others) == (True, (), (one,))


def test_the_past_is_bounded(homes: Homes) -> None:
    for number in range(ASKED_MOST + ENDED_MOST + 5):
        born(db_of(homes), number, State.DENIED, updated_at=number)
    read = homes.read("UAPPROVER")
    assert isinstance(read, Home)
    assert len(read.ended) == ENDED_MOST
