"""One way to make the bot's client of an appliance, small or simulated."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from bot.appliance.appliance import Appliance
from bot.appliance.budget import MemoryBudget, Priority
from bot.appliance.call_errors import CallError
from bot.appliance.session import Credentials, Secrets
from bot.appliance.tls import Trust
from bot.request.problem import ProblemKind
from bot.sandbox.appliance import SimulatedAppliance

BASE = "/api/rest/vr/v2"
PASSWORD = "pässword-of-local"


def client_of(
    host: str,
    trust: Trust,
    *,
    user: Credentials | None = None,
    remote: Credentials | None = None,
    **changes: Any,
) -> Appliance:
    """Other keyword arguments replace the defaults."""
    secrets = Secrets(user or Credentials("admin", SecretStr(PASSWORD)), remote, trust)
    arguments: dict[str, Any] = {
        "host": host,
        "secrets": lambda: secrets,
        "base_path": BASE,
        "timeout_seconds": 5.0,
        "budget": MemoryBudget(1000),
        "user_agent": "vr-unpair-test",
        "now": lambda: 1_000,
    }
    return Appliance(**{**arguments, **changes})


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
