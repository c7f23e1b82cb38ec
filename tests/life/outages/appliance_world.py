"""The worker's small world before a real simulated appliance, over TLS, on one injected clock."""

from __future__ import annotations

from functools import partial

from pydantic import SecretStr

from bot.appliance.appliance import Appliance
from bot.appliance.budget import Budget, budget_key, in_store
from bot.appliance.session import Credentials
from bot.appliance.tls import Trust
from bot.request.model import Request
from bot.request.problem import ProblemKind
from bot.store.database import change_shared
from sandbox.appliance import SimulatedAppliance
from tests.appliance.clients import client_of
from tests.support.world import World


class ApplianceWorld(World):
    """`server` is real; budget and log-ins are kept in the database, as in the real bot."""

    def __init__(self, server: SimulatedAppliance) -> None:
        self.server = server
        self.pairing_id = server.add_pairing("berlin", "prague")
        self.client: Appliance | None = None
        super().__init__()
        self.change_budget = in_store(partial(change_shared, self.db, budget_key("default")))
        self.new_process()

    def new_process(self) -> None:
        """Another client, without the session of the one before."""
        if self.client is not None:
            self.client.close()
        self.client = client_of(
            self.server.host,
            Trust.ca_file(self.server.ca_file),
            user=Credentials(self.server.username, SecretStr("Sandbox!1")),
            budget=Budget(40, self.change_budget),
            now=self.requests.now,
        )
        self.appliance = self.client  # type: ignore[assignment]
        self.worker = self.new_worker()

    def ask_for_pairing(self, request_id: str = "AAAA-BBBB") -> Request:
        self.put(self.ask_event(pairing=self.pairing_id), request_id)
        self.settle()
        return self.get(request_id)

    def approve(self) -> None:
        """A click that counts; the worker has not seen it yet."""
        self.click("AAAA-BBBB", "approve", "U0FIRST")

    # ---- what the appliance saw ---------------------------------------------------------------

    @property
    def log_ins(self) -> int:
        return len(self.server.logins)

    @property
    def deletes(self) -> int:
        return len(self.server.deletes)

    def kind(self, request_id: str) -> ProblemKind:
        """What it ended with."""
        problem = self.outcome(request_id).problem
        assert problem is not None
        return problem.kind

    def close(self) -> None:
        if self.client is not None:
            self.client.close()
        super().close()
