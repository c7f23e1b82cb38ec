"""What a bot under test is told beside its settings: where to die, and which waits are short."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

VARIABLE = "KILLS"
"""The environment variable that carries it. No setting of the bot begins like this."""

POINTS = (
    "insert_row:before",
    "insert_row:after",
    "claim:after",
    "save:before",
    "save:after",
    "commit:before",
    "effect:before",
    "effect:after",
    "prepare:before",
    "prepare:after",
    "intent:before",
    "intent:after",
    "delete:before",
    "delete:leaving",
    "delete:written",
    "delete:received",
    "delete:after",
    "release:before",
    "release:after",
    "inbox:before",
    "inbox:after",
    "outbox:after",
    "post:before",
    "post:after",
    "edit:before",
    "edit:after",
    "answer:before",
    "answer:after",
    "sent:before",
    "sent:after",
)
"""The named lines of the life at which a process can be killed."""


@dataclass(frozen=True)
class Faults:
    """`point` and `nth`: die at that pass of that line, of any line where it is None. `nth` 0: at
    none. `freezes`: SIGSTOP instead of SIGKILL, so that it can be woken up again.
    `after_seconds`: die then at the latest, wherever it is. The rest replaces
    figures of the program; None leaves what it has."""

    point: str | None = None
    nth: int = 0
    freezes: bool = False
    after_seconds: float | None = None
    lease_ms: int | None = None
    commit_ms: int | None = None
    sending_ms: int | None = None
    login_rest_ms: int | None = None
    calls_per_minute: int | None = None
    window_ms: int | None = None

    def environment(self) -> dict[str, str]:
        return {VARIABLE: json.dumps(dataclasses.asdict(self))}

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Self:
        return cls(**json.loads(environment[VARIABLE]))

    def deadly(
        self, point: str | None = None, nth: int = 0, after_seconds: float | None = None
    ) -> Self:
        """The same figures, with an end."""
        return dataclasses.replace(self, point=point, nth=nth, after_seconds=after_seconds)

    def freezing(self, point: str, nth: int) -> Self:
        """The same figures, and at that pass everything stands still."""
        return dataclasses.replace(self, point=point, nth=nth, freezes=True)


AS_IT_IS = Faults()

NO_BUDGET = Faults(calls_per_minute=100_000)
"""Every wait as it is; the appliance's limit and the bot's own are out of the way."""

QUICK = Faults(
    lease_ms=3_000, commit_ms=300, sending_ms=3_000, login_rest_ms=3_000, calls_per_minute=100_000
)
"""What waits for somebody dead waits for seconds. Goes with VR_TIMEOUT_SECONDS=1."""
