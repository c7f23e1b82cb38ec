"""Parts of sentences that several messages share, the appliance's own words, and each state as
people see it: a mark, the heading of the card, and the end of a sentence.

Everything in this folder returns Slack markup in which text by others is escaped already.
"""

from __future__ import annotations

from typing import NamedTuple

from bot.request.model import Request, State
from bot.request.pools import Pool
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

HAVE_IT_CHECKED = "Have an administrator run `vr-unpair check`: it names what is wrong."

_UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"))


def duration(ms: int) -> str:
    """In the largest unit that is exact: `90 seconds`, `1 hour`."""
    for size, unit in _UNITS:
        if ms >= size and ms % size == 0:
            return count_of(ms // size, unit)
    return f"{ms / 1000:g} seconds"


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


# ---- who may ---------------------------------------------------------------------------------
ASK = ("ask", "REQUESTERS")
DECIDE = ("decide", "APPROVERS")
BREAK_GLASS = ("break the glass", "BREAK_GLASS")
LOOK = ("look again", "REQUESTERS")
SETTLE = ("settle it", "APPROVERS")

MAY_NOT: dict[Reason, str] = {
    Reason.OWN_REQUEST: "It is your own request",
    Reason.NOT_LISTED: "You are not among the people who may {do} (`{whose}`)",
    Reason.DEACTIVATED: "Your Slack account is deactivated",
    Reason.BOT: "Bots cannot {do}",
    Reason.GUEST: "Guests of this workspace cannot {do}",
    Reason.OTHER_WORKSPACE: "You belong to another workspace",
    Reason.CHANNEL: "Nobody can {do} in this channel (`CHANNELS`)",
    Reason.UNREADABLE: "Slack did not say who you are",
    Reason.GROUP_UNREADABLE: "Slack did not say who is in the user groups of `{whose}`",
}


OF_A_REQUEST = frozenset({Reason.OWN_REQUEST, Reason.CHANNEL})
"""Reasons that lie in the request, where all others lie in the person."""


def may_not(reason: Reason, do: str, whose: str) -> str:
    """Why somebody may not do that: the beginning of a sentence. `whose`: the setting."""
    return MAY_NOT[reason].format(do=do, whose=whose)


# ---- who ---------------------------------------------------------------------------------------
def approvals_so_far(request: Request) -> str:
    """`1 of 2 approvals`; of several pools `1 of 1 of storage and 0 of 1 of security`."""
    pools = request.terms.pools
    if len(pools) > 1:
        return " and ".join(f"{_filled(request, pool)} of {pool_name(pool.name)}" for pool in pools)
    needed = request.approvals_required
    return f"{len(request.approvals)} of {needed} approval{'' if needed == 1 else 's'}"


def pool_name(name: str) -> str:
    return code(name, limits.ID)


def _filled(request: Request, pool: Pool) -> str:
    return f"{pool.needed - request.missing.get(pool.name, 0)} of {pool.needed}"


def still_missing(request: Request) -> str:
    return ", ".join(f"{number} of {pool_name(name)}" for name, number in request.missing.items())


def approvals_by_pool(request: Request) -> str:
    """How many approvals there are, and whose: a line for each pool, where there are several."""
    counted, pools = request.counted, request.terms.pools
    lines = []
    for pool in pools:
        people = mentions(who for who, name in counted.items() if name == pool.name)
        name = f"\n• {pool_name(pool.name)}: " if len(pools) > 1 else ""
        lines.append(f"{name}{_filled(request, pool)}{f', by {people}' if people else ''}")
    return "".join(lines)


def to_call(request: Request) -> str:
    """Those of NOTIFY who may still help: without whoever asked, without those whose approval is
    counted, and without those listed in pools alone that need nobody any more. It is not known here
    who is in a group.

    Reminders use this too. It changes only with the approvals, like the tally in a reminder.
    """
    done = {request.requester, *(d.by for d in request.approvals)}

    def helps(who: str) -> bool:
        pools = tuple(pool.name for pool in request.terms.pools if who in pool.listed)
        return not pools or request.would_count(pools)

    return mentions(who for who in request.terms.notify if who not in done and helps(who))


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


class StateWords(NamedTuple):
    """`heading` is at the top of the card; `phrase` completes "the request …"."""

    mark: str
    heading: str
    phrase: str


UNDER_WAY = "Approved: under way"
"""While it is sent and carried out. The card looks the same for both, since they are often a second
apart and each edit is a call to Slack. The thread says how far it is."""

STATES: dict[State, StateWords] = {
    State.CHECKING: StateWords("⏳", "Break the pairing?", "is being checked"),
    State.PENDING: StateWords("⏳", "Break the pairing?", "waits for a decision"),
    State.APPROVED: StateWords(
        "🔵", "Approved: about to be sent", "is approved and about to be sent"
    ),
    State.DELETING: StateWords("🔵", UNDER_WAY, "is being sent to the appliance"),
    State.FOLLOWING: StateWords("🔵", UNDER_WAY, "is being carried out"),
    State.SUCCEEDED: StateWords("✅", "Done: the pairing is gone", "is done: the pairing is gone"),
    State.FAILED: StateWords("❌", "Failed: see the thread", "has failed: its thread says why"),
    State.REFUSED: StateWords("🚫", "Rejected", "was rejected"),
    State.DENIED: StateWords("⛔", "Denied: nothing was sent", "was denied"),
    State.CANCELLED: StateWords("↩️", "Withdrawn: nothing was sent", "was withdrawn"),
    State.EXPIRED: StateWords("⌛", "Out of time", "ran out of time"),
    State.CHANGED: StateWords(
        "🔀",
        "Changed meanwhile: nothing was sent",
        "ended: the pairing changed after approval",
    ),
    State.REHEARSED: StateWords(
        "🧪", "Dry run done: nothing was sent", "was a dry run and is over"
    ),
    State.ATTENTION: StateWords(
        "⚠️",
        "Outcome unknown: see the thread",
        "has no confirmed outcome: somebody must look",
    ),
}


def state_now(request: Request) -> str:
    """How the request is at this moment, for one person: the state, who decided and when, when it
    ended, and what that means for them. It names the time of each thing that lies ahead, so that it
    is still true when it is read late."""
    # A denial or a cancellation is named with its time, which is also the end.
    told = request.denial is not None or request.cancellation is not None
    end = "" if told or request.ended_at is None else f"It ended {when(request.ended_at)}."
    parts = (
        f"{STATES[request.state].mark} {code(request.id)} {phrase(request)}.",
        who_decided(request),
        end,
        _means(request),
    )
    return " ".join(part for part in parts if part)


def phrase(request: Request) -> str:
    """How it is, as the end of a sentence."""
    if request.scheduled_at is not None and request.waits_for_its_time:
        return f"is approved, and waits until {when(request.scheduled_at)}"
    if request.state is State.APPROVED and request.terms.dry_run:
        return "is approved, as a dry run: nothing will be deleted"
    if request.state is State.APPROVED and request.waiting:
        return "is approved, and cannot be sent yet"
    if request.outcome is not None and request.outcome.code == "pairing_taken":
        return "was rejected: another request is open"
    return STATES[request.state].phrase


def _means(request: Request) -> str:
    match request.state:
        case State.PENDING if request.decide_by is not None:
            return f"It can be decided until {when(request.decide_by)}."
        case State.APPROVED if request.may_be_denied:
            return f"{may_stop_it(request)}."
        case State.APPROVED:
            return "It can be withdrawn until it is sent."
        case State.DELETING | State.FOLLOWING:
            return "It can no longer be stopped. Its thread tells how it ends."
        case State.SUCCEEDED | State.ATTENTION:
            return "Its thread says what happened."
        case State.CHANGED:
            return f"{nothing_sent(request)} Its thread says what differs."
        case State.REFUSED | State.DENIED | State.CANCELLED | State.EXPIRED | State.REHEARSED:
            return f"{nothing_sent(request)} Ask again if it is still wanted."
        case _:
            return ""
