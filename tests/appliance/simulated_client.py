"""A client of the sandbox's appliance, where the small server of these tests knows too little."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from bot.appliance.client import Appliance
from bot.appliance.gate import Gate
from bot.appliance.trust import Trust
from bot.sandbox.appliance import SimulatedAppliance


def client_of(simulated: SimulatedAppliance, gate: Gate, **changes: Any) -> Appliance:
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
        "gate": gate,
        "user_agent": "vr-unpair-test",
    }
    return Appliance(**(arguments | changes))
