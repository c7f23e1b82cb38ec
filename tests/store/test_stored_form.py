"""OLDEST_PROGRAM says who may work on what is stored, and that is more than the tables."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import TypeAdapter

from bot.core.entries import Answer
from bot.core.events import Event
from bot.core.request import Request
from bot.store.schema import OLDEST_PROGRAM, STORED_FORM

WORDS = frozenset({"title", "description", "default"})
"""Of a schema: what another program can read all the same."""


def bare(schema: Any) -> Any:
    if isinstance(schema, dict):
        # What is named like one of the words may be a field: then it is a schema itself.
        kept = {k: v for k, v in schema.items() if k not in WORDS or isinstance(v, dict)}
        return {key: bare(value) for key, value in kept.items()}
    return [bare(each) for each in schema] if isinstance(schema, list) else schema


def test_what_is_stored_changes_on_purpose() -> None:
    stored = [TypeAdapter(kind).json_schema() for kind in (Request, Event, Answer)]
    form = json.dumps(bare(stored), sort_keys=True)
    found = hashlib.sha256(form.encode()).hexdigest()[:16]
    assert found == STORED_FORM, (
        f"Requests, events or answers are stored in another form now ({found}). A program from "
        f"before cannot read them and leaves them alone. Before a release: does {OLDEST_PROGRAM}, "
        "the OLDEST_PROGRAM of bot/store/schema.py, still name one that can? If not, raise it with "
        'a migration, and say "stop all copies first" in CHANGELOG.md under Upgrading. Then write '
        "the new form into STORED_FORM."
    )
