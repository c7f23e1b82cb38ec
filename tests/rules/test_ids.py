"""Ids of requests are speakable, and found again however they were typed."""

from __future__ import annotations

import pytest

from bot.request.model import ALPHABET, new_request_id, tidy_id


def test_form_and_variety() -> None:
    made = {new_request_id() for _ in range(500)}
    assert len(made) == 500
    assert all(len(i) == 9 and i[4] == "-" and set(i) <= {*ALPHABET, "-"} for i in made)


def test_found_however_typed() -> None:
    identity = new_request_id()
    for typed in (identity, identity.lower(), identity.replace("-", ""), f" {identity} "):
        assert tidy_id(typed) == identity


@pytest.mark.parametrize("typed", ["", "AAAA", "AAAA-BBBBB", "0OIL-1111", "<@U1>", "%"])
def test_what_cannot_be_an_id(typed: str) -> None:
    assert tidy_id(typed) is None
