"""The words of the home tab."""

from __future__ import annotations

from bot.request.model import Request, State
from bot.slack.draw.limits import ID, TITLE
from bot.slack.draw.markup import code, mention, when
from bot.slack.draw.words.phrases import approvals_so_far, at_site, count_of, open_card
from bot.slack.draw.words.states import STATES

WAITING = "Waiting for you"
ASKED = "You asked"
RUNNING = "Running"
OTHERS = "Waiting for others"
ENDED = "Ended recently"

NOTHING_WAITS = "Nothing waits for your decision."
RIGHTS_UNREAD = (
    "⚠️ Slack did not say just now whether you may decide, so nothing is listed here. "
    "*Next:* open this tab again in a minute; the cards in their channels work meanwhile."
)


def line(request: Request, card: str | None) -> str:
    """One request: what is asked, how far it is, until when, and a link to its card."""
    state = STATES[request.state]
    facts = [f"{mention(request.requester)} in <#{request.channel}>"]
    if request.state is State.PENDING and request.decide_by is not None:
        facts.append(f"{approvals_so_far(request)} until {when(request.decide_by)}")
    task = request.task
    if request.state is State.FOLLOWING and task is not None and task.progress is not None:
        facts.append(f"{task.progress} %")
    if request.ended_at is not None:
        facts.append(when(request.ended_at))
    if card is not None:
        facts.append(open_card(card))
    kind = " one-sided" if request.force else ""
    rehearsal = " (dry run)" if request.terms.dry_run else ""
    return (
        f"{state.mark} *{code(request.title, TITLE)}*{at_site(request)}{kind}{rehearsal} "
        f"{state.phrase}\n"
        f"{code(request.id, ID)} · {' · '.join(facts)}"
    )


def more(left: int, command: str) -> str:
    return f"… and {count_of(left, 'more', 'more')}: {code(f'{command} status')} in any channel."


def as_of(now: int, command: str) -> str:
    more = code(f"{command} help")
    return f"As of {when(now)}; open this tab again to refresh it. {more} says more."
