"""The first calls to an appliance, one by one, to find out what is wrong with it.

Unlike other calls, none of these logs in again after a 401: a look that finds its session refused
says so, and SSO counts only one log-in.
"""

from __future__ import annotations

from bot.appliance.budget import EffectBudget
from bot.appliance.errors import Answered, Unanswered
from bot.appliance.models import Info
from bot.appliance.session import OK, Sessions
from bot.appliance.transport import Call, HeaderAuth


class FirstLook:
    """Made by `Appliance.first_look`. Each call may raise any `ApplianceError`."""

    def __init__(self, sessions: Sessions, effect: EffectBudget) -> None:
        self._sessions = sessions
        self._effect = effect

    @property
    def logged_in(self) -> bool:
        """Whether there is a session. Makes no call."""
        return self._sessions.held() is not None

    def knock(self) -> None:
        """One call without a session and without credentials. Raises NotSent if the appliance
        cannot be reached or is not the trusted one. Any answer is fine."""
        self._effect.pay()
        try:
            self._sessions.transport.exchange(
                Call.of("GET", "/session"),
                expect=OK,
                auth=HeaderAuth({}),
                redact=self._sessions.redactor(None),
                by=self._effect.by,
            )
        except (Answered, Unanswered):
            # It was sent, so a trusted server is there. What is wrong with it the log-in will say.
            return

    def log_in(self) -> None:
        """One log-in, if there is no session yet."""
        self._sessions.current(self._effect)

    def info(self) -> Info:
        """The appliance itself."""
        session = self._sessions.current(self._effect)
        self._effect.pay()
        answer = self._sessions.send(
            Call.of("GET", "/info"), session, expect=OK, by=self._effect.by
        )
        return answer.read(Info)
