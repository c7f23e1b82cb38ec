"""Draws a message from a row: the card, each of its thread (progress, reminder, notices, final
reply, correction), and the answers to one person."""

from __future__ import annotations

from collections.abc import Callable

from slack_sdk.models.blocks import Block

from bot.request.messages import ALARMS, Answer, Drawn, Message, Slot
from bot.request.model import Notice, Outcome, Request, State, Witness
from bot.slack.draw import limits
from bot.slack.draw.card import card, small_print
from bot.slack.draw.card_buttons import card_url, earlier_card, linked, look_buttons, open_card
from bot.slack.draw.markup import (
    channels,
    code,
    context,
    drawn,
    mention,
    mentions,
    only_text,
    section,
    sentence,
    when,
)
from bot.slack.draw.pairing_lists import suggestions
from bot.slack.draw.words.after_a_click import answer_words
from bot.slack.draw.words.endings import UNCLEAR, ending
from bot.slack.draw.words.pairing_names import at_site, pairing, what
from bot.slack.draw.words.phrases import (
    STATES,
    approvals_so_far,
    by_deadline,
    may_stop_it,
    nothing_sent,
    problem_words,
    signs_of_ours,
    to_call,
    vendor_words,
    who_decided,
)
from bot.slack.draw.words.thread_notices import (
    NOTICES,
    TOLD,
    glass_broken,
    glass_reason,
    witness_words,
)

COMMAND = "/vr-unpair"


def draw(
    request: Request,
    slot: str,
    command: str = COMMAND,
    workspace_url: str | None = None,
    stored: Callable[[str], Request | None] = lambda _: None,
) -> Drawn:
    """The message of this slot, as the row is now. `command` is the slash command, `workspace_url`
    is for links to cards, and `stored` finds another request that is named.

    Raises ValueError for a slot that no row asks for (an answer, an unknown kind, a notice that
    does not exist).
    """
    message = Message(slot=slot)
    match message.kind:
        case Slot.CARD:
            earlier = request.earlier_attention
            if earlier is None:
                return card(request)
            return card(request, earlier_card(stored(earlier) or earlier, command, workspace_url))
        case Slot.PROGRESS:
            return drawn(section(_progress(request)))
        case Slot.REMINDER:
            return _reminder(request)
        case Slot.NOTICE:
            notice = _notice(request, message.which)
            return drawn(section(NOTICES[notice.code](request, notice)))
        case Slot.ALARM:
            return _alarm(request, _notice(request, message.which))
        case Slot.TOLD:
            notice = _notice(request, message.which.partition(":")[2])
            return _told(request, notice, card_url(request, workspace_url))
        case Slot.FINAL:
            # If a correction has changed the state, the first reply still says how it ended first.
            unclear = request.outcome is not None and request.outcome.code in UNCLEAR
            state = State.ATTENTION if unclear else request.state
            look = look_buttons(request)
            return _reply(request, state, request.outcome, request.ended_in, look)
        case Slot.CORRECTION:
            # A new reply, because nobody is notified of an edit.
            return _reply(request, request.state, request.correction, request.corrected_in, None)
        case Slot.STRAY:
            # It replaces a copy of the card that is not in use, and has no buttons.
            return drawn(
                section(
                    f"This copy is not in use. The card of {code(request.id)} is another message "
                    "in this channel: use that one."
                )
            )
        case Slot.ANSWER:
            raise ValueError("an answer is drawn by draw_answer")


def draw_answer(
    answer: Answer,
    request: Request | None,
    workspace_url: str | None = None,
    stored: Callable[[str], Request | None] = lambda _: None,
) -> Drawn:
    """A message for one person: text, and pairings to press where none was named. `request` is None
    if there is no row. The rest as for `draw`."""
    words = answer_words(answer, request)
    if request is None:
        return only_text(words)
    words = linked(words, request, workspace_url)
    outcome = request.outcome
    if outcome is not None and outcome.code == "pairing_taken":
        other = stored(outcome.lines[0])
        words = linked(words, other, workspace_url) if other else words
    if answer.code != "refused" or outcome is None or not outcome.near:
        return only_text(words)
    site = request.site if request.terms.several else None
    near = suggestions(outcome.near, site, force=request.force, refused=request.id)
    return drawn(section(words), near)


def _reminder(request: Request) -> Drawn:
    """Mentions the same people as the card."""
    until = by_deadline(request)
    if request.scheduled_at is not None:
        until += f", for a delete not before {when(request.scheduled_at)}"
    text = (
        f"🔔 Still undecided: {pairing(request)}, {approvals_so_far(request)}. "
        f"Please decide on the card{until}."
    )
    called = to_call(request)
    return drawn(section(f"{text}\n{called}" if called else text))


# ---- somebody broke the glass ------------------------------------------------------------------
def _notice(request: Request, which: str) -> Notice:
    """By its number, which counts from 1, like the slot's."""
    number = int(which)
    if not 1 <= number <= len(request.notices):
        raise ValueError(f"request {request.id} has no notice {which}")
    return request.notices[number - 1]


def _alarm(request: Request, notice: Notice) -> Drawn:
    """Mentions every approver, in as many sections as needed."""
    approvers = notice.called[: limits.APPROVERS_CALLED]
    left, each = len(notice.called) - len(approvers), limits.PEOPLE_SHOWN
    calls = [mentions(approvers[n : n + each]) for n in range(0, len(approvers), each)]
    if calls:
        calls[0] = f"*Approvers, this did not wait for all of you:* {calls[0]}"
        calls += [f"and {left} more"] if left else []
    if notice.unread:
        calls.append(
            f"⚠️ Slack did not say who is in {mentions(notice.unread)}: whoever approves only "
            "through that got no direct message of this."
        )
    return drawn(section(glass_broken(request, notice)), *map(section, calls))


def _told(request: Request, notice: Notice, card: str | None) -> Drawn:
    """For one person, in the conversation with the bot: they may not be in the channel, so it can
    be understood by itself. `card` is the card's address."""
    which = open_card(request.id, card) if card is not None else f"Request {code(request.id)}"
    alarm = notice.code in ALARMS
    why = "as an approver" if alarm else "since `NOTIFY` names you, and you may not see its channel"
    where = f"You are told {why}. {which} in {channels([request.channel])}."
    words = TOLD.get(notice.code, NOTICES[notice.code])
    return drawn(section(words(request, notice)), section(where))


# ---- how it ended ------------------------------------------------------------------------------
def _reply(
    request: Request,
    state: State,
    outcome: Outcome | None,
    witness: Witness | None,
    last: Block | None,
) -> Drawn:
    """Posted once, and mentions who asked and who decided. Where somebody denied or withdrew it, or
    broke the glass, those who had approved before did not decide this end, but they are mentioned
    too, so that they know of it."""
    if outcome is None:
        raise ValueError(f"request {request.id} has not ended")
    end = ending(request, outcome)
    last_one = request.denial or request.cancellation or request.glass
    before = [each for each in request.deciders if last_one is not None and each != last_one.by]
    people = [f"Asked by {mention(request.requester)}.", who_decided(request)]
    people += [f"Decided before by {mentions(before)}."] if before else []
    concerned = " ".join(filter(None, people))
    return drawn(
        section("\n".join([f"{STATES[state].mark} *{end.title}*", *end.body])),
        section(glass_reason(request)) if request.glass else None,
        *map(section, _vendor_words(request, outcome)),
        section(f"*Next:* {end.next_step}"),
        section(f"{concerned}\n{what(request)}{at_site(request)}."),
        context(small_print(request)),
        context(witness_words(witness)) if witness else None,
        last,
    )


def _vendor_words(request: Request, outcome: Outcome) -> list[str]:
    if request.task_of_another and outcome is request.correction:
        return problem_words(outcome.problem) if outcome.problem else []
    return vendor_words(request, outcome.problem)


# ---- progress ----------------------------------------------------------------------------------
BAR = 10


def _progress(request: Request) -> str:
    """The one message that is edited as the work goes on. It names no time, so it only changes if
    there is something new to see."""
    waits = sentence(request.waiting.text) if request.waiting else ""
    task, turned_away = request.task, request.turned_away is not None
    match request.state:
        case State.CHECKING | State.PENDING:
            return f"🟡 Stopped. {nothing_sent(request)} Approval is needed again."
        case State.APPROVED:
            decided = "🚨 Break glass" if request.glass else "🔵 Approved"
            if request.scheduled_at is not None and request.waits_for_its_time:
                return (
                    f"{decided}, waits until {when(request.scheduled_at)}. {may_stop_it(request)}."
                )
            if waits:
                so_far = "turned away so far" if turned_away else "not sent yet"
                return f"{decided}, {so_far}. {waits} Trying again."
            what = "the delete is sent again" if turned_away else "anything is sent"
            return f"{decided}. Reading rights and pairing once more before {what}."
        case State.DELETING if waits or request.answer or request.polling_since is not None:
            known = "The answer to the delete does not settle it."
            if not request.answer:
                known = "The delete may have gone out: no answer is known."
            return f"🔵 {known} Looking for what became of it. {waits}".strip()
        case State.DELETING:
            return "🔵 Delete on its way, waiting for the appliance's answer."
        case State.FOLLOWING if task is not None:
            bar = ""  # if the appliance gives no percentage
            if task.progress is not None:
                percent = min(100, max(0, task.progress))
                full = percent * BAR // 100
                bar = f" {'▰' * full}{'▱' * (BAR - full)} {percent} %"
            lines = [
                f"🔵 Task {code(task.status, limits.ID)}{bar}",
                f"id {code(task.id, limits.ID)}",
            ]
            if task.status == "SUCCESS":
                lines.append("Checking that the pairing is really gone.")
            elif request.polling_since is not None:
                lines.append("The appliance does not know the task just now. Asking again.")
            elif waits:
                lines.append(f"{waits} Trying again.")
            return "\n".join([*lines, *filter(None, [signs_of_ours(request)])])
        case State.FOLLOWING:
            return "🔵 The appliance has accepted the delete."
        case _:
            words = STATES[request.state]
            how = words.heading.partition(":")[0]
            return f"{words.mark} {how}. The final reply in this thread says how it went."
