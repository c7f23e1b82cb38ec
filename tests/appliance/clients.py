"""One way to make the bot's client of an appliance, small or simulated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import SecretStr

from bot.appliance.appliance import Appliance
from bot.appliance.budget import Budget, MemoryBudget, Priority
from bot.appliance.http_answers import CallError
from bot.appliance.http_call import Transport
from bot.appliance.session import Credentials, Secrets, Sessions
from bot.appliance.tls import Trust
from bot.request.problem import ProblemKind
from sandbox.appliance import SimulatedAppliance

BASE = "/api/rest/vr/v2"
PASSWORD = "pässword-of-local"


def client_of(
    host: str,
    trust: Trust,
    *,
    user: Credentials | None = None,
    remote: Credentials | None = None,
    secrets: Callable[[], Secrets] | None = None,
    budget: Budget | None = None,
    now: Callable[[], int] = lambda: 1_000,
    **changes: Any,
) -> Appliance:
    """Other keyword arguments are those of the transport, and replace the defaults."""
    fixed = Secrets(user or Credentials("admin", SecretStr(PASSWORD)), remote, trust)
    arguments: dict[str, Any] = {
        "base_path": BASE,
        "timeout_seconds": 5.0,
        "user_agent": "vr-unpair-test",
        "on_call": lambda *_: None,
    }
    transport = Transport(host=host, trust=trust, **{**arguments, **changes})
    budget = budget or MemoryBudget(1000)
    return Appliance(Sessions(transport, budget, secrets or (lambda: fixed), now))


def info(appliance: Appliance, by: float | None = None) -> ProblemKind | None:
    """One read: what was wrong with it, if anything."""
    try:
        appliance.calls(Priority.CHECK, by).info()
    except CallError as error:
        return error.kind
    return None


def client_of_simulated(simulated: SimulatedAppliance, **changes: Any) -> Appliance:
    user = Credentials(simulated.username, SecretStr(simulated.password))
    return client_of(simulated.host, Trust.ca_file(simulated.ca_file), user=user, **changes)
