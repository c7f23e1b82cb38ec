"""Every sentence and card that people read in Slack stands in docs/words.md, made from the code:
one that has changed is seen here, and in no other test."""

from __future__ import annotations

from tests.slack.cards.words_page import PAGE, page


def test_the_page_of_words_is_what_the_code_says() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == page(), "make it anew: python -m tests.slack.cards.words_page"
    assert "None" not in written
