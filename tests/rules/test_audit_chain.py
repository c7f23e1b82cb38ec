"""The audit chain: each planted change is found, at the first record that is not as written."""

from __future__ import annotations

import json

import pytest

from bot.request.audit_chain import Head, Record, link, started, verify
from bot.request.who_may import Policy
from tests.rules.samples import running


def chain(length: int = 5) -> tuple[list[Record], Head]:
    head, records = Head(), []
    for number in range(length):
        columns = {
            "at": 1_000 + number,
            "request_id": "AAAA-BBBB",
            "actor": "U1",
            "action": "asked",
            "message": None,
            "before": None,
            "after": "checking",
            "detail": {"n": number, "words": "größer"},
        }
        record = link(head, columns)
        head = Head(count=record.number, hash=record.hash)
        records.append(record)
    return records, head


def test_a_whole_chain_is_whole() -> None:
    assert verify(*chain()) is None
    assert verify([], Head()) is None


@pytest.mark.parametrize(
    "column", ["at", "request_id", "actor", "action", "message", "before", "after", "detail"]
)
def test_a_change_in_any_column_is_found(column: str) -> None:
    records, head = chain()
    changed: object = {"n": 9} if column == "detail" else 7 if column == "at" else "other"
    records[2] = records[2].model_copy(update={column: changed})
    assert verify(records, head) == 3


@pytest.mark.parametrize(("which", "number"), [(2, 3), (4, 5)], ids=["by the next", "by the head"])
def test_a_change_with_its_hash_made_anew_is_found(which: int, number: int) -> None:
    records, head = chain()
    changed = records[which].model_copy(update={"actor": "U2"})
    records[which] = changed.model_copy(update={"hash": changed.expected_hash})
    assert verify(records, head) == number


def head_at(record: Record) -> Head:
    return Head(count=record.number, hash=record.hash)


def written(head: Head, like: Record, **changes: object) -> Record:
    """A made-up record that is in whole chain with what was before `head`."""
    columns = like.model_dump(exclude={"number", "previous", "hash"})
    return link(head, {**columns, **changes})


def renumbered(records: list[Record]) -> list[Record]:
    """As somebody would who knows that a gap is found."""
    return [r.model_copy(update={"number": n}) for n, r in enumerate(records, 1)]


(A, B, C, D, E), HEAD = chain()
EXTRA = written(head_at(B), C, actor="U9")
SECOND = written(head_at(EXTRA), C, actor="U9")
BEFORE_ALL = written(Head(count=0, hash="f" * 64), A)


@pytest.mark.parametrize(
    ("records", "number"),
    [
        pytest.param([B, C, D, E], 1, id="the first removed"),
        pytest.param([A, B, D, E], 3, id="one removed"),
        pytest.param([A, B, C, D], 5, id="the last removed"),
        pytest.param([A, B], 3, id="a tail cut off"),
        pytest.param([A, B, C, EXTRA, D, E], 3, id="one inserted"),
        pytest.param([A, B, C, D, E, written(HEAD, C)], 6, id="one appended"),
        pytest.param([A, C, B, D, E], 2, id="two that changed places"),
        pytest.param(renumbered([A, B, EXTRA, C, D, E]), 3, id="inserted, the others made room"),
        pytest.param(renumbered([A, B, EXTRA, SECOND, C, D, E]), 3, id="two inserted, the same"),
        pytest.param(renumbered([A, B, D, E]), 3, id="removed, and its gap closed"),
        pytest.param(renumbered([A, C, B, D, E]), 2, id="changed places, and numbers"),
        pytest.param(renumbered([A, B, C, D, E, E]), 6, id="one twice"),
        pytest.param([BEFORE_ALL, B, C, D, E], 1, id="something before the first"),
    ],
)
def test_the_first_that_is_not_as_written_is_named(records: list[Record], number: int) -> None:
    assert verify(records, HEAD) == number


@pytest.mark.parametrize(("left", "number"), [(4, 4), (0, 1)])
def test_a_tail_that_the_count_of_the_head_hides_is_found(left: int, number: int) -> None:
    assert verify([A, B, C, D, E][:left], HEAD.model_copy(update={"count": left})) == number


# ---- what a start writes down -------------------------------------------------------------------


def test_every_part_of_the_policy_is_named() -> None:
    entry = started(running(), None, 7)
    assert (entry.action, entry.actor, entry.at) == ("started", "vr-unpair", 7)
    assert set(entry.detail) == {"version", "mode", "command", *Policy.model_fields}
    assert entry.detail["pools"] == [{"name": "", "needed": 1, "listed": ["S1", "U1", "U2"]}]
    assert entry.detail["sites"]["default"]["appliance"] == "vr.example.net"
    json.dumps(entry.detail)


def test_what_differs_from_the_start_before_is_named() -> None:
    before = started(running(), None, 1).detail
    assert started(running(), before, 2).detail["changed"] == {}
    after = started(running(dry_run=False, approvers=frozenset({"U1"})), before, 3).detail
    assert after["changed"].pop("dry_run") == {"before": True, "after": False}
    assert set(after["changed"]) == {"pools", "force_pools"}
    assert after["changed"]["pools"]["after"] == [{"name": "", "needed": 1, "listed": ["U1"]}]
    again = started(running(dry_run=False, approvers=frozenset({"U1"})), after, 4).detail
    assert again["changed"] == {}, "what changed at the start before is not compared"
    del before["label"]  # as another version, which did not know it
    changed = started(running(), before, 2).detail["changed"]
    assert changed == {"label": {"before": None, "after": "production"}}
