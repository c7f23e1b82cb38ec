"""A database that lost what this process has seen stored: it sends nothing more, and says so; and
nothing that a healthy database does looks like it."""

from __future__ import annotations

import random
import threading

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.request.audit import Head
from bot.request.model import State
from bot.store import audit, look
from bot.store.claims import Claim, Claims, WentBack
from bot.store.database import Database
from bot.store.lanes import Lane
from bot.store.saving import Saving
from tests.store.samples import born, entry

LATER = 10**15
EACH, THREADS = 25, 4


def goes_back(db: Database, to: Head) -> None:
    """As after a backup was put in its place, or a failover without the last commits."""
    with db.write() as conn:
        conn.execute(text("DELETE FROM audit WHERE number > :count"), {"count": to.count})
        head = {"count": to.count, "hash": to.hash}
        conn.execute(text("UPDATE audit_head SET count = :count, hash = :hash"), head)


def writes(db: Database, action: str = "asked") -> None:
    with db.write() as conn:
        audit.append(conn, None, [entry(action)])


def rolls_back(db: Database) -> None:
    try:
        with db.write() as conn:
            audit.append(conn, None, [entry(), entry()])
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass


def claimed(db: Database) -> tuple[Claims, Claim]:
    store = Claims(db=db, lease_ms=60_000)
    born(db, 1, State.APPROVED, execute_by=LATER)
    claim = store.claim(Lane.ACT)
    assert claim is not None
    return store, claim


def intends(store: Claims, claim: Claim) -> Claim:
    intended = claim.request.model_copy(update={"state": State.DELETING})
    return store.save_intent(claim, Saving(request=intended, entries=(entry("intent"),)))


def test_no_intent_is_stored_any_more_and_everything_else_is(db: Database) -> None:
    store, claim = claimed(db)
    before = audit.head(db)
    writes(db)
    goes_back(db, before)
    with capture_logs() as logged:
        for _ in range(2):
            with pytest.raises(WentBack):
                intends(store, claim)
    (told,) = [e for e in logged if e["event"] == "database_went_back"]
    assert "before anything is approved again" in told["sentence"]
    assert audit.head(db) == before
    store.save(claim, Saving(request=claim.request, entries=(entry("waits"),)))
    assert audit.check(db) == (None, audit.head(db))


def test_a_trail_that_has_grown_again_hides_nothing(db: Database) -> None:
    store, claim = claimed(db)
    before = audit.head(db)
    writes(db)
    goes_back(db, before)
    writes(db, "another")  # the same count as before
    writes(db)
    with pytest.raises(WentBack):
        intends(store, claim)


def test_what_another_copy_writes_hides_nothing(postgres_db: Database) -> None:
    store, claim = claimed(postgres_db)
    before = audit.head(postgres_db)
    writes(postgres_db)
    other = Database(postgres_db.engine.url.render_as_string(hide_password=False))
    goes_back(other, before)
    for _ in range(3):
        writes(other, "another")
    assert other.remembered.lost is None
    with pytest.raises(WentBack):
        intends(store, claim)
    other.close()


def test_a_look_finds_it_and_a_copy_that_only_looks_remembers(db: Database) -> None:
    writes(db)
    before = audit.head(db)
    other = Database(db.engine.url.render_as_string(hide_password=False))
    writes(db)
    assert look.problem(other) is None
    goes_back(db, before)
    for copy in (db, other):
        said = look.problem(copy) or ""
        assert "has gone back to what it was before: record 2 of the audit trail" in said
        assert said.endswith("and only then start the bot again.")
        assert "pass" not in said
    other.close()
    started_again = Database(db.engine.url.render_as_string(hide_password=False))
    writes(started_again)
    assert look.problem(started_again) is None
    started_again.close()


def test_a_rollback_is_none(db: Database) -> None:
    for _ in range(2):
        rolls_back(db)
        writes(db)
        assert look.problem(db) is None
    store, claim = claimed(db)
    assert intends(store, claim).request.state is State.DELETING


def test_neither_are_threads_and_copies_that_commit_side_by_side(db: Database) -> None:
    copies = [db, Database(db.engine.url.render_as_string(hide_password=False))]
    failed: list[BaseException] = []

    def lives(copy: Database, seed: int) -> None:
        dice = random.Random(seed)
        try:
            for _ in range(EACH):
                if dice.random() < 0.3:
                    rolls_back(copy)
                writes(copy)
                audit.look_back(copy)
        except BaseException as error:
            failed.append(error)

    threads = [
        threading.Thread(target=lives, args=(copy, seed))
        for seed, copy in enumerate(copies * (THREADS // 2))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [copy.remembered.lost for copy in copies] == [None, None]
    assert audit.check(db) == (None, audit.head(db))
    assert audit.head(db).count == EACH * THREADS
    copies[1].close()
