"""What is forgiven in an answer, and what is not."""

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
from bot.appliance.listing import meta_errors
from bot.appliance.models import Unreadable

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
