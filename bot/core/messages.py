"""What Slack should show of a request: which messages, and where. How they look is `bot.slack`'s.

A slot names one message for ever; the poster draws it from the row at the moment it sends.
"""

from __future__ import annotations

from enum import StrEnum

from bot.core.frozen import Frozen
from bot.core.request import Request, State


class Slot(StrEnum):
    """The kinds of message; reminder, notice, alarm and stray carry a number or `ts` behind a
    colon. An alarm is a notice that the whole channel sees, outside the thread too."""

    CARD = "card"
    PROGRESS = "progress"
    REMINDER = "reminder"
    NOTICE = "notice"
    ALARM = "alarm"
    FINAL = "final"
    CORRECTION = "correction"
    STRAY = "stray"
    ANSWER = "answer"


ALARMS = frozenset({"glass_broken"})
"""Codes of notices that must not go under in a thread."""


PRIVATE = frozenset({Slot.FINAL, Slot.CORRECTION})
"""What goes to each person concerned when the channel does not take it: the id stands behind the
colon."""


class Message(Frozen):
    """One message that should exist. `slot` is the kind, with `:` and what tells it from others."""

    slot: str
    in_thread: bool = True

    @property
    def kind(self) -> Slot:
        return Slot(self.slot.partition(":")[0])

    @property
    def which(self) -> str:
        return self.slot.partition(":")[2]

    @property
    def private(self) -> bool:
        """Whether it is a copy for one person, in the conversation with the bot."""
        return self.kind in PRIVATE and bool(self.which)


def messages(request: Request, now: int) -> tuple[Message, ...]:
    """Every message that the row stands for at `now`; a reminder only while it is still one."""
    wanted: list[Message] = []
    shown = request.snapshot is not None
    if shown and (request.state is not State.REFUSED or request.card_ts):
        wanted.append(Message(slot=Slot.CARD, in_thread=False))
    if not request.card_ts:
        return tuple(wanted)
    if request.approved_at is not None:
        wanted.append(Message(slot=Slot.PROGRESS))
    undecided = request.state is State.PENDING
    if undecided and request.reminders:
        # Only the latest: a reminder that Slack has not taken yet is not worth sending late.
        wanted.append(Message(slot=f"{Slot.REMINDER}:{request.reminders}"))
    for number, notice in enumerate(request.notices, start=1):
        kind = Slot.ALARM if notice.code in ALARMS else Slot.NOTICE
        wanted.append(Message(slot=f"{kind}:{number}"))
    wanted += [Message(slot=f"{Slot.STRAY}:{ts}", in_thread=False) for ts in request.strays]
    if not request.state.open and request.state is not State.REFUSED:
        wanted.append(Message(slot=Slot.FINAL))
    if request.correction:
        wanted.append(Message(slot=Slot.CORRECTION))
    return tuple(wanted)
