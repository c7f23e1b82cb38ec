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
from bot.request.model import CANCELLABLE, UNDECIDED, Request, State
from bot.slack.draw import limits
from bot.slack.draw.card_buttons import card_url, open_card
from bot.slack.draw.markup import code, context, drawn, header, held, mention, section, when
from bot.slack.draw.words import usage
from bot.slack.draw.words.check_refused import may_not_look
from bot.slack.draw.words.endings import ending
from bot.slack.draw.words.pairing_names import at_site, count_of
from bot.slack.draw.words.phrases import (
    HAVE_IT_CHECKED,
    STATES,
    approvals_so_far,
    phrase,
    slack_refuses,
    who_decided,
)

UNRESOLVED = "Outcome unknown"
ENDED = "Ended recently"


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
    more = code(f"{command} help")
    blocks.append(
        context(f"As of {when(now)}; open this tab again to refresh it. {more} says more.")
    )
    return {"type": "home", "blocks": held(blocks, limits.BLOCKS_IN_VIEW)}


def _home(home: Home, workspace_url: str | None, command: str) -> list[Block]:
    def more(left: int) -> str:
        return f"… and {left:,} more: {code(f'{command} status')} in any channel."

    def lines(requests: Sequence[Request]) -> Iterable[Block]:
        return _lines(requests, limits.HOME_LISTED, more, workspace_url)

    blocks: list[Block] = []
    if home.unresolved:
        blocks += [header(UNRESOLVED), *lines(home.unresolved), DividerBlock()]
    blocks.append(header("Waiting for you"))
    if home.rights_unread:
        blocks.append(
            section(
                "⚠️ Slack did not say just now whether you may decide, so nothing is listed here. "
                "*Next:* open this tab again in a minute; the cards in their channels work "
                "meanwhile."
            )
        )
    elif not home.waiting:
        blocks.append(section("Nothing waits for your decision."))
    blocks += lines(home.waiting)
    for title, requests in (
        ("You asked", home.asked),
        ("Running", home.running),
        ("Waiting for others", home.others),
        (ENDED, home.ended),
    ):
        if requests:
            blocks += [DividerBlock(), header(title), *lines(requests)]
    return blocks


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

    def older(left: int) -> str:
        return f"… and {count_of(left, 'older one', 'older ones')}"

    lists = [(UNRESOLVED, unresolved)] if unresolved else []
    open_ones = count_of(len(opened), "open request") if opened else "No open requests"
    lists.append((open_ones, opened[::-1]))
    ended = [each for each in ended if not each.unresolved]
    lists += [(ENDED, ended[: limits.ENDED_LISTED])] if ended else []
    blocks: list[Block] = []
    for title, requests in lists:
        blocks += [header(title), *_lines(requests, limits.OPEN_LISTED, older, workspace_url)]
    return drawn(*blocks, context(f"{code(f'{command} status ID')} tells more about one."))


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


def line(request: Request, card: str | None) -> str:
    """One of many: what is asked, how far it is, until when, and a link to its card."""
    facts = [f"{mention(request.requester)} in <#{request.channel}>"]
    if request.state in UNDECIDED and request.decide_by is not None:
        so_far = f"{approvals_so_far(request)} " if request.state is State.PENDING else ""
        facts.append(f"{so_far}until {when(request.decide_by)}")
    if request.scheduled_at is not None and request.state in CANCELLABLE:
        told = request.waits_for_its_time  # by the phrase above
        facts += [] if told else [f"not before {when(request.scheduled_at)}"]
    task = request.task
    if request.state is State.FOLLOWING and task is not None and task.progress is not None:
        facts.append(f"{task.progress} %")
    if request.ended_at is not None:
        facts.append(when(request.ended_at))
    kind = " one-sided" if request.force else ""
    rehearsal = " (dry run)" if request.terms.dry_run else ""
    mark = STATES[request.state].mark
    opened = open_card(request.id, card) if card else code(request.id, limits.ID)
    lines = [
        # With the whole names: there is no small print, and many have to be told apart.
        f"{mark} *{code(request.title, limits.TITLE)}*{at_site(request)}{kind}{rehearsal} "
        f"{phrase(request)}",
        " · ".join([opened, *facts]),
    ]
    if held_up := _held_up(request):
        lines.append(f"{held_up}.")
    return "\n".join(lines)


def one(request: Request, card: str | None = None) -> str:
    """One request: the same line, and what the card and the thread say of it. The reason is left
    out here: it belongs to the channel."""
    lines = [line(request, card), f"Asked {when(request.created_at)}."]
    lines += [HAVE_IT_CHECKED] if _held_up(request) else []
    lines += [decided] if (decided := who_decided(request)) else []
    if request.state is State.FOLLOWING and (task := request.task) is not None:
        lines.append(f"Task {code(task.id, limits.ID)}: {code(task.status, limits.NAME)}.")
    if request.outcome is not None:
        end = ending(request, request.correction or request.outcome)
        lines += [f"*{end.title}*", f"*Next:* {end.next_step}"]
    return "\n".join(lines)


def _held_up(request: Request) -> str:
    """Why its card does not come. Empty if no reason is known."""
    waits = request.state is State.CHECKING and request.card_error is not None
    return slack_refuses(request.card_error) if waits else ""


def unknown(request_id: str, command: str) -> str:
    return (
        f"There is no request {code(request_id, limits.ID)} here. "
        f"{code(f'{command} status')} names those that are open."
    )
