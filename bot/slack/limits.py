"""Every length that a message is held to: Slack's own, and ours below them.

Slack's figures: Slack docs, Block Kit reference and chat.update. Slack does not say what it counts
as one character, so lengths are counted in UTF-16 units, the larger of the two readings.
"""

from __future__ import annotations

# ---- Slack's ---------------------------------------------------------------------------------
HEADER_TEXT = 150
SECTION_TEXT = 3_000
CONTEXT_TEXT = 3_000
BUTTON_TEXT = 75
CONFIRM_TEXT = 300

# ---- ours ------------------------------------------------------------------------------------
FALLBACK_TEXT = 3_900
"""`chat.update` takes 4,000 and `chat.postMessage` more; what is posted must stay editable."""

ALL_BLOCKS_TEXT = 12_000
"""All texts of one message. Slack refuses somewhere above 13,000 and publishes no figure."""

FENCE = 8
"""The marks around a block of code, with their line ends."""

REASON = 2_900
"""The longest reason that is taken, as long as the card writes it (`markup.fenced_units`): one
section, so that whoever decides reads all of it. With everything else at its longest the card of an
undecided request stays below ALL_BLOCKS_TEXT, so nothing of it gives way."""

DECISION_REASON = 2_000
"""The longest reason of a decision that is taken, counted like REASON: it fits into one section of
the card beside everything else, and nobody reads half of it."""

PAIRING_TYPED = 300
"""Longer than any id or two host names; more is a slip of the clipboard."""

NAME = 100
TITLE = 210
ID = 120
REASON_SHOWN = REASON + FENCE
DECISION_REASON_SHOWN = DECISION_REASON + FENCE
REASON_IN_TEXT = 300
SENTENCE = 400
LINE = 300
VENDOR_WORDS = 2_400
VENDOR_WORDS_IN_TEXT = 700
REPLICATIONS_SHOWN = 5
ISSUES_SHOWN = 3
PARTIAL_SHOWN = 3
CANDIDATES_SHOWN = 8
SITES_SHOWN = 10
CHANNELS_SHOWN = 10
DIFFERENCES_SHOWN = 8
APPROVERS_CALLED = 300
"""By name when the glass is broken: so many mentions fit into one message beside its words."""

PEOPLE_SHOWN = 60
"""Mentions in one line. More people than this are better called through a user group."""
