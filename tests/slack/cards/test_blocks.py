"""Blocks are held to Slack's limits where they are made, whatever is put into them."""

from __future__ import annotations

from bot.slack.draw import markup
from bot.slack.draw.markup import button, buttons, context, drawn, header, section
from tests.slack.cards.slack_checker import problems, size, strings


def test_the_longest_sections_give_way_and_the_short_ones_stay() -> None:
    short = [section("short"), header("head"), context("small")]
    made = drawn("t", *short, *[section("&amp;" * 700) for _ in range(6)])
    texts = list(strings(made))[1:]
    assert sum(map(size, texts)) <= markup.ALL_BLOCKS_TEXT
    assert texts[:3] == ["short", "head", "small"]
    assert problems(made) == []


def test_nothing_is_cut_where_there_is_room() -> None:
    made = drawn("t", *[section("x" * 2_900) for _ in range(4)])
    assert list(strings(made))[1:] == ["x" * 2_900] * 4


def test_each_block_is_cut_to_its_own_limit() -> None:
    long = "&lt;" * 1_000
    pressed = button("B", "unpair_look", "K7QM-3XPD:ab", label="L" * 200)
    made = drawn(long, header("h" * 200), section(long), context(long), buttons(pressed), None)
    assert problems(made) == []
    assert len(made.blocks) == 4
