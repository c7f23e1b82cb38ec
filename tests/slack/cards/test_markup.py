"""Escaped, then cut: never through an entity, and nothing leaves the span it was put in."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import ActionsBlock

from bot.slack.draw import limits, markup
from bot.slack.draw.markup import button, context, drawn, header, section
from tests.slack.cards.hostile import FOREIGN
from tests.slack.cards.slack_checker import problems, size, strings

LIMITS = st.integers(16, 60)


@given(text=FOREIGN, limit=LIMITS)
def test_every_way_to_show_foreign_text_keeps_its_limit_and_its_entities(
    text: str, limit: int
) -> None:
    made = [f(text, limit) for f in (markup.line, markup.code)]
    for shown in [*made, markup.fence(text, limit), markup.sentence(text, limit - 1)]:
        assert size(shown) <= limit
        assert "<" not in shown
        # Undone and done again it is the same: no entity was cut in two.
        assert html.escape(html.unescape(shown), quote=False) == shown


@given(text=FOREIGN)
def test_short_text_is_shown_as_it_came(text: str) -> None:
    words = " ".join(markup.tidy(text).split()).replace("`", markup.GRAVE)
    assert html.unescape(markup.code(text, 100_000)) == f"`{words or '(empty)'}`"


def test_cut_shows_that_it_was_cut() -> None:
    assert markup.line("abcdef", 6) == "abcdef"
    assert markup.line("abcdefg", 6) == "abcde…"
    assert markup.line("abc&&", 8) == "abc…"
    assert markup.line("👍👍👍👍", 6) == "👍👍…"


@given(text=FOREIGN, limit=LIMITS)
def test_nothing_leaves_a_code_span(text: str, limit: int) -> None:
    shown = markup.code(text, limit)
    assert shown[0] == shown[-1] == "`"
    assert "`" not in shown[1:-1]
    assert "\n" not in shown
    assert len(shown) > 2


@given(text=FOREIGN)
def test_nothing_leaves_a_block_of_code(text: str) -> None:
    shown = markup.fence(text, 2_000)
    assert shown.startswith("```\n")
    assert shown.endswith("\n```")
    assert "```" not in shown[3:-3]


def test_what_stands_unseen_between_three_backticks_does_not_end_a_block_of_code() -> None:
    assert markup.fence("a `\x00`` *b*") == "```\na \u02cb\u02cb\u02cb *b*\n```"


@pytest.mark.parametrize("limit", range(1, 60))
def test_a_block_of_code_that_is_cut_is_closed(limit: int) -> None:
    cut = markup.fit(f"before {markup.fence('*bold* words')} between {markup.fence('more')}", limit)
    assert size(cut) <= limit
    assert cut.count("```") % 2 == 0
    assert "`" not in cut.replace("```", "")
    inline = markup.fit(f"is {markup.code('*bold* words')} and {markup.code('*more*')}", limit)
    assert size(inline) <= limit
    assert inline.count("`") % 2 == 0 or limit == 1
    assert "bold" not in cut.replace("*", "").partition("```")[0]


@given(text=FOREIGN)
def test_plain_text_has_nothing_that_slack_could_read(text: str) -> None:
    shown = markup.plain(text, 40)
    assert size(shown) <= 40
    assert not set("<>\n`") & set(shown)


@pytest.mark.parametrize("limit", range(1, 60))
def test_what_is_escaped_already_is_cut_between_its_pieces(limit: int) -> None:
    whole = "a &amp; <@U123> <!date^1^{date_short_pretty} {time}|x> &lt;b"
    cut = markup.fit(whole, limit)
    assert size(cut) <= limit
    kept = cut.removesuffix("…")
    assert whole.startswith(kept)
    for token in ("&amp;", "<@U123>", "&lt;"):
        assert not any(kept.endswith(token[:n]) for n in range(1, len(token)))


def test_directions_and_control_characters_are_dropped() -> None:
    assert markup.tidy("a\u202eb\x00c\x1b[2J\r\nd\u2028e\td\u2066") == "abc[2J\nd\ne\td"


@pytest.mark.parametrize(
    "text", ["\u200b", " \u2060\n\ufeff ", "\u3164", "\u2800\u2800", "\u00ad\ufe0f", "\U000e0041"]
)
def test_what_cannot_be_seen_is_nothing(text: str) -> None:
    assert markup.tidy(text) == ""
    assert markup.code(text) == "`(empty)`"


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u200d", "\u2060", "\ufe0f", "\ufeff", "\U000e0041\U000e0042", "\u202e"]
)
def test_what_cannot_be_seen_is_not_in_a_name(unseen: str) -> None:
    """Otherwise two names look alike, or say to a machine what no person reads."""
    assert markup.code(f"db{unseen}-01") == "`db-01`"


@pytest.mark.parametrize(
    "text", ["\u0646\u200c\u0647", "\U0001f468\u200d\U0001f4bb", "\u2764\ufe0f"]
)
def test_what_joins_letters_and_emoji_stays(text: str) -> None:
    assert markup.tidy(text) == text


def test_half_a_pair_can_be_sent() -> None:
    assert markup.line("a\ud800b", 9).encode() == "a\ufffdb".encode()


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        ("U0ABC", "<@U0ABC>"),
        ("W0ABC", "<@W0ABC>"),
        ("S0ABC", "<!subteam^S0ABC>"),
        ("operator:alice", "`alice` (operator)"),
        ("operator:<!here>", "`&lt;!here&gt;` (operator)"),
        ("<!channel>", "`&lt;!channel&gt;`"),
        ("U0|x>", "`U0|x&gt;`"),
        ("U0ABC\n", "`U0ABC`"),
    ],
)
def test_only_people_and_groups_of_slack_are_called(who: str, shown: str) -> None:
    assert markup.mention(who) == shown


def test_many_people_are_counted() -> None:
    shown = markup.mentions(f"U{n:05}" for n in range(100))
    assert shown.count("<@") == 60
    assert shown.endswith("and 40 more")


def test_a_stored_sentence_formats_nothing() -> None:
    said = markup.line("was “*a* ~b~ _c_ :tada:”, at 10:20")
    assert said == "was “\u2217a\u2217 \u223cb\u223c ˍcˍ \u2236tada:”, at 10:20"


# ---- blocks are held to limits where they are made ---------------------------------------------
def test_the_longest_sections_give_way_and_the_short_ones_stay() -> None:
    short = [section("short"), header("head"), context("small")]
    made = drawn(*short, *[section("&amp;" * 700) for _ in range(6)])
    texts = list(strings(made))[1:]
    assert sum(map(size, texts)) <= limits.ALL_BLOCKS_TEXT
    assert texts[:3] == ["short", "head", "small"]
    assert problems(made) == []


def test_nothing_is_cut_where_there_is_room() -> None:
    made = drawn(*[section("x" * 2_900) for _ in range(4)])
    assert list(strings(made))[1:] == ["x" * 2_900] * 4
    assert size(made.text) <= limits.FALLBACK_TEXT


def test_the_text_is_what_the_blocks_say_and_the_longest_is_shortened() -> None:
    pressed = ActionsBlock(elements=[button("B", "unpair_look", "K7QM-3XPD:ab", label="L")])
    made = drawn(header("head"), section("a" * 2_900), pressed, section("b" * 2_000), context("c"))
    head, *long, last = made.text.split("\n")
    assert (head, last) == ("head", "c")
    assert [len(each) for each in long] == [1_891, 2_000]


def test_more_blocks_than_slack_takes_are_counted_and_the_last_one_stays() -> None:
    made = drawn(*[section(str(n)) for n in range(60)])
    assert problems(made) == []
    assert [each["type"] for each in made.blocks[-3:]] == ["section", "context", "section"]
    assert list(strings(made))[-3:] == ["47", "… and 11 more parts.", "59"]
    assert list(strings(drawn(*[section(str(n)) for n in range(50)])))[-1] == "49"


def test_each_block_is_cut_to_its_own_limit() -> None:
    long, pressed = "&lt;" * 1_000, button("B", "unpair_look", "K7QM-3XPD:ab", label="L" * 200)
    made = drawn(
        header("h" * 200), section(long), context(long), ActionsBlock(elements=[pressed]), None
    )
    assert problems(made) == []
    assert len(made.blocks) == 4
