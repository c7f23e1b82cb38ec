"""Parts of sentences that several messages share, and the appliance's own words.

Everything in this folder returns Slack markup in which text by others is escaped already.
"""

from __future__ import annotations

from typing import NamedTuple

from bot.request.model import Request
from bot.request.problem import Problem
from bot.request.who_may import Reason
from bot.slack.draw import limits
from bot.slack.draw.markup import code, fence, mention, mentions, sentence, when
from bot.slack.draw.words.pairing_names import count_of


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


def duration(ms: int) -> str:
    """In the largest unit that is exact: `90 seconds`, `1 hour`."""
    for size, unit in _UNITS:
        if ms >= size and ms % size == 0:
            return count_of(ms // size, unit)
    return f"{ms / 1000:g} seconds"


def not_before(request: Request) -> str:
    """When the delete is sent at the earliest: to each reader in their own time zone, and as it was
    asked for. Empty without such a time."""
    at = request.scheduled_at
    if at is None or request.at is None:
        return ""
    clock = "" if request.at.startswith("+") else f", {code(request.zone or 'UTC', limits.NAME)}"
    return f"{when(at)} your time (typed: {code(request.at)}{clock})"


def by_deadline(request: Request, by: str = " by ") -> str:
    """Until when it can be decided, behind that word. Empty where that is not known."""
    return f"{by}{when(request.decide_by)}" if request.decide_by is not None else ""


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
    status = f" (HTTP {code(str(turned_away.status), limits.ID)})" if turned_away.status else ""
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


def slack_refuses(error: str | None) -> str:
    """Why the card cannot come until an operator acts, with Slack's own word for it."""
    word = code(error or "no reason given", limits.ID)
    return f"Slack refuses this app's token or its scopes ({word})"


# ---- a request by its id -----------------------------------------------------------------------
def open_card(request_id: str, url: str) -> str:
    """A link to its card."""
    return f"<{url}|Open {request_id}>"


def linked(words: str, request_id: str, url: str | None) -> str:
    """With a link to the card where a request that has one is named."""
    if url is None:
        return words
    named = code(request_id, limits.ID)
    opened = words.replace(f"Open {named}", open_card(request_id, url), 1)
    return opened if opened != words else words.replace(named, f"<{url}|{request_id}>", 1)


# ---- who may ---------------------------------------------------------------------------------
ASK = ("ask", "REQUESTERS")
DECIDE = ("decide", "APPROVERS")
BREAK_GLASS = ("break the glass", "BREAK_GLASS")

MAY_NOT: dict[Reason, str] = {
    Reason.OWN_REQUEST: "It is your own request",
    Reason.NOT_LISTED: "You are not among the people who may {do} (`{whose}`)",
    Reason.DEACTIVATED: "Your Slack account is deactivated",
    Reason.BOT: "Bots cannot {do}",
    Reason.GUEST: "Guests of this workspace cannot {do}",
    Reason.OTHER_WORKSPACE: "You belong to another workspace",
    Reason.UNREADABLE: "Slack did not say who you are",
    Reason.GROUP_UNREADABLE: "Slack did not say who is in the user groups of `{whose}`",
}


def may_not(reason: Reason, do: str, whose: str) -> str:
    """Why somebody may not do that: the beginning of a sentence. `whose`: the setting."""
    return MAY_NOT[reason].format(do=do, whose=whose)


# ---- who ---------------------------------------------------------------------------------------
def approvals_so_far(request: Request) -> str:
    """`1 of 2 approvals`."""
    needed = request.terms.approvals_required
    return f"{len(request.approvals)} of {needed} approval{'' if needed == 1 else 's'}"


def to_call(request: Request) -> str:
    """Those of NOTIFY who may still decide: without whoever asked, and without those whose approval
    is counted. Groups are always kept, since it is not known here who is in them.

    Reminders use this too. It changes only with the approvals, like the tally in a reminder.
    """
    done = {request.requester, *(d.by for d in request.approvals)}
    return mentions(who for who in request.terms.notify if who not in done)


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
    """Who asked and who decided: the line of the final reply that mentions them. Where somebody
    denied or withdrew it, or broke the glass, those who had approved before did not decide this
    end, but they are mentioned too, so that they know of it."""
    last = request.denial or request.cancellation or request.glass
    before = [each for each in request.deciders if last is not None and each != last.by]
    lines = [f"Asked by {mention(request.requester)}.", who_decided(request)]
    lines += [f"Decided before by {mentions(before)}."] if before else []
    return " ".join(filter(None, lines))


# ---- the appliance's own words: nothing reworded or left out, only cut if too long ---------
# A task's `status`, `id`, `error.message` and `error.details`; for a refused call the HTTP status
# and the ResponseError's `error_code`, `message` and `op_id` (vendor OpenAPI, Task, ResponseError).
def vendor_words(
    request: Request, problem: Problem | None, limit: int = limits.VENDOR_WORDS
) -> list[str]:
    """Paragraphs that each fit into a section. `limit` applies to each of the vendor's texts."""
    told = task_words(request, limit)
    answer = problem_words(problem, limit) if problem else []
    if told and answer and problem == request.answer:
        # In the order in which they came. Otherwise a success would end with an earlier error.
        answer[0] = f"This came back for the delete, before the task was found:\n{answer[0]}"
        return answer + told
    return told + answer


def task_words(request: Request, limit: int) -> list[str]:
    task = request.task
    if task is None:
        return []
    lines = [f"Task status {code(task.status, limits.ID)}, id {code(task.id, limits.ID)}"]
    if task.error_message:
        lines.append(f"Task error message:\n{fence(task.error_message, limit)}")
    if task.error_details:
        lines.append(f"Task error details:\n{fence(task.error_details, limit)}")
    if task.status == "ERROR" and not (task.error_message or task.error_details):
        lines.append("The task came without an error message.")
    return lines


def problem_words(problem: Problem, limit: int = limits.VENDOR_WORDS) -> list[str]:
    """Also for a call that belongs to no request."""
    if problem.status is None:
        return [sentence(problem.text)]
    words = [f"The appliance answered HTTP {code(str(problem.status), limits.ID)}"]
    if problem.error_code:
        words.append(f"error_code {code(problem.error_code, limits.ID)}")
    if problem.op_id:
        words.append(f"op_id {code(problem.op_id, limits.ID)}")
    lines = [", ".join(words)]
    if problem.message:
        lines.append(f"The appliance's message:\n{fence(problem.message, limit)}")
    elif not problem.error_code:
        lines.append(sentence(problem.text))  # our words, since there are none of the vendor's
    return lines
