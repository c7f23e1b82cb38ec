"""The first calls to an appliance, one by one, for whoever wants to know what is wrong with it.

Unlike the other calls none of these logs in a second time after a 401: a look that finds the
session refused says so, and SSO counts one log-in.
"""

from __future__ import annotations

from datetime import datetime

from bot.appliance.answers import date
from bot.appliance.budget import Priority
from bot.appliance.errors import Answered, Unanswered
from bot.appliance.models import Info
from bot.appliance.purse import Purse
from bot.appliance.session import OK, Sessions
from bot.appliance.transport import Call, HeaderAuth


class FirstLook:
    """Made by `Appliance.first_look`. Each call may raise the whole tree of errors."""

    def __init__(self, sessions: Sessions, priority: Priority, by: float | None) -> None:
        self._sessions = sessions
        self._purse = Purse(sessions.gate, priority)
        self._by = by

    @property
    def logged_in(self) -> bool:
        """Whether there is a session, without a call."""
        return self._sessions.held() is not None

    def knock(self) -> None:
        """One call without a session and without credentials: raises NotSent when the appliance
        is not reached or not the one that is trusted. Whatever it answers is fine."""
        self._purse.pay()
        try:
            self._sessions.transport.exchange(
                Call.of("GET", "/session"),
                expect=OK,
                auth=HeaderAuth({}),
                redact=self._sessions.redactor(None),
                by=self._by,
            )
        except (Answered, Unanswered):
            # It was sent, so a trusted server was there; what it says is the log-in's to report.
            return

    def log_in(self) -> None:
        """One log-in, where there is no session yet."""
        self._sessions.current(self._purse, self._by)

    def info(self) -> tuple[Info, datetime | None]:
        """The appliance itself, and the time by its own clock, where it says one."""
        session = self._sessions.current(self._purse, self._by)
        self._purse.pay()
        answer = self._sessions.send(Call.of("GET", "/info"), session, expect=OK, by=self._by)
        return answer.read(Info), date(answer.headers.get("Date", ""))
