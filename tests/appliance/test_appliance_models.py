"""What is forgiven in an answer, and what is not, and what the core is told of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bot.appliance import models
from bot.appliance.appliance import snapshot
from bot.appliance.listing import Listing, MetaError, meta_errors
from bot.appliance.models import Unreadable
from bot.request.fingerprint import differences
from bot.request.pairing import NAME_KEPT, Pairing, Replication, Snapshot

# Lone surrogates and NUL included: JSON can hold them, UTF-8 and PostgreSQL cannot.
TEXT = st.text(st.characters(exclude_categories=()), max_size=5) | st.just("2023-11-14T22:13:20Z")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


def texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from texts(part)
    elif isinstance(value, str):
        yield value


SERVERS = ("local_vc_server", "remote_vc_server", "local_vrms", "remote_vrms")
SERVER = ("id", "name", "server_status", "version")

Reader = Callable[[dict[str, Any]], BaseModel]

READERS: dict[str, tuple[Reader, dict[str, Any], tuple[str, ...]]] = {
    "pairing": (models.pairing, {"pairing_id": "p-1"}, SERVERS),
    "replication": (models.replication, {"id": "r-1"}, ("name", "recovery_solution")),
    "task": (
        models.task,
        {"id": "a:b:c", "status": "RUNNING"},
        ("progress", "entity", "description", "error"),
    ),
    "issue": (models.issue, {}, ("entity_name", "description", "status")),
    "server": (models.server, {}, SERVER),
}
"""How each is read, with what it must have, and what it may have."""


@pytest.mark.parametrize("what", READERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_optional_field_makes_an_answer_unreadable(what: str, data: st.DataObject) -> None:
    reader, required, optional = READERS[what]
    inner = st.dictionaries(st.sampled_from([*SERVER, "message", "details"]), JSON)
    odd = data.draw(st.dictionaries(st.sampled_from([*optional, "_meta", "new"]), JSON | inner))
    read = reader({**odd, **required})
    assert not any("\x00" in text for text in texts(read.model_dump()))
    # What was read can be stored and read again as it is.
    assert type(read).model_validate(json.loads(read.model_dump_json())) == read


NO_ID: list[Any] = [None, "", " ", ".", "..", 7, True, [], {}, "a\nb", "a\x00", "\ud800", "x" * 256]
NO_STATUS = [None, "", " ", 1, True, ["SUCCESS"], "a\x00", "x" * 301]
NO_COUNT = [None, -1, 1.5, "3", True, 2**63]


@pytest.mark.parametrize(
    ("reader", "required", "field", "values"),
    [
        (models.pairing, {}, "pairing_id", NO_ID),
        (models.replication, {}, "id", NO_ID),
        (models.task, {"status": "RUNNING"}, "id", NO_ID),
        (models.task, {"id": "t"}, "status", NO_STATUS),
        (models.count, {}, "count", NO_COUNT),
    ],
)
def test_identity_status_and_count_are_not_forgiven(
    reader: Callable[[dict[str, Any]], object],
    required: dict[str, Any],
    field: str,
    values: list[Any],
) -> None:
    for found in (required, *({**required, field: value} for value in values)):
        with pytest.raises(Unreadable, match=field):
            reader(found)


def test_a_task_error_in_every_form() -> None:
    def error(value: object) -> tuple[str | None, str | None]:
        found = models.task({"id": "t", "status": "ERROR", "error": value})
        return found.error_message, found.error_details

    assert error(None) == (None, None)
    assert error({"message": "m", "details": "d"}) == ("m", "d")
    assert error({"message": None, "details": ["a", 1]}) == (None, '["a",1]')
    assert error("only words") == ("only words", None)


@pytest.mark.parametrize(
    ("meta", "count"),
    [
        ({}, 0),
        ({"errors": None}, 0),
        ({"errors": []}, 0),
        ({"errors": [{"code": "C", "message": "m", "field": "$"}]}, 1),
        ({"errors": [{"code": 1}, "odd", None]}, 3),
        ({"errors": "odd"}, 1),
    ],
)
def test_no_word_about_what_is_missing_is_lost(meta: dict[str, object], count: int) -> None:
    assert len(meta_errors(meta)) == count


def test_progress_stays_a_percentage() -> None:
    found = [
        models.task({"id": "t", "status": "X", "progress": p}).progress
        for p in (-5, 0, 42, 100, 900, "7", None, "x", True, "9" * 5000, float("nan"), 2**63)
    ]
    assert found == [0, 0, 42, 100, 100, 7, None, None, None, None, None, None]


def test_which_tasks_have_ended() -> None:
    known = ["QUEUED", "RUNNING", "SUCCESSFUL", "success", "SUCCESS", "ERROR", "CANCELLED"]
    ended = [s for s in known if models.task({"id": "t", "status": s}).ended]
    assert ended == ["SUCCESS", "ERROR", "CANCELLED"]


# ---- answers that are not whole ------------------------------------------------------------------

AWAY = MetaError(
    code="REMOTE_SITE_UNREACHABLE", message="The remote site cannot be reached.", field="$.list"
)
FOUND = Pairing(id="p1")


def read(
    counted: int, listed: Listing[Replication], errors: tuple[MetaError, ...] = ()
) -> Snapshot:
    return snapshot(FOUND, counted, listed, Listing(errors=errors), (), now=1)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AWAY, "The remote site cannot be reached (REMOTE_SITE_UNREACHABLE)"),
        (MetaError(message="It is away."), "It is away."),
        (MetaError(code="a.b.CODE."), "a.b.CODE."),
        (MetaError(), "part of the answer is missing"),
    ],
)
def test_a_gap_is_one_line_with_the_code_as_it_came(error: MetaError, words: str) -> None:
    assert error.words == words


def test_one_cause_in_two_lists_is_said_once() -> None:
    made = read(0, Listing(errors=(AWAY,)), errors=(AWAY,))
    assert made.partial == (AWAY.words,)
    assert not made.complete


def vms(*names: str) -> tuple[Replication, ...]:
    return tuple(Replication(id=f"r{n}", name=name) for n, name in enumerate(names))


def test_replications_are_kept_with_id_and_name_the_first_of_them_by_name() -> None:
    many = vms(*(f"vm-{9_999 - n}" for n in range(1_200)))
    nameless = models.replication({"id": "n" * (NAME_KEPT + 1)})
    made = read(1_201, Listing((*many, nameless)))
    kept = [(each.id, each.name) for each in made.replications]
    assert len(kept) == 1_000
    assert kept[:2] == [("n" * (NAME_KEPT + 1), "n" * NAME_KEPT), ("r1199", "vm-8800")]
    assert not made.all_named
    assert read(2, Listing(many[:2])).all_named


FEWER = MetaError(message="4 announced", ours=True)
LISTED = vms("a", "b", "c")


@pytest.mark.parametrize(
    ("errors", "counted", "down"),
    [((), 4, False), ((FEWER,), 4, False), ((AWAY,), 3, True), ((AWAY, FEWER), 4, True)],
)
def test_only_the_appliances_own_word_makes_a_remote_site_unreachable(
    errors: tuple[MetaError, ...], counted: int, down: bool
) -> None:
    """A list that moved while it was read is no reason for a force, and so none that can go."""
    shown = read(counted, Listing(LISTED, errors))
    assert (shown.complete, shown.remote_down) == (False, down)
    told = "\n".join(differences(shown, read(3, Listing(LISTED)), force=True))
    assert ("remote site: was unreachable" in told) is down


def test_a_recovery_plan_that_cannot_be_read_makes_the_reading_partial() -> None:
    """null is none, and another solution than Site Recovery Manager is none of its plans."""
    told = (None, "", "com.vmware.vcDr", "com.vmware.vcDr.SRM", "other", {"name": "SRM"}, 0)
    made = [
        models.replication({"id": f"r{n}", "name": f"vm-{n}", "recovery_solution": each})
        for n, each in enumerate(told)
    ]
    assert [each.protected for each in made] == [False, False, True, True, False, None, None]
    shown = read(len(made), Listing(tuple(made)))
    assert (shown.complete, shown.remote_down, shown.protected) == (False, False, 2)
    assert shown.partial == ("whether a recovery plan protects vm-5 and 1 more cannot be read",)
    assert read(5, Listing(tuple(made[:5]))).complete
