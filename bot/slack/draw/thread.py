"""The messages in the card's thread: progress, reminder, notices, final reply, correction."""

from __future__ import annotations

from slack_sdk.models.blocks import Block

from bot.request.messages import Drawn
from bot.request.model import Outcome, Request, State, TaskView, Witness
from bot.request.problem import ProblemKind
from bot.slack.draw.buttons import look_button
from bot.slack.draw.card import small_print
from bot.slack.draw.markup import (
    APPROVERS_CALLED,
    ID,
    PEOPLE_SHOWN,
    REASON_IN_TEXT,
    VENDOR_WORDS_IN_TEXT,
    code,
    context,
    drawn,
    mentions,
    section,
    sentence,
    when,
)
from bot.slack.draw.words.notices import (
    glass_broken,
    glass_reason,
    not_told,
    notice_words,
    told_where,
    witness_words,
)
from bot.slack.draw.words.outcomes import ending
from bot.slack.draw.words.phrases import (
    approvals_so_far,
    may_stop_it,
    nothing_sent,
    people_concerned,
    request_id,
    signs_of_ours,
    to_call,
    vendor_words,
)
from bot.slack.draw.words.sites import at_site, pairing, what
from bot.slack.draw.words.states import STATES, StateWords


def reminder(request: Request) -> Drawn:
    """Mentions the same people as the card."""
    until = f" by {when(request.decide_by)}" if request.decide_by is not None else ""
    called = to_call(request)
    if request.scheduled_at is not None:
        until += f", for a delete not before {when(request.scheduled_at)}"
    text = (
        f"🔔 Still undecided: {pairing(request)}, {approvals_so_far(request)}. "
        f"Please decide on the card{until}."
    )
    return _words(f"{text}\n{called}" if called else text)


def notice(request: Request, number: int) -> Drawn:
    """`number` counts from 1, like the slot's."""
    return _words(notice_words(request, request.notices[number - 1]))


def alarm(request: Request, number: int) -> Drawn:
    """Somebody broke the glass. Mentions every approver, in as many sections as needed."""
    news = request.notices[number - 1]
    approvers = news.called[:APPROVERS_CALLED]
    left = len(news.called) - len(approvers)
    each = PEOPLE_SHOWN
    calls = [mentions(approvers[n : n + each]) for n in range(0, len(approvers), each)]
    if calls:
        calls[0] = f"*Approvers, this did not wait for all of you:* {calls[0]}"
        calls += [f"and {left} more"] if left else []
    calls += [not_told(news.unread)] if news.unread else []
    brief = glass_broken(request, news, REASON_IN_TEXT)
    return drawn(
        "\n".join([brief, *calls]),
        section(notice_words(request, news)),
        *(section(words) for words in calls),
    )


def told(request: Request, number: int, card: str | None) -> Drawn:
    """The same for one approver, in the conversation with the bot: they may not be in the channel,
    so it can be understood by itself. `card` is the card's address."""
    notice = request.notices[number - 1]
    where = told_where(request, card)
    return drawn(
        "\n".join([glass_broken(request, notice, REASON_IN_TEXT), where]),
        section(glass_broken(request, notice)),
        section(where),
    )


def stray(request: Request) -> Drawn:
    """Replaces a copy of the card that is not in use. It has no buttons."""
    posted = _posted_at(request.card_ts)
    where = f", posted {when(posted)}" if posted is not None else ""
    return _words(
        f"This copy is not in use. The card of {request_id(request)} is another message in this "
        f"channel{where}: use that one."
    )


def final(request: Request) -> Drawn:
    """How it ended. Posted once, and mentions who asked and who decided."""
    outcome = request.outcome or Outcome(code=request.state.value)
    state = STATES[_first_state(request)]
    look = look_button(request) if request.state is State.ATTENTION else None
    return _reply(request, state, outcome, request.ended_in, look)


def correction(request: Request) -> Drawn:
    """What a second look found. A new reply, because nobody is notified of an edit."""
    outcome = request.correction or Outcome(code=request.state.value)
    return _reply(request, STATES[request.state], outcome, request.corrected_in, None)


def _reply(
    request: Request,
    state: StateWords,
    outcome: Outcome,
    witness: Witness | None,
    last: Block | None,
) -> Drawn:
    end = ending(request, outcome)
    title = f"{state.mark} *{end.title}*"
    step = f"*Next:* {end.next_step}"
    people = people_concerned(request)
    brief = vendor_words(request, outcome.problem, VENDOR_WORDS_IN_TEXT)
    proof = witness_words(witness) if witness else ""
    about = f"{what(request)}{at_site(request)}."
    lines = [title, people, about, *brief, step, *end.body, small_print(request), proof]
    text = "\n".join(filter(None, lines))
    return drawn(
        text,
        section("\n".join([title, *end.body])),
        section(glass_reason(request)) if request.glass else None,
        *(section(paragraph) for paragraph in vendor_words(request, outcome.problem)),
        section(step),
        section(f"{people}\n{what(request)}{at_site(request)}."),
        context(small_print(request)),
        context(proof) if proof else None,
        last,
    )


def _first_state(request: Request) -> State:
    """If a correction has changed the state, the final reply still says how it ended first."""
    return State.ATTENTION if request.correction else request.state


def _words(text: str) -> Drawn:
    return drawn(text, section(text))


def _posted_at(card_ts: str | None) -> int | None:
    """A message's `ts` is its time in seconds (Slack docs, chat.postMessage)."""
    seconds = (card_ts or "").partition(".")[0]
    return int(seconds) * 1000 if seconds.isdecimal() and len(seconds) <= 10 else None


BAR = 10


def progress(request: Request) -> Drawn:
    """The one message that is edited as the work goes on. It names no time, so it only changes if
    there is something new to see."""
    return _words(_progress(request))


def _progress(request: Request) -> str:
    match request.state:
        case State.CHECKING | State.PENDING:
            return f"🟡 Stopped. {nothing_sent(request)} Approval is needed again."
        case State.APPROVED:
            return _approved(request)
        case State.DELETING:
            return _deleting(request)
        case State.FOLLOWING:
            return _following(request)
        case _:
            words = STATES[request.state]
            how = words.heading.partition(":")[0]
            return f"{words.mark} {how}. The final reply in this thread says how it went."


def _approved(request: Request) -> str:
    decided = "🚨 Break glass" if request.glass else "🔵 Approved"
    if request.waits_for_its_time and request.scheduled_at is not None:
        return f"{decided}, waits until {when(request.scheduled_at)}. {may_stop_it(request)}."
    if request.waiting:
        so_far = "turned away so far" if request.turned_away else "not sent yet"
        return f"{decided}, {so_far}. {sentence(request.waiting.text)} Trying again."
    what = "the delete is sent again" if request.turned_away else "anything is sent"
    return f"{decided}. Reading rights and pairing once more before {what}."


def _deleting(request: Request) -> str:
    if request.waiting:
        return f"🔵 Looking for what became of the delete. {sentence(request.waiting.text)}"
    if request.answer and request.answer.kind is ProblemKind.NOT_FOUND:
        return "🔵 The delete was answered 404. Looking whether the pairing is gone."
    if request.answer:
        return "🔵 The answer to the delete does not settle it. Looking at tasks and pairing."
    if request.polling_since is not None:
        return "🔵 The delete may have gone out: no answer is known. Looking at tasks and pairing."
    return "🔵 Delete on its way, waiting for the appliance's answer."


def _following(request: Request) -> str:
    task = request.task
    if task is None:
        return "🔵 The appliance has accepted the delete."
    lines = [f"🔵 Task {code(task.status, ID)}{_bar(task)}", f"id {code(task.id, ID)}"]
    if task.status == "SUCCESS":
        lines.append("Checking that the pairing is really gone.")
    elif request.polling_since is not None:
        lines.append("The appliance does not know the task just now. Asking again.")
    elif request.waiting:
        lines.append(f"{sentence(request.waiting.text)} Trying again.")
    lines += filter(None, [signs_of_ours(request)])
    return "\n".join(lines)


def _bar(task: TaskView) -> str:
    """Empty if the appliance gives no percentage."""
    if task.progress is None:
        return ""
    percent = min(100, max(0, task.progress))
    full = percent * BAR // 100
    return f" {'▰' * full}{'▱' * (BAR - full)} {percent} %"
