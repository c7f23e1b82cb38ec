from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import parse_duration
from bot.settings.values import LONGEST_MS

UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@pytest.mark.parametrize(
    ("text", "value_ms"),
    [
        ("90s", 90_000),
        ("15m", 900_000),
        ("1h", 3_600_000),
        ("2d", 172_800_000),
        (" 1h ", 3_600_000),
        ("365d", LONGEST_MS),
    ],
)
def test_documented_forms(text: str, value_ms: int) -> None:
    assert parse_duration(text) == value_ms


@given(st.sampled_from("smhd"), st.data())
def test_every_whole_number_of_a_unit(unit: str, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, LONGEST_MS // UNITS_MS[unit]))
    assert parse_duration(f"{number}{unit}") == number * UNITS_MS[unit]


@given(st.sampled_from("smhd"), st.data())
def test_longer_than_a_year_is_refused(unit: str, data: st.DataObject) -> None:
    number = data.draw(st.integers(LONGEST_MS // UNITS_MS[unit] + 1, 10**12))
    with pytest.raises(ValueError, match=r"365d or less|must be a duration"):
        parse_duration(f"{number}{unit}")


@given(st.text(max_size=12))
def test_any_text_gives_a_duration_or_a_printable_sentence(text: str) -> None:
    form = re.fullmatch(r"0*([1-9][0-9]{0,6})([smhd])", text.strip())
    if form is None:
        with pytest.raises(ValueError, match=r"\Amust be [^\x00-\x1f]+\Z"):
            parse_duration(text)
    else:
        assert parse_duration(text) == int(form[1]) * UNITS_MS[form[2]]


@pytest.mark.parametrize(
    "text",
    ["", "5", "1.5h", "1h30m", "-5m", "+5m", "15M", "15 m", "5w", "٣m", "1_0s", "1e3s", "0s", "0"],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0", "0s", "0m", "00h"])
def test_zero_only_where_it_means_never(text: str) -> None:
    assert parse_duration(text, zero_allowed=True) == 0
