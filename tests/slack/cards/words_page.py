"""`docs/words.md`, made from the catalogues: what the bot says of a request in Slack.

`python -m tests.slack.cards.words_page` writes it anew; a test fails where it is behind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from bot.request.messages import Answer, Slot
from bot.request.model import Notice, Outcome, Request, State
from bot.request.who_may import Reason
from bot.slack.draw.message import draw, draw_answer
from bot.slack.draw.words.answers import ANSWERS
from bot.slack.draw.words.notices import NOTICES
from bot.slack.draw.words.outcomes import OUTCOMES, UNKNOWN, ending
from bot.slack.draw.words.rights import MAY_NOT_ASK
from bot.slack.draw.words.states import STATES
from tests.slack.cards.samples import (
    APPROVED,
    BY_STATE,
    CUT_OFF,
    ENDED_WELL,
    NOW,
    SECOND,
    sample,
)

PAGE = Path(__file__).parents[3] / "docs" / "words.md"
LINES = {
    "changed": (
        "remote vCenter: was oslo.example.com, is now rome.example.com",
        "replications new since: db-03",
    ),
    "channel_not_allowed": ("C0DROPERATIONS",),
    "reason_does_not_fit": (r"CHG\d{7}",),
    "too_few_approvers": ("1", "2"),
    "pairing_several": (
        "lyon.example.com → oslo.example.com",
        "oslo.example.com → rome.example.com",
    ),
    "pairing_unread": ("rome",),
    "pairing_partial": ("lyon.example.com → oslo.example.com",),
    "pairing_taken": ("BBBB-CCCC",),
    "card_refused": ("not_in_channel",),
}
"""What an outcome's sentence may need besides."""

TEXTS = {
    "more_approvals": "2",
    "glass_broken": "Oslo burns, INC0815",
}
AWAY = "The appliance did not answer within 10 s"
"""What a notice tells besides; this where none is named."""

ASKED_OF = {
    "refused": BY_STATE[State.REFUSED],
    "waits_for_room": sample(state=State.CHECKING, snapshot=None, card_ts=None),
    "card_held_up": sample(state=State.CHECKING, card_ts=None, card_error="missing_scope"),
    "denied": BY_STATE[State.DENIED],
    "approval_counted": BY_STATE[State.PENDING],
    "already_counted": BY_STATE[State.PENDING],
    "glass_broken": APPROVED.model_copy(update={"glass": SECOND, "approvals": ()}),
    "cancelled": BY_STATE[State.CANCELLED],
    "nothing_to_look_at": BY_STATE[State.SUCCEEDED],
    "ended": BY_STATE[State.DENIED],
    "already_decided": APPROVED,
    "too_late": BY_STATE[State.EXPIRED],
    "look_gone": BY_STATE[State.SUCCEEDED],
    "look_task_failed": BY_STATE[State.FAILED],
}
"""How the request stands when one person is told this; where none is named, it is undecided."""

TRAIL = {
    "approved": APPROVED,
    "approved, waits": APPROVED.model_copy(update={"waiting": CUT_OFF}),
    "deleting": BY_STATE[State.DELETING],
    "deleting, no clear answer": BY_STATE[State.DELETING].model_copy(update={"answer": CUT_OFF}),
    "following": BY_STATE[State.FOLLOWING],
    "following, task ended": BY_STATE[State.FOLLOWING].model_copy(update={"task": ENDED_WELL}),
    "pending again": sample(),
    "failed": BY_STATE[State.FAILED],
}

_DATE = re.compile(r"<!date\^[^|]*\|([^>]*)>")
_PERSON = re.compile(r"<@(\w+)>|<!subteam\^(\w+)>")
_CHANNEL = re.compile(r"<#(\w+)>")
_FENCE = re.compile(r"```\n(.*?)\n```", re.DOTALL)

HEAD = """# What it says

Made from the code (`python -m tests.slack.cards.words_page`), for one made-up request: whoever
meets a sentence of a request in Slack finds here what it belongs to. The appliance's own words,
links, the facts on the card, and what `list`, `preview`, `status`, `help`, the forms and the Home
tab say are left out. What to do at each end is in `docs/runbook.md`.
"""


def page() -> str:
    request = sample(state=State.FAILED)
    parts = [
        HEAD,
        _table(
            "The card's heading, by state",
            ("state", "over the card", "in a sentence"),
            ((s.value, f"{w.mark} {w.heading}", f"it {w.phrase}") for s, w in STATES.items()),
        ),
        _table(
            "How a request ends",
            ("code", "final reply", "next step"),
            (_end(code, request) for code in OUTCOMES),
        ),
        _table(
            "The progress message",
            ("while it is", "words"),
            ((name, draw(row, Slot.PROGRESS).text) for name, row in TRAIL.items()),
        ),
        _table(
            "The reminder",
            ("while it is", "words"),
            [("pending", draw(BY_STATE[State.PENDING], f"{Slot.REMINDER}:1").text)],
        ),
        _table(
            "What the thread is told meanwhile",
            ("code", "words"),
            ((code, _notice(code, words, request)) for code, words in NOTICES.items()),
        ),
        _table(
            "What one person is told",
            ("code", "words"),
            ((code, _answer(code)) for code in ANSWERS),
        ),
        _table("Who may not ask", ("because", "words"), _rights(MAY_NOT_ASK)),
    ]
    return "\n".join(parts)


def _end(code: str, request: Request) -> tuple[str, str, str]:
    outcome = Outcome(code=code, lines=LINES.get(code, ()))
    unknown = code in UNKNOWN
    state = State.ATTENTION if unknown else request.state
    row = request.model_copy(update={"outcome": outcome, "state": state})
    if code == "proved":
        row = row.model_copy(update={"task": ENDED_WELL})
    said = ending(row, outcome)
    return code, "\n".join((said.title, *said.body)), said.next_step


def _notice(code: str, words: Callable[[Request, Notice], str], request: Request) -> str:
    notice = Notice(code=code, at=NOW, text=TEXTS.get(code, AWAY), who=("UPERSON",))
    return words(request, notice)


def _answer(code: str) -> str:
    params = {"text": "The appliance does not answer", "request": "K7QM-3XPD", "reference": "R-1"}
    default = BY_STATE[State.ATTENTION] if code.startswith("look_") else sample()
    row = ASKED_OF.get(code, default)
    return draw_answer(Answer(event=1, code=code, params=params), row).text


def _rights(words: Mapping[Reason, str]) -> Iterable[tuple[str, str]]:
    return ((reason.value, said) for reason, said in words.items())


def _table(heading: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"## {heading}", "", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for code, *cells in rows:
        lines.append(f"| `{code}` | {' | '.join(_plain(cell) for cell in cells)} |")
    return "\n".join([*lines, ""])


def _plain(markup: str) -> str:
    text = _DATE.sub(r"\1", _FENCE.sub(r"“\1”", markup))
    text = _PERSON.sub(lambda m: f"@{next(filter(None, m.groups()))}", _CHANNEL.sub(r"#\1", text))
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return " ".join(text.replace("|", "\\|").replace("*", "").split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name}: {len(page().splitlines())} lines")
