"""Which messages Slack should show of a request, and where. How they look is up to `bot.slack`.

A slot is the lasting name of one message. The poster draws it from the row at the moment it sends.
"""

from __future__ import annotations

from enum import StrEnum

from bot.request.frozen import Frozen
from bot.request.model import Request, State


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

UNCLEAR = frozenset({"taken_after_all"})
"""Codes of notices for a request whose outcome is unknown. All others tell of one that goes on."""

PRIVATE = frozenset({Slot.FINAL, Slot.CORRECTION})
"""What each person concerned gets as a copy when the channel does not take it. Their id stands
behind the colon."""


class Message(Frozen):
    """One message that should exist. `slot` is its kind, and where there are several of that a
    colon and what tells them apart."""

    slot: str
    in_thread: bool = True

    @property
    def kind(self) -> Slot:
        return Slot(self.slot.partition(":")[0])

    @property
    def which(self) -> str:
        return self.slot.partition(":")[2]

    @property
    def person(self) -> str | None:
        """For whom alone it is, in the conversation with the bot."""
        alone = self.kind is Slot.TOLD or self.kind in PRIVATE
        return self.which.partition(":")[0] or None if alone else None


def messages(request: Request, now: int) -> tuple[Message, ...]:
    """Every message that should exist for the row at `now`. A reminder or a notice only while what
    it says is so: one that Slack has not taken by then is not sent late."""
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
        wanted.append(Message(slot=f"{Slot.REMINDER}:{request.reminders}"))
    for number, notice in enumerate(request.notices, start=1):
        if notice.code in ALARMS:
            wanted.append(Message(slot=f"{Slot.ALARM}:{number}"))
        elif request.state is State.ATTENTION if notice.code in UNCLEAR else request.state.open:
            wanted.append(Message(slot=f"{Slot.NOTICE}:{number}"))
        told = (f"{Slot.TOLD}:{person}:{number}" for person in notice.told)
        wanted += [Message(slot=slot, in_thread=False) for slot in told]
    wanted += [Message(slot=f"{Slot.STRAY}:{ts}", in_thread=False) for ts in request.strays]
    if not request.state.open and request.state is not State.REFUSED:
        wanted.append(Message(slot=Slot.FINAL))
    if request.correction:
        wanted.append(Message(slot=Slot.CORRECTION))
    return tuple(wanted)
