"""What all lines of `check` about one appliance share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.appliance.budget import Priority
from bot.appliance.client import Appliance, Calls
from bot.appliance.errors import ApplianceError, NotSent
from bot.appliance.first_look import FirstLook
from bot.appliance.models import Listing, Pairing
from bot.appliance.trust import Trust

LOOK_LASTS_TIMEOUTS = 6
"""All calls of one look together, in timeouts: a log-in and some reads, each may be slow."""


@dataclass
class Site:
    """One appliance. `about` names it in each line if there are several; `prefix` begins the names
    of its settings; `remote` says whether a user of the remote site is configured.

    `priority`: the share of the budget that a look uses. `refused` stays true after a refused
    log-in: a look that is repeated by itself must not try the same password again.
    """

    appliance: Appliance
    trust: Trust
    timeout_seconds: float
    about: str
    prefix: str = "VR_"
    remote: bool = False
    priority: Priority = Priority.ACT
    now: Callable[[], float] = time.time
    refused: bool = False
    clock: tuple[datetime | None, float] = (None, 0.0)
    pairings: Listing[Pairing] = field(default_factory=Listing[Pairing])
    _knocked: tuple[NotSent | None] | None = None

    @property
    def host(self) -> str:
        return self.appliance.host

    def first(self) -> FirstLook:
        return self.appliance.first_look(self.priority, self._by())

    def calls(self) -> Calls:
        return self.appliance.calls(self.priority, self._by())

    def knocked(self) -> NotSent | None:
        """Why nothing can be sent, or None. Found out once, then remembered."""
        if self._knocked is None:
            try:
                self.first().knock()
            except NotSent as error:
                self._knocked = (error,)
            else:
                self._knocked = (None,)
        return self._knocked[0]

    def _by(self) -> float:
        return time.monotonic() + LOOK_LASTS_TIMEOUTS * self.timeout_seconds


def said(error: ApplianceError) -> str:
    """The sentence without its full stop, with the appliance's own words unchanged."""
    words = str(error).rstrip(".")
    own = {"error_code": error.error_code, "message": error.message, "op_id": error.op_id}
    told = ", ".join(f"{name} {value}" for name, value in own.items() if value)
    return f"{words} ({told})" if told else words
