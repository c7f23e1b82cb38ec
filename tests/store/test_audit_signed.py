"""The signed trail, as somebody forges it who can write to the database and has no key that signs:
each forged record is found by its number, and what cannot be found stands in docs/security.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from bot.audit_key import AuditKey, valid
from bot.request.audit_chain import Head, Record
from bot.request.audit_signatures import LISTED, Signatures, listing
from bot.store import audit_trail as audit
from bot.store.audit_trail import MayNotSign, held_against, note_start, verify_trail
from bot.store.database import Database
from bot.store.migrate import upgrade
from bot.store.schema import audit_head
from tests.rules.samples import running
from tests.store.samples import a_key, entry
from tests.store.test_audit_log_lines import forge, record

KEY, OTHER, MALLORY = a_key(), a_key(), a_key()


def signed(db: Database, key: AuditKey = KEY, count: int = 5) -> None:
    """The listing of the key, where it is the first, and so many records."""
    db.signer = key
    record(db, count)


def lists(db: Database, key: AuditKey, by: AuditKey, retired: AuditKey | None = None) -> None:
    db.signer = by
    with db.write() as conn:
        entry_ = listing(key.public, 9, "operator:root", retired.id if retired else "")
        audit.append(conn, None, [entry_])


def verified(db: Database, *given: AuditKey) -> tuple[int | None, Signatures]:
    signatures = Signatures(valid, [key.public for key in given])
    return verify_trail(db, signatures)[0], signatures


def test_a_signed_trail_says_from_where_on_and_by_which_keys(db: Database) -> None:
    record(db, 3)  # from before the first key
    signed(db)
    lists(db, OTHER, KEY)
    signed(db, OTHER)
    for given, proven in (((), None), ((KEY,), 4), ((OTHER,), 11), ((KEY, OTHER), 4)):
        broken, found = verified(db, *given)
        assert (broken, found.first, found.proven, found.unlisted) == (None, 4, proven, [])
        assert found.keys == (KEY.id, OTHER.id)
        assert len(found.deployment) == 36
    first = list(audit.export(db))[3]
    assert (first.action, first.request_id, first.key) == (LISTED, None, KEY.id)
    with db.read() as conn:
        assert conn.execute(audit_head.select()).one().signers == f"{KEY.id} {OTHER.id}"


def again(record: Record, **changes: object) -> Record:
    return record.model_copy(update=changes)


def unsigned(records: Sequence[Record]) -> list[Record]:
    return [again(r, signature=None, key=None) for r in records]


def with_own_key(records: list[Record]) -> list[Record]:
    """A listing of a key of the forger's, signed by it as well."""
    entry_ = listing(MALLORY.public, 9)
    made = again(records[0], **entry_.model_dump(), key=MALLORY.id)
    return [*records[:3], made, *records[3:]]


def all_by_own_key(records: list[Record]) -> list[Record]:
    """And whatever comes after it."""
    kept = with_own_key(records)
    return [*kept[:4], *(again(r, key=MALLORY.id) for r in kept[4:])]


@pytest.mark.parametrize(
    ("how", "number"),
    [
        (lambda r: [*r[:2], again(r[2], actor="U9"), *r[3:]], 3),
        (lambda r: [*r, again(r[4], actor="U9")], 7),
        (lambda r: [*r, *unsigned(r[4:5])], 7),
        (lambda r: [*r[:2], *r[3:]], 3),
        (lambda r: [*r[:2], r[3], r[2], *r[4:]], 3),
        (lambda r: [*r[:3], *unsigned(r[3:])], 4),
        (lambda r: unsigned(r), 1),
        (lambda r: [*unsigned(r[:3]), *r[3:]], 1),
        (lambda r: [*r[:3], again(r[3], key=OTHER.id), *r[4:]], 4),
        (lambda r: [*r[:3], again(r[3], signature=r[2].signature), *r[4:]], 4),
        (lambda r: [*r[:3], again(r[3], signature=f"{r[3].signature}\n"), *r[4:]], 4),
        (with_own_key, 4),
        (all_by_own_key, 4),
        (lambda r: [again(r[0], detail={**r[0].detail, "deployment": "mine"}), *r[1:]], 1),
        (lambda r: [again(r[0], detail={**r[0].detail, "public": "none"}), *r[1:]], 1),
    ],
    ids=[
        *("changed", "appended", "appended unsigned", "cut from the middle", "changed places"),
        *("signatures taken off", "all taken off", "the first taken off", "another key named"),
        *(
            "another signature",
            "written otherwise",
            "own key listed",
            "all by it",
            "deployment",
            "no key",
        ),
    ],
)
def test_each_forged_record_is_named(
    db: Database, how: Callable[[list[Record]], list[Record]], number: int
) -> None:
    signed(db)
    assert verified(db, KEY)[0] is None
    forge(db, how, own=MALLORY)
    assert verified(db)[0] == number
    assert verified(db, KEY)[0] == number


def test_a_record_of_another_deployment_with_the_same_key_is_named(
    db: Database, tmp_path: Path
) -> None:
    with closing(Database(f"sqlite:///{tmp_path}/other.db")) as other:
        upgrade(other)
        signed(other, count=9)
        foreign = list(audit.export(other))
        deployment = verified(other)[1].deployment
    signed(db)
    for inserted in (foreign[0], foreign[3], foreign[6]):
        before = list(audit.export(db))
        forge(db, lambda r, one=inserted: [*r[:3], one, *r[3:]])
        assert verified(db)[0] == 4
        forge(db, lambda _r, old=before: old)
        assert verified(db)[0] is None
    assert verified(db)[1].deployment != deployment


def test_a_trail_made_anew_with_another_key_holds_against_itself_alone(db: Database) -> None:
    signed(db)
    forge(db, lambda _r: [])
    with db.write() as conn:
        conn.execute(audit_head.update().values(signers=""))
    signed(db, MALLORY)
    lists(db, KEY, MALLORY)  # whose public half anybody has
    assert verified(db)[0] is None
    _, found = verified(db, KEY)
    assert (found.proven, found.unlisted) == (None, [])
    assert verified(db, OTHER)[1].unlisted == [OTHER.id]


def test_a_key_given_alone_vouches_for_no_other_that_it_has_not_listed(db: Database) -> None:
    """Such as one that somebody listed in a past which he made anew."""
    signed(db)
    lists(db, OTHER, KEY)
    signed(db, OTHER)
    signed(db, KEY)
    broken, found = verified(db, OTHER)
    assert (broken, found.proven) == (13, 8)
    assert "no given key has listed" in found.why
    assert verified(db, KEY)[0] is None


# ---- replaced, retired, missing ----------------------------------------------------------------


def test_a_retired_key_signs_nothing_more(db: Database) -> None:
    signed(db)
    lists(db, OTHER, KEY, retired=KEY)
    with pytest.raises(MayNotSign, match=f"does not list the key {KEY.id}"):
        signed(db, KEY)
    assert audit.head(db).count == 7, "nothing was written"
    with db.write() as conn:  # whoever has the old key and the database
        conn.execute(audit_head.update().values(signers=f"{KEY.id} {OTHER.id}"))
    signed(db, OTHER, 2)
    signed(db, KEY)
    for given in ((), (KEY,), (KEY, OTHER)):
        broken, found = verified(db, *given)
        assert broken == 10
        assert "was retired before it" in found.why


def test_no_key_comes_in_but_by_one_that_is_listed(db: Database) -> None:
    signed(db)
    for key in (OTHER, None):
        db.signer = key
        with pytest.raises(MayNotSign), db.write() as conn:
            audit.append(conn, None, [listing(OTHER.public, 9)])
        with pytest.raises(MayNotSign):
            note_start(db, running())
    assert verified(db, KEY)[0] is None


# ---- what signatures cannot see ------------------------------------------------------------------


def test_a_cut_tail_is_found_by_a_log_and_by_no_signature(db: Database) -> None:
    """With the database alone, its head set back; with the log of one copy as well, by that of
    another one."""
    signed(db)
    told = [(r.number, r.hash) for r in audit.export(db)]
    forge(db, lambda r: r[:4])
    assert verified(db, KEY)[0] is None
    assert held_against(db, told).broken == 5
    for _ in range(3):
        with db.write() as conn:
            audit.append(conn, "AAAA-0001", [entry("other")])
    assert verified(db, KEY)[0] is None
    assert held_against(db, told).broken == 5
    now = [(r.number, r.hash) for r in audit.export(db)]
    assert held_against(db, now).broken is None
    assert held_against(db, [*now, *told]).broken == 5


def test_nobody_writes_over_a_head_that_a_hand_has_emptied(db: Database) -> None:
    """A copy without a key can be made to write, and what it writes is named."""
    signed(db)
    with db.write() as conn:
        conn.execute(audit_head.update().values(signers=""))
    db.signer = None
    record(db)
    assert verified(db)[0] == 7
    assert verify_trail(db) == (None, Head(count=7, hash=audit.head(db).hash))


def test_what_is_recorded_without_a_key_is_as_it_was(db: Database) -> None:
    with db.write() as conn:
        audit.append(conn, "AAAA-0001", [entry()])
    (only,) = audit.export(db)
    assert (only.signature, only.key) == (None, None)
    assert verified(db)[1].first is None
