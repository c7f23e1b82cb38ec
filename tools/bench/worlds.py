"""The two sandbox servers and a bot between them, as the measures need them, and what stands in its
database."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine

from sandbox import demo
from sandbox.appliance import SimulatedAppliance
from sandbox.slack import LocalSlack
from sandbox.slack.records import Message
from tests.support.clock import wait_for
from tests.support.postgres import PostgresServer
from tests.support.stage import servers
from tools.bench.processes import InstalledBot, wait_until_idle

PATIENCE_SECONDS = 20.0
FOR_MANY_SECONDS = 120.0
TASK_SECONDS = 0.1
REPLICATIONS = 12

SETTINGS = {
    "VR_CALLS_PER_MINUTE": "100000",  # the vendor's limit is not what is measured
    "VR_POLL_SECONDS": "0.5",
}

LAST_OF_THE_START = "/info"
"""The last call of the check at the start (`bot.operate.check_appliance`)."""

_UNDONE = """
SELECT (SELECT count(*) FROM inbox WHERE absorbed_at IS NULL)
     + (SELECT count(*) FROM requests WHERE due_at IS NOT NULL)
     + (SELECT count(*) FROM messages WHERE due_at IS NOT NULL)
"""


ASKS_EACH = 16
"""Commands of one person: more may be refused for being many (`bot.store.per_person`)."""


@dataclass(frozen=True)
class Card:
    """A request that waits for its approval."""

    pairing: str
    message: Message
    asker: str


@dataclass(frozen=True)
class Ports:
    """On 127.0.0.1: where the two servers are reached."""

    appliance: int
    slack: int


class World:
    """One appliance and one Slack."""

    def __init__(self, appliance: SimulatedAppliance, slack: LocalSlack) -> None:
        self.appliance, self.slack = appliance, slack
        self.rita, self.alan = slack.add_person("Rita"), slack.add_person("Alan")
        self.channel = slack.add_channel("dr-operations")
        self.ports = Ports(*(int(at.rpartition(":")[2]) for at in (appliance.host, slack.base_url)))
        self._pairings = 0
        self._asked = 0
        self._asker = self.rita

    def asker(self) -> str:
        """Who types the next command."""
        if self._asked and self._asked % ASKS_EACH == 0:
            self._asker = self.slack.add_person("Rita")
        self._asked += 1
        return self._asker

    def bot(self, folder: Path, more: Mapping[str, str] | None = None) -> InstalledBot:
        """Not started. The same folder again is the same database."""
        own = demo.settings(self.appliance, self.slack, self.alan)
        return InstalledBot({**own, **SETTINGS, **(more or {})}, folder)

    def pairing(self) -> str:
        self._pairings += 1
        name = f"site-{self._pairings}"
        return self.appliance.add_pairing(local="berlin", remote=name, replications=REPLICATIONS)

    def ask(self) -> Card:
        """Somebody types the command, and the card comes."""
        pairing, asker = self.pairing(), self.asker()
        known = {message.ts for message in self.slack.messages(self.channel)}
        self.slack.command(asker, f"{pairing} moving, CHG0031337", channel=self.channel)
        card = self.slack.wait_for_message(
            self.channel,
            lambda m: m.ts not in known and m.button("unpair_approve") is not None,
            timeout_seconds=PATIENCE_SECONDS,
        )
        return Card(pairing, card, asker)

    def ask_many(self, many: int) -> list[Message]:
        """So many requests with a pairing each, all of them `pending` when this returns."""
        for _ in range(many):
            words = f"{self.pairing()} moving, CHG0031337"
            if not self.slack.command(self.asker(), words, channel=self.channel).ok:
                raise RuntimeError("a command was not acknowledged")

        def cards() -> list[Message]:
            shown = self.slack.messages(self.channel)
            return [one for one in shown if one.button("unpair_approve") is not None]

        self.slack.wait_for(lambda: len(cards()) >= many, FOR_MANY_SECONDS)
        return cards()

    def seconds_from_click_to_delete(self, card: Card) -> float:
        """Alan approves. Raises RuntimeError when the DELETE was for another pairing."""
        before = len(self.appliance.deletes)
        clicked_at = time.time()
        self.slack.click(self.alan, card.message, "unpair_approve")
        return self.delete_after(before, card.pairing) - clicked_at

    def delete_after(self, before: int, pairing: str) -> float:
        """When (epoch) the appliance took in the DELETE that came after so many others."""
        self.appliance.wait_for(lambda: len(self.appliance.deletes) > before, PATIENCE_SECONDS)
        call = self.appliance.deletes[before]
        if pairing not in call.path:
            raise RuntimeError(f"a DELETE of something else: {call.path}")
        return call.at

    def play(self, card: Card) -> float:
        """The rest of the story, until the final reply. Seconds from the click to the DELETE."""
        seconds = self.seconds_from_click_to_delete(card)
        self.wait_for_the_end(card)
        return seconds

    def wait_for_the_end(self, card: Card) -> None:
        """Until the final reply stands in the thread."""
        mention = f"<@{card.asker}>"
        self.slack.wait_for(
            lambda: any(
                mention in m.text for m in self.slack.messages(self.channel, card.message.ts)
            ),
            timeout_seconds=PATIENCE_SECONDS,
        )

    def wait_until_started(self, bot: InstalledBot, calls_before: int = 0) -> None:
        """Until the check at its start is over, and it is at rest."""
        self.appliance.wait_for(
            lambda: any(c.path == LAST_OF_THE_START for c in self.appliance.calls[calls_before:]),
            PATIENCE_SECONDS,
        )
        wait_until_idle(bot.pid)


@contextmanager
def quick_world(**appliance: Any) -> Iterator[World]:
    """Without the vendors' limits: those are not what is measured."""
    with servers(rate_limits=False, task_seconds=TASK_SECONDS, **appliance) as both:
        yield World(*both)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vr-unpair-bench-") as name:
        yield Path(name)


class Stored:
    """What a bot has stored, read beside it on a connection for each look."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool)

    @classmethod
    def in_file(cls, folder: Path) -> Stored:
        """Of a bot that was started there without DATABASE_URL."""
        return cls(f"sqlite:///{folder / 'vr-unpair.db'}")

    def count(self, query: str) -> int:
        return int(self.rows(query)[0][0])

    def rows(self, query: str) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.exec_driver_sql(query).fetchall()

    def commands(self) -> int:
        return self.count("SELECT count(*) FROM inbox WHERE kind = 'asked'")

    def accepted(self) -> int:
        """Answers of the appliance that it has accepted a DELETE."""
        return self.count("SELECT count(*) FROM audit WHERE action = 'accepted'")

    def wait_until_done(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Until every event is absorbed, every request has ended and every word is said."""
        wait_for(lambda: self.count(_UNDONE) == 0, seconds)

    def forget_calls(self) -> None:
        """Of a bot that has ended: the minute of the next one begins empty."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM shared")


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """With fsync on, which the tests' own has not: a commit that reaches no disk costs nothing."""
    server = PostgresServer(fsync=True)
    try:
        yield server.start()
    finally:
        server.stop()
