"""`docs/words.md`, made from the catalogues: everything that the bot can say of a request in Slack.

`python -m tests.slack.drawing.words_page` writes it anew; a test fails where it is behind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from bot.core.entries import Answer
from bot.core.request import Notice, Outcome, Request, State
from bot.core.who_may import Reason
from bot.slack.draw import draw_answer
from bot.slack.wording import attention
from bot.slack.wording.answers import ANSWERS
from bot.slack.wording.notices import NOTICES
from bot.slack.wording.outcomes import OUTCOMES, ending
from bot.slack.wording.rights import MAY_NOT_ASK, MAY_NOT_BREAK, MAY_NOT_DECIDE
from bot.slack.wording.states import STATES
from tests.slack.drawing.samples import NOW, sample

PAGE = Path(__file__).parents[3] / "docs" / "words.md"
LINES = {"channel_not_allowed": ("C0DROPERATIONS",)}
"""What an outcome's sentence may need besides: its first line, `12` where none is named here."""

_DATE = re.compile(r"<!date\^[^|]*\|([^>]*)>")
_PERSON = re.compile(r"<@(\w+)>|<!subteam\^(\w+)>|<#(\w+)>")

HEAD = """# What it says

Made from the code (`python -m tests.slack.drawing.words_page`), for one made-up request: whoever
meets a sentence in Slack finds here what it belongs to. The appliance's own words, people's names
and links are left out. What to do at each end is in `docs/runbook.md`.
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
            "What the thread is told meanwhile",
            ("code", "words"),
            ((code, _notice(code, words, request)) for code, words in NOTICES.items()),
        ),
        _table(
            "What one person is told",
            ("code", "words"),
            ((code, _answer(code)) for code in ANSWERS),
        ),
        *(
            _table(heading, ("because", "words"), _rights(words))
            for heading, words in (
                ("Who may not decide", MAY_NOT_DECIDE),
                ("Who may not break the glass", MAY_NOT_BREAK),
                ("Who may not ask", MAY_NOT_ASK),
            )
        ),
    ]
    return "\n".join(parts)


def _end(code: str, request: Request) -> tuple[str, str, str]:
    outcome = Outcome(code=code, lines=LINES.get(code, ("12",)))
    unclear = OUTCOMES[code].__module__ == attention.__name__
    state = State.ATTENTION if unclear else request.state
    said = ending(request.model_copy(update={"outcome": outcome, "state": state}), outcome)
    return code, said.title, said.next_step


def _notice(code: str, words: Callable[[Request, Notice], str], request: Request) -> str:
    return words(request, Notice(code=code, at=NOW, text="2", who=("UPERSON",)))


def _answer(code: str) -> str:
    params = {"text": "The appliance does not answer", "request": "K7QM-3XPD", "reference": "R-1"}
    return draw_answer(Answer(event=1, code=code, params=params), sample()).text


def _rights(words: Mapping[Reason, str]) -> Iterable[tuple[str, str]]:
    return ((reason.value, said) for reason, said in words.items())


def _table(heading: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"## {heading}", "", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for code, *cells in rows:
        lines.append(f"| `{code}` | {' | '.join(_plain(cell) for cell in cells)} |")
    return "\n".join([*lines, ""])


def _plain(markup: str) -> str:
    text = _PERSON.sub(lambda m: f"@{next(filter(None, m.groups()))}", _DATE.sub(r"\1", markup))
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return " ".join(text.replace("|", "\\|").replace("*", "").split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.name}: {len(page().splitlines())} lines")
