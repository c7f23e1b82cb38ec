"""People who do again what Slack said had failed, and press every button they see."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.slack import CannotDo, Delivery, Message
from tests.life.kills.stage import Stage
from tests.support.asked import FINAL_MARK
from tests.support.stage import ALAN

NOT_TAKEN = "give reference"
"""Stands in the sentence of a listener that failed, for the log; and in nothing else."""


@dataclass
class Story:
    """Rita wants one pairing broken, in a channel of its own. `presses` are those who approve,
    each as often as named; `takes_back`: she also presses Cancel, after them."""

    stage: Stage
    presses: tuple[str, ...] = (ALAN,)
    takes_back: bool = False
    pairing: str = ""
    channel: str = ""
    asked: bool = False
    done: set[tuple[str, str, int]] = field(default_factory=set)
    pressed: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    acknowledged: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pairing = self.stage.pairing()
        self.asker = self.stage.slack.add_person("Rita")  # one person may not ask so often
        self.channel = self.stage.channel()

    def acts(self) -> None:
        """Whatever there is to do now. What was not acknowledged, or was answered by words that it
        may not have been taken, is done again next time."""
        for shown in [
            e for who in (self.asker, *self.presses) for e in self.stage.slack.ephemerals(who)
        ]:
            if NOT_TAKEN in shown.text and shown.trigger_id in self.pressed:
                self.done.discard(self.pressed.pop(shown.trigger_id))
        if not self.asked and self.stage.has_stored(self.channel):
            self.asked = True  # Slack said that it failed, and yet it was heard
        if not self.asked:
            self.asks()
        for card in self.cards():
            if card.button("unpair_approve") is not None:
                self.decides(card)

    def asks(self) -> None:
        text = f"{self.pairing} we move, CHG0031337"
        said = self.stage.slack.command(self.asker, text, channel=self.channel)
        self.asked = said.ok and NOT_TAKEN not in said.text

    def decides(self, card: Message) -> None:
        for number, person in enumerate(self.presses):
            self.presses_once(card, person, "unpair_approve", number)
        if self.takes_back:
            self.presses_once(card, self.asker, "unpair_cancel", 0)

    def presses_once(self, card: Message, person: str, action: str, number: int) -> None:
        press = (f"{card.ts} {action}", person, number)
        if press in self.done:
            return
        try:
            click = self.stage.slack.click(person, card, action)
        except CannotDo:
            return  # the button is gone since the look
        if click.ok:
            self.done.add(press)
            self.acknowledged.append(click)
            self.pressed[click.trigger_id] = press

    # ---- what stands in the channel -----------------------------------------------------------

    def cards(self) -> list[Message]:
        return self.stage.slack.messages(self.channel)

    def replies(self) -> list[Message]:
        return [
            reply
            for card in self.cards()
            for reply in self.stage.slack.messages(self.channel, card.ts)
        ]

    def finals(self) -> list[Message]:
        return [reply for reply in self.replies() if FINAL_MARK in reply.text]

    def progress(self) -> list[Message]:
        return [reply for reply in self.replies() if FINAL_MARK not in reply.text]
