"""The two sandbox servers, and one bot between them, as the measures need them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox import demo
from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.slack import LocalSlack
from bot.sandbox.slack.records import Message
from tools.bench.installed import InstalledBot

PATIENCE_SECONDS = 20.0
TASK_SECONDS = 0.1
REPLICATIONS = 12

SETTINGS = {
    "VR_CALLS_PER_MINUTE": "1000",  # the vendor's limit is not what is measured
    "VR_POLL_SECONDS": "0.5",
}


@dataclass(frozen=True)
class Card:
    """A request that waits for its approval."""

    pairing: str
    message: Message


class World:
    """One appliance and one Slack, without their limits: those are not what is measured."""

    def __init__(self, appliance: SimulatedAppliance, slack: LocalSlack) -> None:
        self.appliance, self.slack = appliance, slack
        self.rita, self.alan = slack.add_person("Rita"), slack.add_person("Alan")
        self.channel = slack.add_channel("dr-operations")
        self._pairings = 0

    def bot(self, folder: Path, more: Mapping[str, str] | None = None) -> InstalledBot:
        """Not started. The same folder again is the same database."""
        own = demo.settings(self.appliance, self.slack, self.alan)
        return InstalledBot({**own, **SETTINGS, **(more or {})}, folder)

    def pairing(self) -> str:
        self._pairings += 1
        name = f"site-{self._pairings}"
        return self.appliance.add_pairing(local="berlin", remote=name, replications=REPLICATIONS)

    def ask(self) -> Card:
        """Rita types the command, and the card comes."""
        pairing = self.pairing()
        known = {message.ts for message in self.slack.messages(self.channel)}
        self.slack.command(self.rita, f"{pairing} moving, CHG0031337", channel=self.channel)
        card = self.slack.wait_for_message(
            self.channel,
            lambda m: m.ts not in known and m.button("unpair_approve") is not None,
            timeout_seconds=PATIENCE_SECONDS,
        )
        return Card(pairing, card)

    def seconds_from_click_to_delete(self, card: Card) -> float:
        """Alan approves. Raises RuntimeError when the DELETE was for another pairing."""
        before = len(self.appliance.deletes)
        clicked_at = time.time()
        self.slack.click(self.alan, card.message, "unpair_approve")
        return self.delete_after(before, card.pairing) - clicked_at

    def seconds_from_click_to_answer(self, card: Card, clicked_at: float) -> float:
        """Until Slack took in the edit by which the card says that it is approved. To be asked when
        it has come. Raises RuntimeError when it has not, or says something else first."""
        for call in self.slack.calls_of("chat.update"):
            if call.args["ts"] == card.message.ts and call.at >= clicked_at:
                if "Approved" not in call.args["text"]:
                    raise RuntimeError(f"the card says: {call.args['text']}")
                return call.at - clicked_at
        raise RuntimeError("the card was not edited after the click")

    def delete_after(self, before: int, pairing: str) -> float:
        """When (epoch) the appliance took in the DELETE that came after so many others."""
        self.appliance.wait_for(lambda: len(self.appliance.deletes) > before, PATIENCE_SECONDS)
        call = self.appliance.deletes[before]
        if pairing not in call.path:
            raise RuntimeError(f"a DELETE of something else: {call.path}")
        return call.at

    def wait_for_the_end(self, card: Card) -> None:
        """Until the final reply stands in the thread."""
        mention = f"<@{self.rita}>"
        self.slack.wait_for(
            lambda: any(
                mention in m.text for m in self.slack.messages(self.channel, card.message.ts)
            ),
            timeout_seconds=PATIENCE_SECONDS,
        )
