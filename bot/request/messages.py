"""Which messages Slack should show of a request, and where. How they look is up to `bot.slack`.

A slot is the lasting name of one message. The poster draws it from the row at the moment it sends.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import Field

from bot.request import Frozen
from bot.request.model import Request, State
from bot.request.plan import AHEAD


class Slot(StrEnum):
    """The kinds of message. Reminder, notice, alarm and stray have a number or a `ts` behind a
    colon. An alarm is a notice that the whole channel sees, not only the thread; `told` is the same
    for one person, with their id and the number of the notice behind it."""

    CARD = "card"
    PROGRESS = "progress"
    REMINDER = "reminder"
    NOTICE = "notice"
    ALARM = "alarm"
    TOLD = "told"
    FINAL = "final"
    CORRECTION = "correction"
    STRAY = "stray"
    ANSWER = "answer"


ALARMS = frozenset({"glass_broken"})
"""Codes of notices that must not be overlooked in a thread."""

ALONE = frozenset({"approved_unseen"})
"""Codes of notices that only those in `told` get: the thread says it in another way."""

PRIVATE = frozenset({Slot.FINAL, Slot.CORRECTION})
"""What each person concerned gets as a copy when the channel does not take it. Their id stands
behind the colon."""


@dataclass(frozen=True)
class Message:
    """One message that should exist. `slot` is its kind, and where there are several of that a
    colon and `which`, what tells them apart. `person`: for whom alone it is, in the conversation
    with the bot."""

    slot: str
    in_thread: bool = True
    kind: Slot = field(init=False)
    which: str = field(init=False)
    person: str | None = field(init=False)

    def __post_init__(self) -> None:
        kind, _, which = self.slot.partition(":")
        alone = kind == Slot.TOLD or kind in PRIVATE
        person = which.partition(":")[0] if alone else ""
        self.__dict__.update(kind=Slot(kind), which=which, person=person or None)


def messages(request: Request, now: int) -> tuple[Message, ...]:
    """Every message that should exist for the row at `now`. A reminder or a notice only while what
    it says is so: one that Slack has not taken by then is not sent late."""
    wanted: list[Message] = []
    if request.pruned_at is not None:
        return ()
    shown = request.snapshot is not None
    if shown and (request.state is not State.REFUSED or request.card_ts):
        wanted.append(Message(slot=Slot.CARD.value, in_thread=False))
    if not request.card_ts:
        return tuple(wanted)
    if request.approved_at is not None:
        wanted.append(Message(slot=Slot.PROGRESS.value))
    undecided = request.state is State.PENDING
    if undecided and request.reminders:
        wanted.append(Message(slot=f"{Slot.REMINDER}:{request.reminders}"))
    for number, notice in enumerate(request.notices, start=1):
        if notice.code in ALARMS:
            wanted.append(Message(slot=f"{Slot.ALARM}:{number}"))
        elif notice.code in ALONE:
            pass
        elif notice.code == "settled" or (
            request.state is State.APPROVED if notice.code in AHEAD else request.state.open
        ):
            wanted.append(Message(slot=f"{Slot.NOTICE}:{number}"))
        told = (f"{Slot.TOLD}:{person}:{number}" for person in notice.told)
        wanted += [Message(slot=slot, in_thread=False) for slot in told]
    wanted += [Message(slot=f"{Slot.STRAY}:{ts}", in_thread=False) for ts in request.strays]
    if not request.state.open and request.state is not State.REFUSED:
        wanted.append(Message(slot=Slot.FINAL.value))
    if request.correction:
        wanted.append(Message(slot=Slot.CORRECTION.value))
    return tuple(wanted)


UNSEEN = frozenset(
    {"updated_at", "readings", "not_before", "unreachable_since", "clicks", "looked_at"}
    | {"gone_since", "unauthorized", "rights_to_ask_read", "pruned_at", "refused"}
)
"""No message is drawn from these fields of a row."""

UNDER_WAY = frozenset(
    {"task", "task_adopted", "nameless_task", "waiting", "polling_since", "answer"}
)
"""From these only the progress message is drawn as long as the request is open."""


def changed_messages(before: Request | None, after: Request) -> tuple[Message, ...]:
    """The messages that are new or may look different from before, by the fields they are drawn
    from: a poll that moved only times keeps nobody busy. What looks the same after all is found out
    when it is drawn. Worst case of a field that is missing here: a card that goes on showing what
    is no longer so; `tests/life/simulation/test_changed_messages.py` holds both lists against the
    drawings."""
    now_wanted = messages(after, after.updated_at)
    if before is None:
        return now_wanted
    changed = {
        name
        for name in Request.model_fields
        if name not in UNSEEN and getattr(before, name) != getattr(after, name)
    }
    if not changed:
        return ()
    if after.state.open and changed <= UNDER_WAY:
        return tuple(message for message in now_wanted if message.kind is Slot.PROGRESS)
    return now_wanted


UNEXPECTED = "unexpected"
"""The code of the one answer that comes from no event but from an error of ours. Its `params`:
`reference`, under which the error stands in the log, and `request`."""


class Answer(Frozen):
    """Words for one person alone, in reply to the event of that number in the inbox.

    `matters` keeps it alive as a direct message when Slack's `response_url` has lapsed.
    """

    event: int
    code: str
    params: dict[str, str] = Field(default_factory=dict)
    matters: bool = False


class Due(Frozen):
    """One message that is due, claimed for as long as its sending may take.

    `slot` as in `bot.request.messages`. `ts` is set when it was posted before, so it is edited now.
    `wanted` is the version of the row for which it was due at the claim, `shown` the digest of what
    Slack shows.
    For an answer to one person: `answer`, `user`, `response_url` (None when there is none or it
    has lapsed; then it goes as a direct message). `last_error`: of the try before this one. `lost`:
    how many tries Slack may have taken without saying so.
    `card_gone`, for final words: the card could not be edited, since somebody has deleted it.
    `at` is the time of the claim (ms epoch), `lease_until` when it is over, `request` the row as it
    was at the claim, None where there is none.
    """

    request_id: str
    slot: str
    channel: str
    thread_ts: str | None = None
    ts: str | None = None
    wanted: int = 0
    shown: str | None = None
    attempts: int = 0
    lost: int = 0
    answer: Answer | None = None
    user: str | None = None
    response_url: str | None = None
    last_error: str | None = None
    card_gone: bool = False
    at: int = 0
    lease_until: int = 0
    request: Request | None = None


NO_LONGER_WANTED = "no_longer_wanted"
"""An error of our own, in place of Slack's: the row does not want the message any more."""


ANSWER_LOST = "answer_lost"
"""Another one: Slack was given the message six times, and never said whether it took it."""


class Unsaid(Frozen):
    """A message that Slack does not show as it should. `due_at` is ms epoch, None when it was given
    up. `posted`: Slack shows an older form of it. `since`: when it was first wanted."""

    slot: str
    error: str | None
    attempts: int
    posted: bool
    since: int
    due_at: int | None


LONGEST_PAUSE_S = 15 * 60
"""Neither an absurd Retry-After nor a time that was stored by a clock that was ahead may silence
the bot for a day. Slack's limits are per minute (Slack docs, rate limits)."""


class Drawn(Frozen):
    """A message as Slack takes it: `text` is never empty (phones, screen readers)."""

    text: str
    blocks: tuple[dict[str, Any], ...] = ()

    @property
    def digest(self) -> str:
        """Equal only for what looks the same."""
        canonical = json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]
