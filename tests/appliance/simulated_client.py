"""A client of the sandbox's appliance, where the small server of these tests knows too little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import SecretStr

from bot.appliance.appliance import Appliance
from bot.appliance.budget import Budget
from bot.appliance.session import Credentials, Secrets
from bot.appliance.tls import Trust
from bot.sandbox.appliance import SimulatedAppliance


def secrets_of(arguments: dict[str, Any]) -> Callable[[], Secrets]:
    """Takes from the arguments what an appliance is told of its secrets."""
    user, password = arguments.pop("username"), arguments.pop("password")
    far, far_password = arguments.pop("remote_username"), arguments.pop("remote_password")
    found = Secrets(
        Credentials(user, password),
        Credentials(far, far_password) if far else None,
        arguments.pop("trust"),
    )
    return lambda: found


def client_of(simulated: SimulatedAppliance, budget: Budget, **changes: Any) -> Appliance:
    """Keyword arguments replace the defaults."""
    arguments: dict[str, Any] = {
        "host": simulated.host,
        "username": simulated.username,
        "password": SecretStr(simulated.password),
        "remote_username": None,
        "remote_password": None,
        "trust": Trust.ca_file(simulated.ca_file),
        "base_path": "/api/rest/vr/v2",
        "timeout_seconds": 5,
        "budget": budget,
        "user_agent": "vr-unpair-test",
        "now": lambda: 1_000,
    }
    arguments |= changes
    return Appliance(secrets=secrets_of(arguments), **arguments)
