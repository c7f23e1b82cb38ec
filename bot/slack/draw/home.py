"""Lists of requests: the Home tab, with what waits for this person, what they asked, what runs, and
how the latest ended; and `status`, with what is open and how the latest ended.

Both only link to the cards, so that decisions are made where everybody sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from slack_sdk.models.blocks import Block, DividerBlock

from bot.request.lookup_results import Home, HomeRead, LookFailed, MayNotLook
from bot.request.messages import Drawn
from bot.request.model import CANCELLABLE, UNDECIDED, Request, State, TaskView
from bot.slack.draw.buttons import card_url
from bot.slack.draw.markup import (
    ID,
    NAME,
    TITLE,
    code,
    context,
    drawn,
    header,
    mention,
    name,
    section,
    when,
)
from bot.slack.draw.words import usage
from bot.slack.draw.words.outcomes import ending
from bot.slack.draw.words.phrases import (
    HAVE_IT_CHECKED,
    approvals_so_far,
    not_before,
    open_card,
    slack_refuses,
    who_decided,
)
from bot.slack.draw.words.rights import may_not_look
from bot.slack.draw.words.sites import at_site, count_of
from bot.slack.draw.words.states import STATES, phrase

SHOWN = 10
"""How many of each list are shown on Home. All together stay far below the 100 blocks of a view
(Slack docs, views), and can still be read on a phone."""

OPEN_MOST, ENDED_MOST = 19, 5
"""How many `status` shows. With as many whose outcome is unknown they are 49 of 50 blocks of a
message."""


def home_view(read: HomeRead, *, workspace_url: str | None, command: str, now: int) -> Any:
    """The view for `views.publish`. `workspace_url` comes from `auth.test`; without it there are no
    links. `now` is in ms."""
    match read:
        case MayNotLook(reason=reason):
            blocks: list[Block] = [section(may_not_look(reason))]
        case LookFailed(reference=reference):
            blocks = [section(usage.unexpected(reference))]
        case Home():
            blocks = _home(read, workspace_url, command)
    blocks.append(context(as_of(now, command)))
    return {"type": "home", "blocks": [block.to_dict() for block in blocks]}


def status_list(
    opened: Sequence[Request],
    ended: Sequence[Request],
    unresolved: Sequence[Request] = (),
    *,
    workspace_url: str | None,
    command: str,
) -> Drawn:
    """The newest first; `ended` with the latest end first. What is `unresolved` comes before all,
    the oldest first."""
    lists = [(UNRESOLVED, unresolved)] if unresolved else []
    lists.append((open_ones(len(opened)), opened[::-1]))
    ended = [each for each in ended if not each.unresolved]
    lists += [(ENDED, ended[:ENDED_MOST])] if ended else []
    text = "\n".join(
        part
        for title, requests in lists
        for part in (f"*{title}*", *(line(each, None) for each in requests[:OPEN_MOST]))
    )
    blocks: list[Block] = []
    for title, requests in lists:
        blocks += [header(title), *_lines(requests, OPEN_MOST, older, workspace_url)]
    last = one_of_them(command)
    return drawn(f"{text}\n{last}", *blocks, context(last))


def _home(home: Home, workspace_url: str | None, command: str) -> list[Block]:
    def lines(requests: Sequence[Request]) -> Iterable[Block]:
        return _lines(requests, SHOWN, lambda left: more(left, command), workspace_url)

    blocks: list[Block] = []
    if home.unresolved:
        blocks += [header(UNRESOLVED), *lines(home.unresolved), DividerBlock()]
    blocks.append(header(WAITING))
    if home.rights_unread:
        blocks.append(section(RIGHTS_UNREAD))
    elif not home.waiting:
        blocks.append(section(NOTHING_WAITS))
    blocks += lines(home.waiting)
    for title, requests in (
        (ASKED, home.asked),
        (RUNNING, home.running),
        (OTHERS, home.others),
        (ENDED, home.ended),
    ):
        if requests:
            blocks += [DividerBlock(), header(title), *lines(requests)]
    return blocks


def _lines(
    requests: Sequence[Request],
    most: int,
    more: Callable[[int], str],
    workspace_url: str | None,
) -> Iterable[Block]:
    for request in requests[:most]:
        yield section(line(request, card_url(request, workspace_url)))
    if len(requests) > most:
        yield context(more(len(requests) - most))


# ---- the words ------------------------------------------------------------------------------
UNRESOLVED = "Outcome unknown"
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


def one(request: Request, card: str | None = None) -> str:
    """One request. The rest is on its card, at the address `card`. The reason is left out here: it
    belongs to the channel."""
    state = STATES[request.state]
    lines = [
        f"{state.mark} {code(request.id, ID)} {phrase(request)}.",
        f"{mention(request.requester)} asked {when(request.created_at)} to break "
        f"{_whole(request)}, in <#{request.channel}>.",
    ]
    lines += [open_card(request.id, card)] if card is not None else []
    if request.force:
        lines.append("One-sided break.")
    if request.terms.dry_run:
        lines.append("Dry run: nothing will be deleted.")
    if before := not_before(request):
        lines.append(f"Not before {before}.")
    if held_up := _held_up(request):
        lines.append(f"{held_up}. {HAVE_IT_CHECKED}")
    if request.state is State.PENDING and request.decide_by is not None:
        lines.append(f"{approvals_so_far(request)} until {when(request.decide_by)}.")
    elif decided := who_decided(request):
        lines.append(decided)
    if request.state is State.FOLLOWING and request.task is not None:
        lines.append(_task(request.task))
    lines += _end(request)
    return "\n".join(lines)


def line(request: Request, card: str | None) -> str:
    """One of many: what is asked, how far it is, until when, and a link to its card."""
    state = STATES[request.state]
    facts = [f"{mention(request.requester)} in <#{request.channel}>"]
    if request.state in UNDECIDED and request.decide_by is not None:
        so_far = f"{approvals_so_far(request)} " if request.state is State.PENDING else ""
        facts.append(f"{so_far}until {when(request.decide_by)}")
    told = request.waits_for_its_time or request.state not in CANCELLABLE
    if request.scheduled_at is not None and not told:
        facts.append(f"not before {when(request.scheduled_at)}")
    task = request.task
    if request.state is State.FOLLOWING and task is not None and task.progress is not None:
        facts.append(f"{task.progress} %")
    if request.ended_at is not None:
        facts.append(when(request.ended_at))
    kind = " one-sided" if request.force else ""
    rehearsal = " (dry run)" if request.terms.dry_run else ""
    lines = [
        f"{state.mark} {_whole(request)}{kind}{rehearsal} {phrase(request)}",
        " · ".join([open_card(request.id, card) if card else code(request.id, ID), *facts]),
    ]
    if held_up := _held_up(request):
        lines.append(f"{held_up}.")
    return "\n".join(lines)


def _whole(request: Request) -> str:
    """With whole names: there is no small print, and many have to be told apart."""
    return f"*{name(request.title, TITLE)}*{at_site(request)}"


def open_ones(number: int) -> str:
    return count_of(number, "open request") if number else "No open requests"


def older(left: int) -> str:
    return f"… and {count_of(left, 'older one', 'older ones')}"


def one_of_them(command: str) -> str:
    return f"{code(f'{command} status ID')} tells more about one."


def more(left: int, command: str) -> str:
    return f"… and {count_of(left, 'more', 'more')}: {code(f'{command} status')} in any channel."


def as_of(now: int, command: str) -> str:
    more = code(f"{command} help")
    return f"As of {when(now)}; open this tab again to refresh it. {more} says more."


def unknown(request_id: str, command: str) -> str:
    return (
        f"There is no request {code(request_id, ID)} here. "
        f"{code(f'{command} status')} names those that are open."
    )


def _task(task: TaskView) -> str:
    progress = f", {task.progress} %" if task.progress is not None else ""
    return f"Task {code(task.id, ID)}: {code(task.status, NAME)}{progress}."


def _held_up(request: Request) -> str:
    """Why its card does not come. Empty if no reason is known."""
    waits = request.state is State.CHECKING and request.card_error is not None
    return slack_refuses(request.card_error) if waits else ""


def _end(request: Request) -> list[str]:
    if request.outcome is None:
        return []
    end = ending(request, request.correction or request.outcome)
    at = f" ({when(request.ended_at)})" if request.ended_at is not None else ""
    return [f"*{end.title}*{at}", f"*Next:* {end.next_step}"]
