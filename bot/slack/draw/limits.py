"""How long and how many: Slack's limits, and ours within them. Slack's figures are from the Slack
docs (Block Kit reference, views, chat.update). Slack does not say what it counts as one character,
so lengths are in UTF-16 units: never less than characters."""

from __future__ import annotations

# ---- Slack's ---------------------------------------------------------------------------------
HEADER_TEXT = 150
SECTION_TEXT = 3_000
CONTEXT_TEXT = 3_000
BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
CONFIRM_TEXT = 300
OPTION_TEXT = 75
OPTION_VALUE = 150
OPTIONS_MOST = 100
BLOCKS_IN_MESSAGE = 50
BLOCKS_IN_VIEW = 100
"""A modal, or Home."""

# ---- ours: one message -------------------------------------------------------------------------
FALLBACK_TEXT = 3_900
"""`chat.update` accepts 4,000 and `chat.postMessage` more. What is posted must stay editable."""

ALL_BLOCKS_TEXT = 12_000
"""All texts of one message. Slack refuses messages somewhere above 13,000, and publishes no
figure."""

NAMES_BYTES = 150_000
"""Of all names in a view. Slack refuses one of 250,001 bytes."""

# ---- what people type --------------------------------------------------------------------------
FENCE = 8
"""The length of the marks around a block of code, with their line ends."""

REASON = 2_900
"""The longest reason that is accepted, counted as it is written on the card (`fenced_units`). It
fits into one section, so that whoever decides reads all of it. Even if everything else is as long
as possible, the card of an undecided request stays below ALL_BLOCKS_TEXT, so nothing is
shortened."""

DECISION_REASON = 2_000
"""The longest reason of a decision that is accepted, counted like REASON. It fits into a section of
the card along with everything else, so it is always shown in full."""

PAIRING_TYPED = 300
"""Longer than any id or two host names. Anything longer was pasted by mistake."""

# ---- how much is shown -------------------------------------------------------------------------
NAME = 100
TITLE = 210
ID = 120
SITE_IN_HEADING = 40
SITE_IN_QUESTION = 30
REASON_SHOWN = REASON + FENCE
DECISION_REASON_SHOWN = DECISION_REASON + FENCE
SENTENCE = 400
LINE = 300
VENDOR_WORDS = 2_400
VENDOR_WORDS_IN_ANSWER = 700
REPLICATIONS_SHOWN = 5
OTHERS_SHOWN = 3
ALL_SHOWN = 8
"""So many replications are all named on the card; of more the first, and the rest a click away."""
ISSUES_SHOWN = 3
PARTIAL_SHOWN = 3
CANDIDATES_SHOWN = 8
SITES_SHOWN = 10
CHANNELS_SHOWN = 10
DIFFERENCES_SHOWN = 8
APPROVERS_CALLED = 300
"""How many are mentioned if the glass is broken: so many fit into one message with its words."""
PEOPLE_SHOWN = 60
"""Mentions in one line. To call more people than this, use a user group."""

PAIRINGS_LISTED = 40
"""Of one appliance, fewer where several are listed. The form can search among more of them."""
LINES_IN_SECTION = 8
"""Of a list: so many fit into one section, even the longest."""
HOME_LISTED = 10
"""How many of each list are shown on Home. All together stay far below the 100 blocks of a view,
and can still be read on a phone."""
OPEN_LISTED, ENDED_LISTED = 19, 5
"""How many `status` shows. With as many whose outcome is unknown they are 49 of 50 blocks of a
message."""
