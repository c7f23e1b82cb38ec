"""Everything that can happen to a request. Stored as JSON in the inbox or absorbed at once.

What people did comes from the inbox. What an effect brought back is absorbed at once by the holder
of the claim. If the claim is lost, the outcome of a DELETE goes into the inbox: it is never thrown
away.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bot.request import Frozen
from bot.request.model import Decision, Intent
from bot.request.pairing import PairingUnresolved, Presence, Snapshot
from bot.request.pools import Pool
from bot.request.problem import Problem
from bot.request.task import TaskView
from bot.request.who_may import SiteTerms, Verdict

# ---- what people did -------------------------------------------------------------------------


class Asked(Frozen):
    """Somebody asked; the worker makes the row. `team` is what Slack said of the asker; `at`: not
    before this time, as typed (`bot.request.time_for_delete.tidy_time`)."""

    kind: Literal["asked"] = "asked"
    site: str
    pairing: str
    force: bool
    reason: str
    requester: str
    team: str | None
    channel: str
    at: str | None = None


class Clicked(Frozen):
    """A button, or the modal behind it. `ours` says that the bot itself wrote the message."""

    kind: Literal["clicked"] = "clicked"
    action: Literal["approve", "deny", "cancel", "look", "break_glass", "settle"]
    by: str
    team: str | None
    fingerprint: str
    channel: str
    message_ts: str
    ours: bool
    reason: str | None = None


class Opened(Frozen):
    """A button or a command that opened a modal: kept so that its submission can be answered."""

    kind: Literal["opened"] = "opened"
    action: Literal["deny", "break_glass", "settle", "ask"]
    by: str


class Misdirected(Frozen):
    """A press that can change nothing, kept for the audit trail: this version does not know the
    button, no card of ours has its value, or there is no such request. `action` and `value`
    are cut."""

    kind: Literal["misdirected"] = "misdirected"
    action: str
    by: str
    channel: str
    message_ts: str
    value: str
    why: Literal["unreadable_button", "unknown_button", "unknown_request"]


class AskRefused(Frozen):
    """The listener itself refused it and answered, so there is no request. Kept for the audit
    trail. `pairing` is as typed, empty if a form was wanted."""

    kind: Literal["ask_refused"] = "ask_refused"
    by: str
    team: str | None
    channel: str
    pairing: str
    force: bool
    why: Literal["direct_message", "channel", "reason_missing", "reason_pattern"]


class OperatorCancelled(Frozen):
    """`vr-unpair cancel`: for when Slack is away. `operator` is the system user."""

    kind: Literal["operator_cancelled"] = "operator_cancelled"
    operator: str


# ---- what time and effects brought -----------------------------------------------------------


class TimePassed(Frozen):
    """A deadline or a reminder has come."""

    kind: Literal["time_passed"] = "time_passed"


class RightsToAskRead(Frozen):
    """May the requester ask here at all, and how many people could approve?

    `channels`: where it is allowed, if not here. `missing`: how many more people each pool would
    need, by its name, if all who could approve did. `unread`: Slack did not tell of some people, so
    fewer may be missing. `glass_possible`: too few could approve, but somebody of BREAK_GLASS could
    decide alone. `zone`: the requester's. `unseeing`: people of NOTIFY who are not in a private
    channel, all of them where Slack did not say who is in it (`channel_unread`); `unread_groups`:
    groups of NOTIFY that could not be read for that.
    """

    kind: Literal["rights_to_ask_read"] = "rights_to_ask_read"
    requester: Verdict
    channel_allowed: bool
    channels: tuple[str, ...] = ()
    missing: dict[str, int] = Field(default_factory=dict)
    glass_possible: bool = False
    unread: Verdict | None = None
    zone: str | None = None
    schedule_max_ms: int = 0
    unseeing: tuple[str, ...] = ()
    channel_unread: bool = False
    unread_groups: tuple[str, ...] = ()


class PairingRead(Frozen):
    """The pairing as it is now. `task_ids`: all tasks listed just before (only when acting).

    `earlier_attention`: a request of this pairing whose outcome is unknown, or was until somebody
    settled it (`earlier_settled`); the card names it. `found_at`: the site, where none was named,
    and its `site_terms`. `read_at` as in RightsRead.
    """

    kind: Literal["pairing_read"] = "pairing_read"
    snapshot: Snapshot
    task_ids: tuple[str, ...] = ()
    earlier_attention: str | None = None
    earlier_settled: Decision | None = None
    found_at: str | None = None
    site_terms: SiteTerms | None = None
    read_at: int | None = None


class CallFailed(Frozen):
    """A call other than the DELETE itself failed."""

    kind: Literal["call_failed"] = "call_failed"
    problem: Problem


class CardPosted(Frozen):
    """Slack has the card."""

    kind: Literal["card_posted"] = "card_posted"
    ts: str


class CardRefused(Frozen):
    """Slack will not take the card, whatever is tried. `error` is Slack's word."""

    kind: Literal["card_refused"] = "card_refused"
    error: str


class CardHeldUp(Frozen):
    """Slack refuses the token or its scopes, so the card waits until an operator has acted. `error`
    is Slack's word."""

    kind: Literal["card_held_up"] = "card_held_up"
    error: str


class RightsRead(Frozen):
    """The rights that people have now, with the policy that this process has now.

    `verdicts` is the right to approve, deny and settle, `glass` the right to break the glass:
    neither includes the other. `asking` is the right to ask in the request's channel. `persons`:
    the person behind each account that SAME_PERSON names. `approvers` is the list itself, mentioned
    when the glass is broken. Then `approving` are all its people, through groups too, and
    `unread_groups` the groups of it that could not be read.
    `read_at`: when the reading began, so that it does not look new after the process was frozen.
    """

    kind: Literal["rights_read"] = "rights_read"
    verdicts: dict[str, Verdict]
    dry_run: bool
    pools: tuple[Pool, ...]
    persons: dict[str, str] = Field(default_factory=dict)
    glass: dict[str, Verdict] = Field(default_factory=dict)
    asking: dict[str, Verdict] = Field(default_factory=dict)
    glass_there: bool = True
    approvers: tuple[str, ...] = ()
    approving: tuple[str, ...] = ()
    unread_groups: tuple[str, ...] = ()
    read_at: int | None = None


class IntentStored(Frozen):
    """The step into `deleting`; only ever saved together with the guards of rule 2."""

    kind: Literal["intent_stored"] = "intent_stored"


class OfOneDelete(Frozen):
    """What became of one DELETE. Nobody but the process that sent it can know, so it is never lost.
    `intent` is the one that it is about. It may be said twice, when a commit did not answer, and
    the second time it must not undo the next intent; or the row has lost it with the database's
    last commits."""

    intent: Intent | None = None


class DeleteNotAccepted(OfOneDelete):
    """Only the process that sent the DELETE, or did not, may say this."""

    kind: Literal["delete_not_accepted"] = "delete_not_accepted"
    problem: Problem


class DeleteAccepted(OfOneDelete):
    """202 with a task."""

    kind: Literal["delete_accepted"] = "delete_accepted"
    task: TaskView


class DeleteAnswered(OfOneDelete):
    """Any other answer, or none. We find out by polling what it means."""

    kind: Literal["delete_answered"] = "delete_answered"
    problem: Problem


DeleteOutcome = DeleteAccepted | DeleteAnswered | DeleteNotAccepted


class TaskPolled(Frozen):
    """The task, asked for by its id; None when the appliance itself answers 404 to that.
    `pause_ms`: how long to wait before it is asked for again."""

    kind: Literal["task_polled"] = "task_polled"
    task: TaskView | None
    pause_ms: int = 0


class PresenceRead(Frozen):
    """Whether the pairing is there, with the tasks that were asked for. `superseded`: a later
    request of the same pairing has an intent, so Look again may only report."""

    kind: Literal["presence_read"] = "presence_read"
    pairing: Presence
    tasks: tuple[TaskView, ...] = ()
    superseded: bool = False


Event = Annotated[
    Asked
    | Clicked
    | Opened
    | Misdirected
    | AskRefused
    | OperatorCancelled
    | TimePassed
    | RightsToAskRead
    | PairingRead
    | PairingUnresolved
    | CallFailed
    | CardPosted
    | CardRefused
    | CardHeldUp
    | RightsRead
    | IntentStored
    | DeleteNotAccepted
    | DeleteAccepted
    | DeleteAnswered
    | TaskPolled
    | PresenceRead,
    Field(discriminator="kind"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def person_of(event: Event) -> str | None:
    """Whose Slack user did it; None for what nobody in Slack did."""
    return event.requester if isinstance(event, Asked) else getattr(event, "by", None)


class Stored(Frozen):
    """An event with its place and time in the inbox; 0 for one that never went through it."""

    number: int = 0
    at: int
    event: Event
