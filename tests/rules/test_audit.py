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


def test_a_change_with_its_hash_made_anew_is_found_by_the_next() -> None:
    records, head = chain()
    changed = records[2].model_copy(update={"actor": "U2"})
    records[2] = changed.model_copy(update={"hash": changed.expected_hash})
    assert verify(records, head) == 3


def test_the_last_one_changed_with_its_hash_made_anew_is_found_by_the_head() -> None:
    records, head = chain()
    changed = records[4].model_copy(update={"actor": "U2"})
    records[4] = changed.model_copy(update={"hash": changed.expected_hash})
    assert verify(records, head) == 5


@pytest.mark.parametrize(("cut", "number"), [(0, 1), (2, 3), (4, 5)])
def test_a_removed_record_is_named(cut: int, number: int) -> None:
    records, head = chain()
    del records[cut]
    assert verify(records, head) == number


def test_a_cut_off_tail_is_found() -> None:
    records, head = chain()
    assert verify(records[:2], head) == 3


@pytest.mark.parametrize(("left", "number"), [(4, 4), (0, 1)])
def test_a_tail_that_the_count_of_the_head_hides_is_found(left: int, number: int) -> None:
    records, head = chain()
    assert verify(records[:left], head.model_copy(update={"count": left})) == number


def test_an_inserted_record_is_named() -> None:
    records, head = chain()
    extra = link(Head(count=2, hash=records[1].hash), {**_columns(records[2]), "actor": "U9"})
    assert verify([*records[:3], extra, *records[3:]], head) == 3
    appended = link(Head(count=5, hash=records[4].hash), _columns(records[2]))
    assert verify([*records, appended], head) == 6


def test_reordered_records_are_found() -> None:
    records, head = chain()
    records[1], records[2] = records[2], records[1]
    assert verify(records, head) == 2


def renumbered(records: list[Record]) -> list[Record]:
    """As somebody would who knows that a gap is found."""
    return [r.model_copy(update={"number": n}) for n, r in enumerate(records, 1)]


@pytest.mark.parametrize("forged", [1, 2])
def test_records_inserted_where_the_others_made_room_are_named(forged: int) -> None:
    records, head = chain()
    at, extra = Head(count=2, hash=records[1].hash), []
    for _ in range(forged):
        extra.append(link(at, {**_columns(records[2]), "actor": "U9"}))
        at = Head(count=extra[-1].number, hash=extra[-1].hash)
    assert verify(renumbered([*records[:2], *extra, *records[2:]]), head) == 3


def test_a_removed_record_whose_gap_was_closed_is_named() -> None:
    records, head = chain()
    assert verify(renumbered([*records[:2], *records[3:]]), head) == 3


def test_records_that_changed_places_are_named() -> None:
    records, head = chain()
    assert verify(renumbered([records[0], records[2], records[1], *records[3:]]), head) == 2


def test_a_record_that_stands_there_twice_is_named() -> None:
    records, head = chain()
    assert verify(renumbered([*records, records[4]]), head) == 6


def test_a_first_record_with_something_before_it_is_named() -> None:
    records, head = chain()
    made_up = link(Head(count=0, hash="f" * 64), _columns(records[0]))
    assert verify([made_up, *records[1:]], head) == 1


def _columns(record: Record) -> dict[str, object]:
    return record.model_dump(exclude={"number", "previous", "hash"})


# ---- what a start writes down -------------------------------------------------------------------


def test_every_part_of_the_policy_is_named() -> None:
    entry = started(running(), None, 7)
    assert (entry.action, entry.actor, entry.at) == ("started", "vr-unpair", 7)
    assert set(entry.detail) == {"version", "mode", "command", *Policy.model_fields}
    assert entry.detail["approvers"] == ["S1", "U1", "U2"]
    assert entry.detail["sites"]["east"]["appliance"] == "vr.example.net"
    json.dumps(entry.detail)


def test_what_differs_from_the_start_before_is_named() -> None:
    before = started(running(), None, 1).detail
    assert started(running(), before, 2).detail["changed"] == {}
    after = started(running(dry_run=False, approvers=frozenset({"U1"})), before, 3).detail
    assert after["changed"] == {
        "approvers": {"before": ["S1", "U1", "U2"], "after": ["U1"]},
        "dry_run": {"before": True, "after": False},
    }
    again = started(running(dry_run=False, approvers=frozenset({"U1"})), after, 4).detail
    assert again["changed"] == {}, "what changed at the start before is not compared"


def test_what_another_version_did_not_know_is_a_change() -> None:
    before = started(running(), None, 1).detail
    del before["label"]
    changed = started(running(), before, 2).detail["changed"]
    assert changed == {"label": {"before": None, "after": "production"}}
