"""Buttons and modals come back from a person's client: whatever they carry, it is not an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.request.model import new_request_id
from bot.slack.draw.ids import ButtonValue, ReasonOrigin
from tests.slack.cards.hostile import FOREIGN
from tests.slack.cards.words_page import PRESSED


def test_every_new_id_fits_into_a_button() -> None:
    for _ in range(50):
        value = ButtonValue(request_id=new_request_id(), fingerprint="0123456789abcdef")
        assert value.pack() == f"{value.request_id}:0123456789abcdef"
        assert ButtonValue.unpack(value.pack()) == value


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "",
        ":",
        "K7QM-3XPD",
        "K7QM-3XPD:",
        ":abc",
        "K7QM-3XPD:a:b",
        "K7QM-3XPD:ab\n",
        "k7qm-3xpd:ab",
        "K7QM-3XPD :ab",
        "K7QM-3XPD:" + "a" * 65,
        "A" * 41 + ":ab",
        "é:ab",
    ],
)
def test_nonsense_is_no_button_of_ours(value: object) -> None:
    assert ButtonValue.unpack(value) is None


@given(value=st.one_of(FOREIGN, st.none(), st.integers(), st.binary(), st.lists(st.text())))
def test_foreign_values_never_raise(value: object) -> None:
    found = ButtonValue.unpack(value)
    assert found is None or found.pack() == value
    assert ReasonOrigin.unpack(value) is None


def test_the_origin_of_a_denial_comes_back() -> None:
    assert ReasonOrigin.unpack(PRESSED.pack()) == PRESSED
    assert len(PRESSED.pack()) < 3_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("request_id", "<@U1>"),
        ("fingerprint", ""),
        ("channel", ""),
        ("message_ts", "now\n"),
        ("opened_by", -1),
        ("opened_by", None),
        ("opened_by", "17"),
        ("ours", 1),
        ("ours", "yes"),
        ("more", 1),
    ],
)
def test_a_changed_origin_is_none(field: str, value: object) -> None:
    packed = ReasonOrigin.model_construct(**{**PRESSED.model_dump(), field: value})
    raw = packed.model_dump_json(warnings=False) if field != "more" else '{"more": 1}'
    assert ReasonOrigin.unpack(raw) is None
