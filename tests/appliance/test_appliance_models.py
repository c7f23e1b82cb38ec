"""What is forgiven in an answer, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from bot.appliance.models import (
    Count,
    Info,
    Issue,
    Pairing,
    Replication,
    ResponseError,
    ServerInfo,
    Task,
    read_meta_errors,
)

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


REQUIRED: dict[type[BaseModel], dict[str, Any]] = {
    Pairing: {"pairing_id": "p-1"},
    Replication: {"id": "r-1"},
    Task: {"id": "a:b:c", "status": "RUNNING"},
    Issue: {},
    Info: {},
    ServerInfo: {},
    ResponseError: {},
}


@pytest.mark.parametrize("model", list(REQUIRED), ids=lambda m: m.__name__)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_optional_field_makes_an_answer_unreadable(
    model: type[BaseModel], data: st.DataObject
) -> None:
    optional = [name for name in model.model_fields if name not in REQUIRED[model]]
    odd = data.draw(st.dictionaries(st.sampled_from([*optional, "_meta", "new"]), JSON))
    read = model.model_validate({**odd, **REQUIRED[model]})
    # What was read can be stored and read again as it is.
    stored = read.model_dump_json()
    assert not any("\x00" in text for text in texts(read.model_dump()))
    assert model.model_validate(json.loads(stored)) == read


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
    for model, field in ((Pairing, "pairing_id"), (Replication, "id"), (Task, "id")):
        with pytest.raises(ValidationError):
            model.model_validate({**REQUIRED[model], field: value})
        with pytest.raises(ValidationError):
            model.model_validate({k: v for k, v in REQUIRED[model].items() if k != field})


@pytest.mark.parametrize("value", [None, "", " ", 1, True, ["SUCCESS"]])
def test_a_task_without_a_status_is_no_task(value: object) -> None:
    with pytest.raises(ValidationError):
        Task.model_validate({"id": "t", "status": value})


@pytest.mark.parametrize("value", [None, -1, 1.5, "3", True, 2**63])
def test_a_count_is_a_count(value: object) -> None:
    with pytest.raises(ValidationError):
        Count.model_validate({"count": value})
    assert Count.model_validate({"count": 0}).count == 0


@pytest.mark.parametrize(
    ("value", "millis"),
    [
        (1700000000123, 1700000000123),
        (1700000000123.0, 1700000000123),
        ("1700000000123", 1700000000123),
        ("2023-11-14T22:13:20.123Z", 1700000000123),
        ("2023-11-14T22:13:20.123+0000", 1700000000123),
        ("2023-11-15T00:13:20.123+02:00", 1700000000123),
        ("2023-11-14T22:13:20.123", 1700000000123),
        (0, 0),
        (-1, -1),
        (None, None),
        ("", None),
        ("soon", None),
        ("9" * 5000, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (2**63, None),
        (2**62, None),
        ({}, None),
        ("9999-12-31T23:59:59-23:59", None),
    ],
)
def test_times_of_both_versions(value: object, millis: int | None) -> None:
    assert Issue.model_validate({"timestamp": value}).timestamp == millis


def test_a_task_error_in_every_form() -> None:
    def error(value: object) -> tuple[str | None, str | None] | None:
        found = Task.model_validate({"id": "t", "status": "ERROR", "error": value}).error
        return None if found is None else (found.message, found.details)

    assert error(None) is None
    assert error({"message": "m", "details": "d"}) == ("m", "d")
    assert error({"message": None, "details": ["a", 1]}) == (None, '["a",1]')
    assert error("only words") == ("only words", None)


def test_unknown_words_pass() -> None:
    assert Task.model_validate({"id": "t", "status": "TELEPORTING"}).status == "TELEPORTING"
    server = Pairing.model_validate(
        {"pairing_id": "p", "local_vrms": {"server_status": "PURPLE"}, "remote_vrms": "broken"}
    )
    assert server.local_vrms is not None
    assert server.local_vrms.server_status == "PURPLE"
    assert server.remote_vrms is None
    assert Issue.model_validate({"issue_type": "NEW"}).issue_type == "NEW"


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
    assert len(read_meta_errors(meta)) == count


def test_models_cannot_be_changed() -> None:
    task = Task.model_validate({"id": "t", "status": "RUNNING"})
    with pytest.raises(ValidationError):
        task.status = "SUCCESS"


def test_progress_stays_a_percentage() -> None:
    found = [
        Task.model_validate({"id": "t", "status": "X", "progress": p}).progress
        for p in (-5, 0, 42, 100, 900, "7", None, "x", True)
    ]
    assert found == [0, 0, 42, 100, 100, 7, None, None, None]
