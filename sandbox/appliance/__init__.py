"""A simulated vSphere Replication appliance: a real HTTPS server that keeps the vendor's contract.

with SimulatedAppliance() as appliance:
    pairing_id = appliance.add_pairing("berlin", "munich", replications=5)
    appliance.on_delete(Answer(503, headers={"Retry-After": "1"}))
"""

from __future__ import annotations

from sandbox.appliance.faults_on_demand import Answer, Call
from sandbox.appliance.pairings_and_tasks import Replication
from sandbox.appliance.simulated_appliance import SimulatedAppliance

__all__ = ["Answer", "Call", "Replication", "SimulatedAppliance"]
