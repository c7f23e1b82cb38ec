"""One request, as it is stored: a value. It only ever changes through `bot.request.absorb`."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from bot.request import Frozen
from bot.request.pairing import Near, Snapshot
from bot.request.pools import assign, could_help, missing
from bot.request.problem import Problem
from bot.request.task import TaskView
from bot.request.terms import Terms

SHORT = 16
"""Characters of a head as people see it, for `verify --head`. Somebody who can write to the
database could try details until the hash of a forged record begins like the one that Slack knows:
with 48 bits that is a night's work for one machine, with these 64 it takes decades."""


class Witness(Frozen):
    """A record as the thread shows it. When it was written, its hash was the head of the trail."""

    number: int
    hash: str

    @property
    def short(self) -> str:
        return self.hash[:SHORT]


class State(StrEnum):
    """The words of the contract: in `--json`, the audit trail and the metrics."""

    CHECKING = "checking"
    PENDING = "pending"
    APPROVED = "approved"
    DELETING = "deleting"
    FOLLOWING = "following"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    CHANGED = "changed"
    REHEARSED = "rehearsed"
    ATTENTION = "attention"

    open: bool
    """Whether it still holds its pairing, so that a second request is refused."""

    def __init__(self, word: str) -> None:
        self.open = word in ("checking", "pending", "approved", "deleting", "following")


ANY_SITE = ""
"""The site of a request that named none of several appliances, until the check has found it."""

OPEN = frozenset(state for state in State if state.open)
UNDECIDED = frozenset({State.CHECKING, State.PENDING})
CANCELLABLE = UNDECIDED | {State.APPROVED}


class Decision(Frozen):
    """Who approved, denied or cancelled, when, and by which message. As last read, of an approval:
    `pools`, with the entry of each that lists its giver; the `person`, where SAME_PERSON names
    several accounts. `through`: the entry of BREAK_GLASS by which it counts."""

    by: str
    at: int
    reason: str | None = None
    message: str | None = None
    through: str | None = None
    pools: dict[str, str] = Field(default_factory=dict)
    person: str | None = None

    @property
    def somebody(self) -> str:
        """The same for all accounts of one person."""
        return self.person or self.by


class WaitingClick(Frozen):
    """A click that is not decided yet. `event` is its number in the inbox. `may`: the right of
    whoever pressed was read and is a yes; the look itself is still to come."""

    event: int
    action: Literal["approve", "deny", "cancel", "look", "break_glass", "settle"]
    by: str
    team: str | None
    at: int
    reason: str | None = None
    message: str | None = None
    may: bool = False

    @property
    def decision(self) -> Decision:
        return Decision(by=self.by, at=self.at, reason=self.reason, message=self.message)


class Readings(Frozen):
    """What was read again before the DELETE, and when. Old readings are made anew. Never stored,
    since they count only within the claim that made them: their age alone does not tell, because if
    the clock is set back during a wait old readings look new."""

    rights_at: int | None = None
    appliance_at: int | None = None
    task_ids: tuple[str, ...] = ()


class Intent(Frozen):
    """Stored before the DELETE goes out. `task_ids` were listed just before: a task that is not
    among them and names the pairing can only be this call's."""

    at: int
    task_ids: tuple[str, ...]


class Notice(Frozen):
    """What the thread is told once, such as that an approval is void. The one about waiting is
    changed in place: `at` is since when it waits or goes on, `times` how often it has waited.
    `lines`: what differs by then from what was approved.
    `who`: the people it is about; `called`: others who are mentioned; `told`: those who get it as a
    direct message as well; `unread`: groups whose members could not be told, since Slack did not
    say who is in them."""

    code: str
    at: int
    text: str = ""
    times: int = 1
    lines: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class Outcome(Frozen):
    """How it ended: `code` names the sentence, the rest is what the sentence must carry.
    `by_404s`: that the pairing is gone was shown by answers of 404 alone, since the list of
    pairings was not whole by its own word."""

    code: str
    problem: Problem | None = None
    lines: tuple[str, ...] = ()
    near: tuple[Near, ...] = ()
    by_404s: bool = False


NOTHING_BEGAN = frozenset({"not_ours", "delete_refused", "not_begun"})
"""Codes of the corrections that a late word of whoever sent the DELETE brings."""


class Request(Frozen):
    """Everything about one request. Times are ms epoch of the database's clock.

    `glass` is the decision of one person of BREAK_GLASS alone, `glass_lost` one that does not count
    any more. `only_glass`: at the check too few people could approve.
    """

    id: str
    state: State = State.CHECKING
    site: str
    asked: str
    force: bool
    reason: str
    requester: str
    requester_team: str | None = None
    channel: str
    terms: Terms
    asked_by_event: int
    created_at: int
    updated_at: int

    at: str | None = None
    """The time for the delete, as it was asked for (`bot.request.time_for_delete`)."""
    zone: str | None = None
    """The asker's, as Slack named it when that was read."""
    scheduled_at: int | None = None
    time_came: bool = False
    """Since the approval: from then on all is read again, and the card says so."""

    pairing_id: str | None = None
    snapshot: Snapshot | None = None
    fingerprint: str | None = None
    earlier_attention: str | None = None
    earlier_settled: Decision | None = None
    """Who settled that one, and in which words; None while nobody has."""

    rights_to_ask_read: bool = False
    unreachable_since: int | None = None
    not_before: int | None = None
    waiting: Problem | None = None

    card_error: str | None = None
    """Slack's error, if it refuses the token or its scopes and so holds up the card."""
    card_ts: str | None = None
    strays: tuple[str, ...] = ()
    decide_by: int | None = None
    pending_since: int | None = None
    reminders: int = 0
    clicks: tuple[WaitingClick, ...] = ()
    approvals: tuple[Decision, ...] = ()
    denial: Decision | None = None
    cancellation: Decision | None = None
    only_glass: bool = False
    glass: Decision | None = None
    glass_lost: Decision | None = None

    approved_at: int | None = None
    execute_by: int | None = None
    readings: Readings = Field(default=Readings(), exclude=True)
    unauthorized: int = 0
    intent: Intent | None = None
    deletes_sent: int = 0
    """How many DELETEs went out, or may have: each intent counts until whoever was to send it says
    that nothing left the process."""
    answer: Problem | None = None
    turned_away: Problem | None = None
    """The last answer by which the appliance turned a DELETE away (401, 429, 503). Kept to the end:
    nothing was accepted, but no final reply may say that nothing was sent."""
    follow_by: int | None = None
    task: TaskView | None = None
    task_adopted: bool = False
    """The answer to the DELETE was lost, and the task is taken for ours by two signs: it was not in
    the list that was read just before the DELETE, and it names this pairing."""
    nameless_task: bool = False
    polling_since: int | None = None
    gone_since: int | None = None
    """When the pairing's id was first answered 404 while the list of pairings was not whole. None
    when that list has settled it since, either way."""
    notices: tuple[Notice, ...] = ()

    outcome: Outcome | None = None
    ended_at: int | None = None
    correction: Outcome | None = None
    settled: Decision | None = None
    """Somebody has found out what became of it, and said so. It stays in `attention`."""
    looked_at: int | None = None
    """When the appliance was last asked again about an unknown outcome."""
    refused: dict[str, int] = Field(default_factory=dict)
    """How often each person's click was refused, by person, message, button and reason."""
    pruned_at: int | None = None
    """When what only served its messages went (KEEP_FOR). None of them is drawn any more."""

    # Not stored with the row: they are read from the audit trail when a message is drawn.
    ended_in: Witness | None = Field(default=None, exclude=True)
    corrected_in: Witness | None = Field(default=None, exclude=True)

    def pruned(self, now: int) -> Request:
        """Without what only its messages showed."""
        snapshot = self.snapshot and self.snapshot.model_copy(
            update={"replications": (), "issues": ()}
        )
        less: dict[str, object] = {"clicks": (), "strays": (), "notices": (), "refused": {}}
        return self.model_copy(update={**less, "snapshot": snapshot, "pruned_at": now})

    @property
    def deletes_accepted(self) -> int:
        """How many the appliance is known to have taken: it said so, or it has the task."""
        return int(self.task is not None and not self.task_of_another)

    @property
    def task_of_another(self) -> bool:
        """Whether the task was taken for ours until the end, and whoever sent the DELETE has said
        since that nothing of it began."""
        corrected = self.correction is not None and self.correction.code in NOTHING_BEGAN
        return self.task_adopted and corrected

    @property
    def approvals_required(self) -> int:
        return sum(pool.needed for pool in self.terms.pools)

    @property
    def approved_by(self) -> dict[str, tuple[str, ...]]:
        """Each person once, with the pools that they are in."""
        people: dict[str, tuple[str, ...]] = {}
        for decision in self.approvals:
            people.setdefault(decision.somebody, tuple(decision.pools))
        return people

    @property
    def counted(self) -> dict[str, str]:
        """Whose approvals count, each with the name of the pool that it counts for."""
        pools = assign(self.approved_by, self.terms.pools)
        return {d.by: pools[d.somebody] for d in self.approvals if d.somebody in pools}

    @property
    def counted_in_pools(self) -> dict[str, str] | None:
        """The same where pools have names: for the audit trail."""
        return self.counted if len(self.terms.pools) > 1 else None

    @property
    def through(self) -> dict[str, str | None]:
        """Who has decided that it is sent, each with the entry of the settings that lists them."""
        if self.glass:
            return {self.glass.by: self.glass.through}
        counted = self.counted
        return {d.by: d.pools[counted[d.by]] for d in self.approvals if d.by in counted}

    @property
    def missing(self) -> dict[str, int]:
        """How many approvals each pool still needs, by its name; empty when it is approved."""
        return missing(self.approved_by, self.terms.pools)

    @property
    def missing_approvals(self) -> int:
        return sum(self.missing.values())

    def would_count(self, pools: tuple[str, ...]) -> bool:
        """Whether the approval of one more person, who is in these pools, would count."""
        return could_help(pools, self.approved_by, self.terms.pools)

    @property
    def glass_alone(self) -> bool:
        """Whether only breaking the glass can decide, since too few people could approve."""
        return self.only_glass and self.terms.break_glass

    @property
    def may_be_denied(self) -> bool:
        """While it is undecided. With a time for the delete until that is being sent: approvals
        were given hours ahead, and whoever gave one may have heard better since."""
        waits = self.state is State.APPROVED and self.scheduled_at is not None
        return self.state is State.PENDING or waits

    @property
    def unresolved(self) -> bool:
        """Whether somebody still has to find out what became of it."""
        return self.state is State.ATTENTION and self.settled is None

    @property
    def waits_for_its_time(self) -> bool:
        """Approved, and the time that was asked for has not come."""
        scheduled = self.scheduled_at is not None
        return self.state is State.APPROVED and scheduled and not self.time_came

    @property
    def title(self) -> str:
        return self.snapshot.title if self.snapshot else self.asked

    @property
    def deciders(self) -> tuple[str, ...]:
        """Who decided, each once and in order. The final reply mentions them."""
        people = [d.by for d in self.approvals]
        people += [d.by for d in (self.glass, self.denial, self.cancellation) if d]
        return tuple(dict.fromkeys(people))
