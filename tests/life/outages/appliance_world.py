"""The worker's small world before a real simulated appliance, over TLS, on one injected clock."""

from __future__ import annotations

from pydantic import SecretStr

from bot.appliance.appliance import Appliance
from bot.appliance.budget import Budget, BudgetState
from bot.appliance.session import Credentials
from bot.appliance.tls import Trust
from bot.request.model import Request
from bot.request.problem import Problem
from bot.sandbox.appliance import SimulatedAppliance
from bot.store import shared
from tests.appliance.clients import client_of
from tests.support.world import World

BUDGET = "budget:default"


class ApplianceWorld(World):
    """`server` is real; budget and log-ins are kept in the database, as in the real bot."""

    def __init__(self, server: SimulatedAppliance) -> None:
        self.server = server
        self.pairing_id = server.add_pairing("berlin", "prague")
        self.client: Appliance | None = None
        super().__init__()
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

    def change_budget(self, how: object) -> None:
        def apply(value: str | None, now: int) -> str:
            state = BudgetState.model_validate_json(value) if value else BudgetState()
            return how(state, now).model_dump_json()  # type: ignore[operator, no-any-return]

        shared.change(self.db, BUDGET, apply)

    def ask_for_pairing(self, request_id: str = "AAAA-BBBB") -> Request:
        self.put(self.ask_event(pairing=self.pairing_id), request_id)
        self.settle()
        return self.get(request_id)

    def approved(self) -> None:
        """A click that counts; the worker has not seen it yet."""
        self.click("AAAA-BBBB", "approve", "U0FIRST")

    # ---- what the appliance saw ---------------------------------------------------------------

    @property
    def log_ins(self) -> int:
        return sum(c.method == "POST" and c.path == "/session" for c in self.server.calls)

    @property
    def deletes(self) -> int:
        return len(self.server.deletes)

    def told(self) -> list[str]:
        """The codes of the notices in the thread."""
        return [notice.code for notice in self.get().notices]

    def ended_with(self, request_id: str = "AAAA-BBBB") -> Problem:
        outcome = self.get(request_id).outcome
        assert outcome is not None
        assert outcome.problem is not None
        return outcome.problem

    def close(self) -> None:
        if self.client is not None:
            self.client.close()
        super().close()
