"""One request as people see it: its card, its thread, and what they press."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.slack import Delivery, LocalSlack, Message
from tests.support.clock import PATIENCE_SECONDS

FINAL_MARK = "*Next:*"
"""Every final reply names one next step, and nothing else in a thread does."""


@dataclass
class Asked:
    """What `by` asked for in `channel`. `card_ts` and `id` are there once the card is."""

    slack: LocalSlack
    by: str
    channel: str
    delivery: Delivery
    card_ts: str = ""
    values: dict[str, str] = field(default_factory=dict)

    # ---- the card -----------------------------------------------------------------------------

    def wait_for_card(self, button: str = "unpair_approve") -> Message:
        card = self.slack.wait_for_message(
            self.channel,
            lambda m: m.button(button) is not None,
            timeout_seconds=PATIENCE_SECONDS,
        )
        self.card_ts = card.ts
        self.values = {b["action_id"]: b["value"] for b in card.buttons()}
        return card

    @property
    def id(self) -> str:
        """Buttons carry `id:fingerprint`."""
        return self.values["unpair_cancel"].partition(":")[0]

    @property
    def card(self) -> Message:
        """As it stands now."""
        card = self.slack.message(self.channel, self.card_ts)
        assert card is not None, "the card is gone"
        return card

    def wait_for_card_to_say(self, words: str) -> Message:
        return self.slack.wait_for_message(
            self.channel,
            lambda m: m.ts == self.card_ts and words in m.all_text,
            timeout_seconds=PATIENCE_SECONDS,
        )

    def wait_for_record(self) -> Message:
        """The card as it stays: without a button, saying how it ended."""
        return self.slack.wait_for_message(
            self.channel,
            lambda m: m.ts == self.card_ts and not m.buttons() and "asks" not in m.text,
            timeout_seconds=PATIENCE_SECONDS,
        )

    # ---- what people press --------------------------------------------------------------------

    def clicks(self, user: str, action: str) -> Delivery:
        """Presses one of the buttons that the card had, whether it is still there or not: a
        screen may be behind."""
        delivery = self.slack.click(
            user,
            (self.channel, self.card_ts),
            f"unpair_{action}",
            value=self.values[f"unpair_{action}"],
            force=True,
        )
        assert delivery.ok, (delivery.error, delivery.problem, delivery.text)
        return delivery

    def denies(self, user: str, reason: str) -> Delivery:
        """Presses Deny and sends the form. The click's delivery, to which the answer belongs."""
        click = self.clicks(user, "deny")
        self.slack.wait_for(lambda: self.slack.views.get(user), PATIENCE_SECONDS)
        submission = self.slack.submit(user, values={"reason": reason})
        assert submission.ok, (submission.error, submission.problem, submission.text)
        return click

    # ---- the thread ---------------------------------------------------------------------------

    def replies(self) -> list[Message]:
        return self.slack.messages(self.channel, self.card_ts)

    def finals(self) -> list[Message]:
        return [m for m in self.replies() if FINAL_MARK in m.text]

    def wait_for_final(self, timeout_seconds: float = PATIENCE_SECONDS) -> Message:
        return self.slack.wait_for_message(
            self.channel,
            lambda m: FINAL_MARK in m.text,
            thread_ts=self.card_ts,
            timeout_seconds=timeout_seconds,
        )

    def wait_for_progress_to_say(self, words: str) -> Message:
        return self.slack.wait_for_message(
            self.channel,
            lambda m: FINAL_MARK not in m.text and words in m.all_text,
            thread_ts=self.card_ts,
            timeout_seconds=PATIENCE_SECONDS,
        )

    def wait_for_quiet(self, timeout_seconds: float = PATIENCE_SECONDS) -> None:
        """Final reply, card and progress all say the end: nothing more is going to come."""
        self.wait_for_final(timeout_seconds)
        self.wait_for_record()
        self.wait_for_progress_to_say("The final reply in this thread")
