"""What is forgiven in an answer, and what is not, and what the core is told of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bot.appliance import models
from bot.appliance.appliance import snapshot
from bot.appliance.listing import Listing, MetaError, meta_errors
from bot.appliance.models import Replicated, Unreadable
from bot.request.fingerprint import differences
from bot.request.pairing import Pairing, Server

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

Reader = Callable[[dict[str, Any]], Any]

READERS: dict[str, tuple[Reader, dict[str, Any], tuple[str, ...]]] = {
    "pairing": (models.pairing, {"pairing_id": "p-1"}, SERVERS),
    "replicated": (models.replicated, {"id": "r-1"}, ("name", "recovery_solution")),
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
    told = read.model_dump() if isinstance(read, BaseModel) else asdict(read)
    assert not any("\x00" in text for text in texts(told))
    if isinstance(read, BaseModel):
        # What was read can be stored and read again as it is.
        assert type(read).model_validate(json.loads(read.model_dump_json())) == read


NO_ID: list[Any] = [
    None,
    "",
    " ",
    ".",
    "..",
    7,
    True,
    [],
    {},
    "a\nb",
    "a\x00",
    "\ud800",
    "x" * 256,
]


@pytest.mark.parametrize("value", NO_ID)
def test_identity_is_not_forgiven(value: object) -> None:
    for what, field in (("pairing", "pairing_id"), ("replicated", "id"), ("task", "id")):
        reader, required, _ = READERS[what]
        with pytest.raises(Unreadable, match=field):
            reader({**required, field: value})
        with pytest.raises(Unreadable, match=field):
            reader({k: v for k, v in required.items() if k != field})


@pytest.mark.parametrize("value", [None, "", " ", 1, True, ["SUCCESS"], "a\x00", "x" * 301])
def test_a_task_without_a_status_is_no_task(value: object) -> None:
    with pytest.raises(Unreadable, match="status"):
        models.task({"id": "t", "status": value})


@pytest.mark.parametrize("value", [None, -1, 1.5, "3", True, 2**63])
def test_a_count_is_a_count(value: object) -> None:
    with pytest.raises(Unreadable, match="count"):
        models.count({"count": value})
    assert models.count({"count": 0}) == 0


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
FOUND = Pairing(
    id="p1", local_vc=Server(), remote_vc=Server(), local_vrms=Server(), remote_vrms=Server()
)


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
    made = snapshot(FOUND, 0, Listing(errors=(AWAY,)), Listing(errors=(AWAY,)), (), now=1)
    assert made.partial == (AWAY.words,)
    assert not made.complete


def test_replications_are_kept_with_id_and_name_the_first_of_them_by_name() -> None:
    items = [Replicated(f"r{n}", f"vm-{9_999 - n}") for n in range(1_200)]
    items.append(models.replicated({"id": "nameless"}))
    made = snapshot(FOUND, 1_201, Listing(items=tuple(items)), Listing(), (), now=1)
    assert len(made.replications) == 1_000
    first = made.replications[0]
    assert (first.id, first.name) == ("nameless", "nameless")
    assert (made.replications[1].id, made.replications[1].name) == ("r1199", "vm-8800")
    assert not made.all_named
    few = snapshot(FOUND, 2, Listing(items=tuple(items[:2])), Listing(), (), now=1)
    assert few.all_named


FEWER = MetaError(message="4 announced", ours=True)
LISTED = tuple(Replicated(f"r{n}", f"r{n}") for n in range(3))
WHOLE = Listing[Replicated](items=LISTED)


@pytest.mark.parametrize(
    ("listed", "counted", "down"),
    [
        (WHOLE, 4, False),
        (
            Listing[Replicated](items=LISTED, errors=(FEWER,)),
            4,
            False,
        ),
        (Listing[Replicated](items=LISTED, errors=(AWAY,)), 3, True),
        (
            Listing[Replicated](items=LISTED, errors=(AWAY, FEWER)),
            4,
            True,
        ),
    ],
)
def test_only_the_appliances_own_word_makes_a_remote_site_unreachable(
    listed: Listing[Replicated], counted: int, down: bool
) -> None:
    """A list that moved while it was read is no reason for a force, and so none that can go."""
    shown = snapshot(FOUND, counted, listed, Listing(), (), now=1)
    assert (shown.complete, shown.remote_down) == (False, down)
    later = snapshot(FOUND, 3, WHOLE, Listing(), (), now=2)
    told = "\n".join(differences(shown, later, force=True))
    assert ("remote site: was unreachable" in told) is down
