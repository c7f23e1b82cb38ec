"""What the simulated appliance knows: servers, pairings, replications, issues. Pure data.

Names and ids depend on what is asked for alone, so they are the same in each run, and a site is the
same two servers at every appliance that names it.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.sandbox.appliance.task_board import Outcome, Task, TaskBoard

APPLIANCE_VERSION = "8.8.0"
VCENTER_VERSION = "8.0.3"
SRM_SOLUTION = "com.vmware.vcDr"
SERVER_SLOTS = ("local_vc", "remote_vc", "local_vrms", "remote_vrms")

RPO_MINUTES = (5, 15, 60, 240)
_NAMESPACE = uuid.UUID("6d0a3c5e-54c1-4d3b-9d4e-2f0a7c1b9e55")
_WORKLOADS = (
    "erp-db",
    "erp-app",
    "crm-web",
    "mail-mx",
    "file-srv",
    "billing-db",
    "hr-portal",
    "git-runner",
    "dns-int",
    "wiki-app",
)


def stable_uuid(*parts: str) -> str:
    """A UUID (text, lower case) that depends on nothing but its arguments."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


@dataclass
class Server:
    """One vCenter or one replication server (vendor OpenAPI, ServerInfo)."""

    id: str
    name: str
    url: str
    version: str
    status: str = "OK"


@dataclass(frozen=True)
class Replication:
    """One replicated VM; `last_sync_at` is seconds of the appliance's clock."""

    name: str
    id: str
    outgoing: bool = True
    rpo_minutes: int = 60
    status: str = "OK"
    rpo_violation: bool = False
    last_sync_at: float = 0.0
    last_sync_seconds: int = 20
    last_sync_bytes: int = 0
    recovery_solution: str | None = None


@dataclass(frozen=True)
class Issue:
    """One line of `GET /pairings/{id}/issues`; `at` is seconds of the appliance's clock."""

    description: str
    at: float
    status: str
    issue_type: str
    entity: str
    entity_name: str


@dataclass
class Pairing:
    """One pairing with everything that hangs on it."""

    id: str
    local_vc: Server
    remote_vc: Server
    local_vrms: Server
    remote_vrms: Server
    replications: list[Replication] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    remote_down: bool = False

    def server(self, slot: str) -> Server:
        """The server in one of SERVER_SLOTS; ValueError for another word."""
        if slot not in SERVER_SLOTS:
            raise ValueError(f"{slot!r} is none of {', '.join(SERVER_SLOTS)}")
        found: Server = getattr(self, slot)
        return found

    @property
    def is_self(self) -> bool:
        return self.local_vc.id == self.remote_vc.id


class Estate:
    """All pairings and tasks of one appliance. Not locked: the appliance holds the lock."""

    def __init__(self, *, task_seconds: float) -> None:
        self.board = TaskBoard(stable_uuid("task-server"), task_seconds)
        self.pairings: dict[str, Pairing] = {}
        self.home = "site-a"
        self.largest_page: int | None = None
        self._added = 0

    def servers_of(self, site: str) -> tuple[Server, Server]:
        """(vCenter, replication server) of a site: the same ids each time it is named."""
        vcenter, vrms = f"vcenter-{site}.example.net", f"vr-{site}.example.net"
        return (
            Server(
                stable_uuid("vcenter", site), vcenter, f"https://{vcenter}:443/sdk", VCENTER_VERSION
            ),
            Server(stable_uuid("vrms", site), vrms, f"https://{vrms}:8043", APPLIANCE_VERSION),
        )

    def add_pairing(self, local: str, remote: str, pairing_id: str | None) -> Pairing:
        """Raises ValueError when the id is taken."""
        self._added += 1
        new_id = pairing_id or stable_uuid("pairing", local, remote, str(self._added))
        if new_id in self.pairings:
            raise ValueError(f"pairing {new_id} is there already")
        if self._added == 1:
            self.home = local
        local_vc, local_vrms = self.servers_of(local)
        remote_vc, remote_vrms = self.servers_of(remote)
        pairing = Pairing(new_id, local_vc, remote_vc, local_vrms, remote_vrms)
        self.pairings[new_id] = pairing
        return pairing

    def set_replications(
        self,
        pairing: Pairing,
        wanted: int | Sequence[str | Replication],
        protected: int,
        now: float,
    ) -> None:
        """`wanted`: how many, or VM names, or ready ones; the first `protected` belong to SRM.

        A VM keeps its replication id however often this is called: a test that adds one VM must
        not change the ids of the others.
        """
        listed = [_vm_name(i) for i in range(wanted)] if isinstance(wanted, int) else wanted
        seen: dict[str, int] = {}
        made: list[Replication] = []
        for index, item in enumerate(listed):
            if isinstance(item, Replication):
                made.append(item)
                continue
            seen[item] = seen.get(item, 0) + 1
            key = (pairing.id, item, str(seen[item]))
            # Numbers of its own for each VM, so that adding one moves no other.
            dice = random.Random("/".join(key))  # noqa: S311 - made-up figures, no secrets
            rpo = dice.choice(RPO_MINUTES)
            made.append(
                Replication(
                    name=item,
                    id=f"GID-{stable_uuid('replication', *key)}",
                    # Two of three go out: a partial answer then has something to lose.
                    outgoing=index % 3 != 2,
                    rpo_minutes=rpo,
                    last_sync_at=now - dice.randrange(20, rpo * 60),
                    last_sync_seconds=dice.randrange(3, 90),
                    last_sync_bytes=dice.randrange(1 << 20, 1 << 32),
                    recovery_solution=SRM_SOLUTION if index < protected else None,
                )
            )
        pairing.replications = made

    def change_server_ids(self, pairing: Pairing, slots: Sequence[str]) -> None:
        """New ids for the servers in `slots`: what a rebuilt vCenter or appliance looks like."""
        for slot in slots:
            server = pairing.server(slot)
            setattr(pairing, slot, replace(server, id=stable_uuid("changed", server.id)))

    def advance(self, now: float) -> bool:
        """Moves all tasks to `now`; True when something changed."""
        changed = self.board.move(now)
        for task in self.board.due(now):
            outcome = task.outcome or self._judge(task)
            self.board.end(task, outcome, now)
            if outcome.removes_pairing and task.pairing_id is not None:
                self.pairings.pop(task.pairing_id, None)
            changed = True
        return changed

    def _judge(self, task: Task) -> Outcome:
        """How a task ends by itself. Judged at its end: a remote site can go down on the way."""
        pairing = self.pairings.get(task.pairing_id or "")
        if task.pairing_id is None:
            return Outcome("SUCCESS")
        if pairing is None:
            return Outcome("ERROR", ("The pairing does not exist.", f"Pairing {task.pairing_id}"))
        if not task.force and pairing.remote_down:
            words = "Unable to connect to the remote vSphere Replication Management Server."
            return Outcome("ERROR", (words, f"Connection to {pairing.remote_vrms.url} timed out."))
        if not task.force and not task.remote_ready:
            words = "Not authenticated at the remote vSphere Replication Management Server."
            return Outcome("ERROR", (words, f"No session for {pairing.remote_vrms.name}."))
        return Outcome("SUCCESS", removes_pairing=True)


def _vm_name(index: int) -> str:
    """`erp-db-01`, `erp-app-01`, ... then `erp-db-02`: never the same name for two indexes."""
    return f"{_WORKLOADS[index % len(_WORKLOADS)]}-{index // len(_WORKLOADS) + 1:02d}"
