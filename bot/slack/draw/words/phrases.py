"""Parts of sentences that several messages share, and the appliance's own words.

Everything in this folder returns Slack markup in which text by others is escaped already.
"""

from __future__ import annotations

from typing import NamedTuple

from bot.request.model import Decision, Outcome, Request, TaskView
from bot.request.pairing import Snapshot
from bot.request.plan import POLLS_OVER_TIMEOUTS
from bot.request.problem import Problem
from bot.slack.draw.markup import (
    ID,
    NAME,
    VENDOR_WORDS,
    code,
    fence,
    mention,
    mentions,
    sentence,
    when,
)
from bot.slack.draw.words.sites import count_of, local_site, remote_site, what


class Ending(NamedTuple):
    """`title` is one sentence; each of `body` is a paragraph; `next_step` is exactly one step.
    `heading` is over the card where it can say all that the title says."""

    title: str
    body: tuple[str, ...]
    next_step: str
    heading: str = ""


WHERE_TO_LOOK = "vSphere Client → Site Recovery → site pairs"

NOT_ALL_LISTED = "The list of pairings may not be complete: one that matches may be missing."
NAMES_OF_PAIRINGS = (
    "A pairing is named by its id, by the name of one of its servers or that name's first label, "
    "or by `A → B` as lists show it; a part of a name does not count."
)
PRESS_THE_ONE = "Press the pairing you mean: a form opens, filled in."
FOUND_BY_ID = "it finds a pairing that is not listed, too"
HAVE_IT_CHECKED = "Have an administrator run `vr-unpair check`: it names what is wrong."

_UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"))


def not_before(request: Request) -> str:
    """When the delete is sent at the earliest: to each reader in their own time zone, and as it was
    asked for. Empty without such a time."""
    at = request.scheduled_at
    if at is None or request.at is None:
        return ""
    clock = "" if request.at.startswith("+") else f", {code(request.zone or 'UTC', NAME)}"
    return f"{when(at)} your time (typed: {code(request.at)}{clock})"


def may_stop_it(request: Request) -> str:
    """How an approved request that waits for its time is stopped."""
    return (
        f"Until the break begins, {mention(request.requester)} can withdraw it, and any approver "
        "can deny it, even one who approved it"
    )


def nothing_sent(request: Request) -> str:
    """For ends where the appliance has accepted nothing. If it turned a DELETE away before (401,
    429, 503), that is said, since it matters to whoever finds out what became of the pairing."""
    turned_away = request.turned_away
    if turned_away is None:
        return "Nothing was sent to the appliance."
    status = f" (HTTP {code(str(turned_away.status), ID)})" if turned_away.status else ""
    return f"A delete had been sent; the appliance turned it away{status} and accepted nothing."


def signs_of_ours(request: Request) -> str:
    """By what a task is taken for ours whose DELETE had no clear answer. Empty where the appliance
    itself has named the task in its answer."""
    if not request.task_adopted:
        return ""
    return (
        "No answer to the delete names this task. It is taken for ours: it was not in the list "
        "read just before, and it names this pairing."
    )


def sent_how_often(request: Request) -> str:
    """Empty unless more than one DELETE was sent. At most one of them can have been accepted."""
    if request.deletes_sent <= 1:
        return ""
    taken = "one of them was accepted" if request.deletes_accepted else "none is known as accepted"
    return (
        f"{request.deletes_sent} deletes were sent, {taken}: each was sent again only after the "
        "appliance had said that it did not take the one before."
    )


def shown_by_404s(request: Request, outcome: Outcome) -> str:
    """How it is known that a pairing is gone, where the list of pairings could not tell."""
    if not outcome.by_404s:
        return ""
    time = duration(POLLS_OVER_TIMEOUTS * request.terms.timeout_ms)
    return (
        "The appliance's list of pairings is incomplete by its own word; that the pairing is gone "
        f"is shown by its id alone, which was answered 404 for {time} and more."
    )


def slack_refuses(error: str | None) -> str:
    """Why the card cannot come until an operator acts, with Slack's own word for it."""
    return f"Slack refuses this app's token or its scopes ({code(error or 'no reason given', ID)})"


def request_id(request: Request) -> str:
    return code(request.id, ID)


def show(request: Request) -> str:
    """The command that shows everything about a request."""
    return f"`vr-unpair show {request.id}`"


def open_card(request_id: str, url: str) -> str:
    """A link to its card."""
    return f"<{url}|Open {request_id}>"


def linked(words: str, request_id: str, url: str | None) -> str:
    """With a link to the card where a request that has one is named."""
    if url is None:
        return words
    named = code(request_id, ID)
    opened = words.replace(f"Open {named}", open_card(request_id, url), 1)
    return opened if opened != words else words.replace(named, f"<{url}|{request_id}>", 1)


def duration(ms: int) -> str:
    """In the largest unit that is exact: `90 seconds`, `1 hour`."""
    for size, unit in _UNITS:
        if ms >= size and ms % size == 0:
            return count_of(ms // size, unit)
    return f"{ms / 1000:g} seconds"


ORDINALS = ("no", "first", "second", "third", "fourth", "fifth")


def tally(request: Request) -> str:
    """`1 of 2`."""
    return f"{len(request.approvals)} of {request.terms.approvals_required}"


def approvals_so_far(request: Request) -> str:
    """`1 of 2 approvals`."""
    return (
        f"{tally(request)} {'approval' if request.terms.approvals_required == 1 else 'approvals'}"
    )


def to_call(request: Request) -> str:
    """Those of NOTIFY who may still decide: without whoever asked, and without those whose approval
    is counted. Groups are always kept, since it is not known here who is in them.

    Reminders use this too. It changes only with the approvals, like the tally in a reminder.
    """
    done = {request.requester, *(d.by for d in request.approvals)}
    return mentions(who for who in request.terms.notify if who not in done)


def consequences(request: Request) -> list[str]:
    """What somebody is about to do."""
    guarded = protected(request.snapshot)
    lines = [f"{what(request)}.", *([f"{guarded}."] if guarded else [])]
    if request.terms.dry_run:
        return [*lines, "Dry run: nothing will be deleted."]
    if request.scheduled_at is not None:
        lines.append("Not before the time on the card.")
    return [*lines, who_drops(request), no_way_back(request)]


def who_drops(request: Request, limit: int = NAME) -> str:
    """With and without `force` (vendor OpenAPI)."""
    if not request.force:
        return "Both sites drop the pairing."
    here, there = local_site(request, limit), remote_site(request, limit)
    return f"Only {here} drops the pairing; {there} keeps its half."


def protected(snapshot: Snapshot | None) -> str:
    """How many replications recovery plans protect. Empty if that is none, or not told."""
    if snapshot is None or not snapshot.protected:
        return ""
    guarded, count = snapshot.protected, count_of(snapshot.count, "VM")
    are = "is in a recovery plan" if guarded == 1 else "are in recovery plans"
    if guarded == snapshot.count:
        return f"{'All ' if guarded > 1 else ''}{count} {are}"
    # Only the listed ones are counted. Whether the others are protected is not known.
    return f"{'' if snapshot.complete else 'At least '}{guarded:,} of {count} {are}"


def no_way_back(request: Request) -> str:
    """What it would take to have the pairing back."""
    count = request.snapshot.count if request.snapshot else 0
    anew = f" and all {count:,} replications reconfigured" if count > 1 else ""
    anew = " and its replication reconfigured" if count == 1 else anew
    return f"This can't be undone. The sites would have to be paired again{anew}."


def who_decided(request: Request) -> str:
    """One sentence for the record: who decided what, and when. Empty if nobody did."""
    denial, cancellation = request.denial, request.cancellation
    if denial:
        return f"Denied by {mention(denial.by)}, {when(denial.at)}."
    if cancellation:
        return f"Withdrawn by {mention(cancellation.by)}, {when(cancellation.at)}."
    if request.glass:
        return f"Break glass: {mention(request.glass.by)} decided alone, {when(request.glass.at)}."
    if not request.approvals:
        return ""
    people = mentions(d.by for d in request.approvals)
    if request.missing_approvals:
        had = "has" if request.state.open else "had"
        return f"It {had} {approvals_so_far(request)}, by {people}."
    return f"Approved by {people}, {when(request.approvals[-1].at)}."


def people_concerned(request: Request) -> str:
    """Who asked and who decided: the line of the final reply that mentions them."""
    deciders = [p for p in request.deciders if p != request.requester]
    asked = f"Asked by {mention(request.requester)}"
    if last := request.denial or request.cancellation:
        return _said_no(request, asked, last)
    if request.glass:
        before = [d.by for d in request.approvals if d.by != request.glass.by]
        others = f" Approved before by {mentions(before)}." if before else ""
        return f"{asked}, decided alone by {mention(request.glass.by)} (break glass).{others}"
    if not deciders:
        return f"{asked}."
    how = "approved so far" if request.missing_approvals else "decided"
    return f"{asked}, {how} by {mentions(deciders)}."


def _said_no(request: Request, asked: str, last: Decision) -> str:
    """Who denied or withdrew it. Those who had approved before did not decide this end, but
    they are mentioned too, so that they know of it."""
    how = "denied" if request.denial else "withdrawn"
    approved = [d.by for d in request.approvals if d.by != last.by]
    glass = request.glass
    parts = [f"{asked}, {how} by {mention(last.by)}"]
    parts += [f"approved before by {mentions(approved)}"] if approved else []
    parts += (
        [f"glass broken before by {mention(glass.by)}"] if glass and glass.by != last.by else []
    )
    return f"{'; '.join(parts)}."


# ---- the appliance's own words: nothing reworded or left out, only cut if too long ---------
# A task's `status`, `id`, `error.message` and `error.details`; for a refused call the HTTP status
# and the ResponseError's `error_code`, `message` and `op_id` (vendor OpenAPI, Task, ResponseError).
_BEFORE_THE_TASK = "This came back for the delete, before the task was found:"


def vendor_words(
    request: Request, problem: Problem | None, limit: int = VENDOR_WORDS
) -> tuple[str, ...]:
    """Paragraphs that each fit into a section. `limit` applies to each of the vendor's texts."""
    task = _task(request.task, limit) if request.task else []
    answer = _answer(problem, limit) if problem else []
    if task and answer and problem == request.answer:
        # In the order in which they came. Otherwise a success would end with an earlier error.
        answer[0] = f"{_BEFORE_THE_TASK}\n{answer[0]}"
        return (*answer, *task)
    return (*task, *answer)


def problem_words(problem: Problem, limit: int = VENDOR_WORDS) -> tuple[str, ...]:
    """The same for a call that belongs to no request."""
    return tuple(_answer(problem, limit))


def _task(task: TaskView, limit: int) -> list[str]:
    lines = [f"Task status {code(task.status, ID)}, id {code(task.id, ID)}"]
    if task.error_message:
        lines.append(f"Task error message:\n{fence(task.error_message, limit)}")
    if task.error_details:
        lines.append(f"Task error details:\n{fence(task.error_details, limit)}")
    if task.status == "ERROR" and not (task.error_message or task.error_details):
        lines.append("The task came without an error message.")
    return lines


def _answer(problem: Problem, limit: int) -> list[str]:
    if problem.status is None:
        return [sentence(problem.text)]
    words = [f"The appliance answered HTTP {code(str(problem.status), ID)}"]
    if problem.error_code:
        words.append(f"error_code {code(problem.error_code, ID)}")
    if problem.op_id:
        words.append(f"op_id {code(problem.op_id, ID)}")
    lines = [", ".join(words)]
    if problem.message:
        lines.append(f"The appliance's message:\n{fence(problem.message, limit)}")
    elif not problem.error_code:
        lines.append(sentence(problem.text))  # our words, since there are none of the vendor's
    return lines
