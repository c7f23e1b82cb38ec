"""The two sandbox servers, and one life of the bot after the other over the same database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text

from bot.request.model import OPEN, Request
from bot.store import audit_trail as trail
from bot.store.audit_trail import verify_trail
from bot.store.database import Database
from bot.store.queries import Overview
from sandbox.appliance import SimulatedAppliance
from sandbox.bot_process import DidNotStart
from sandbox.slack import LocalSlack
from tests.life.kills.faults import AS_IT_IS, Faults
from tests.support.clock import wait_for
from tests.support.forked.process import ForkedBot
from tests.support.stage import Servers, servers

PATIENCE_SECONDS = 90.0
"""For a whole story, kills included. Generous: the machine may be busy."""

LOOK_AGAIN_SECONDS = 0.05
"""Between two looks at a database: nobody rings when a row changes."""

_OPEN = ", ".join(f"'{state.value}'" for state in OPEN)
_UNDONE = f"""
SELECT (SELECT count(*) FROM requests WHERE state IN ({_OPEN}) OR due_at IS NOT NULL)
     + (SELECT count(*) FROM inbox WHERE absorbed_at IS NULL)
     + (SELECT count(*) FROM messages WHERE due_at IS NOT NULL)
"""


class DyingBot(ForkedBot):
    """The real bot with the fault points of `bot_with_faults.py`."""

    module = "tests.life.kills.bot_with_faults"


class Stage(Servers):
    """`lives` are all bots so far; the last one may be dead."""

    def __init__(
        self,
        appliance: SimulatedAppliance,
        slack: LocalSlack,
        folder: Path,
        settings: dict[str, str],
    ) -> None:
        super().__init__(appliance, slack)
        self.folder, self.own = folder, {**self.settings(), **settings}
        self.lives: list[DyingBot] = []
        file = f"{folder}/vr-unpair.db"
        self.database = self.own.get("DATABASE_URL", f"sqlite:///{file}")
        # Whoever closes a dead bot's file last tidies it up, unless it may only be read.
        to_read = self.own.get("DATABASE_URL", f"sqlite:///file:{file}?mode=ro&uri=true")
        self._reader = create_engine(to_read, poolclass=NullPool)

    # ---- lives --------------------------------------------------------------------------------

    @property
    def bot(self) -> DyingBot:
        return self.lives[-1]

    def live(self, faults: Faults) -> None:
        """One more life over the same database. It may end before it has said that it serves."""
        self.lives.append(DyingBot({**self.own, **faults.environment()}, self.folder))
        try:
            self.bot.start()
        except DidNotStart:
            if not self.bot.events("killed"):
                raise
            return
        self.slack.request_url = f"{self.bot.url}/slack/events"

    def revive(self, faults: Faults) -> bool:
        """When the last one is dead: what remains of it is taken away, and another one lives."""
        if self.bot.alive:
            return False
        self.bury()
        self.live(faults)
        return True

    def bury(self) -> None:
        """Kills whoever lives, and closes each pipe."""
        for bot in self.lives:
            bot.kill()

    def deaths(self) -> list[dict[str, Any]]:
        """How those died, or froze, that did so at a fault point."""
        names = ("killed", "frozen")
        return [event for bot in self.lives for name in names for event in bot.events(name)]

    # ---- what is stored -----------------------------------------------------------------------

    def at_rest(self) -> bool:
        """Every request has ended, every event is absorbed, every word is said."""
        return self.ask(_UNDONE) == [(0,)]

    def has_stored(self, channel: str) -> bool:
        """Whether anything that was typed in this channel has reached the database."""
        return bool(self.ask("SELECT 1 FROM inbox WHERE body LIKE :it", it=f'%"{channel}"%'))

    def ask(self, query: str, **values: str) -> list[tuple[Any, ...]]:
        with self._reader.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def rows(self) -> list[Request]:
        with closing(Database(self.database)) as db:
            return list(Overview(db).newest())

    def records(self) -> list[tuple[str | None, str]]:
        """Request and action of each record; the trail must be whole (`vr-unpair audit verify`)."""
        with closing(Database(self.database)) as db:
            broken, _ = verify_trail(db)
            assert broken is None, broken
            return [(record.request_id, record.action) for record in trail.export(db)]

    # ---- waiting ------------------------------------------------------------------------------

    def wait_until(self, done: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        wait_for(done, seconds, every=LOOK_AGAIN_SECONDS)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """What went wrong carries what a person needs to understand it: it may never come again."""
        try:
            yield
        except BaseException as error:
            error.add_note(self.told())
            raise

    def told(self) -> str:
        """What is stored, what the appliance saw, and the last that each bot said."""
        with closing(Database(self.database)) as db:
            trail_of_all = [
                f"{record.at} {record.request_id} {record.action} {record.detail}"
                for record in trail.export(db)
            ]
        deletes = [f"{call.at * 1000:.0f} {call}" for call in self.appliance.deletes]
        lines = [
            f"{bot.port}: {line[:150]} {line[150:][-150:]}"
            for bot in self.lives[-3:]
            for line in bot.lines[-40:]
        ]
        rows = [(row.id, row.state.value) for row in self.rows()]
        stored = [f"requests: {rows}", f"deaths: {self.deaths()}", "trail:", *trail_of_all]
        return "\n".join([*stored, "DELETEs:", *deletes, "bots:", *lines])


@contextmanager
def staged(
    folder: Path,
    faults: Faults = AS_IT_IS,
    settings: dict[str, str] | None = None,
    **appliance: Any,
) -> Iterator[Stage]:
    """Servers without their limits and a bot, which is killed at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    with servers(rate_limits=False, **appliance) as both:
        stage = Stage(*both, folder, settings or {})
        try:
            stage.live(faults)
            with stage.explained():
                yield stage
        finally:
            stage.bury()
