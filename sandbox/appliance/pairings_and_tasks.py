"""What the simulated appliance knows: servers, pairings, replications, issues, tasks. Pure data.

Tasks are QUEUED, RUNNING with progress, then one final status. They move by the clock that the
appliance was given, and never by themselves: time is handed in.

Names and ids depend on what is asked for alone, so they are the same in each run, and a site is the
same two servers at every appliance that names it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

APPLIANCE_VERSION = "8.8.0"
VCENTER_VERSION = "8.0.3"
SRM_SOLUTION = "com.vmware.vcDr"
SERVER_SLOTS = ("local_vc", "remote_vc", "local_vrms", "remote_vrms")

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


@dataclass(frozen=True)
class Replication:
    """One replicated VM."""

    name: str
    id: str
    outgoing: bool = True
    recovery_solution: str | None = None


@dataclass
class Pairing:
    """One pairing with everything that hangs on it; issues as documents."""

    id: str
    local_vc: Server
    remote_vc: Server
    local_vrms: Server
    remote_vrms: Server
    replications: list[Replication] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    remote_down: bool = False

    @property
    def is_self(self) -> bool:
        return self.local_vc.id == self.remote_vc.id


DEFAULT_ERROR = (
    "The operation failed on the server.",
    "Fault c0d1f1e0-5e1f-4f3a-9a52-2f6f0a1b7c3d",
)

# The part of a task's time that it spends QUEUED.
_QUEUED_SHARE = 0.1


@dataclass(frozen=True)
class Outcome:
    """How a task ends; `error` is (message, details), or None for a null error."""

    status: str
    error: tuple[str, str] | None = None


@dataclass
class Task:
    """One task; times are seconds of the appliance's clock."""

    id: str
    description: str
    entity: str | None
    entity_name: str | None
    pairing_id: str | None
    queued_at: float
    starts_at: float
    ends_at: float
    force: bool = False
    remote_ready: bool = True
    outcome: Outcome | None = None
    status: str = "QUEUED"
    progress: int = 0
    completed_at: float | None = None
    error: tuple[str, str] | None = None

    @property
    def is_final(self) -> bool:
        return self.completed_at is not None


class Inventory:
    """All pairings and tasks of one appliance. Not locked: the appliance holds the lock."""

    def __init__(self, *, task_seconds: float) -> None:
        self.pairings: dict[str, Pairing] = {}
        self.home = "site-a"
        self.largest_page: int | None = None
        # What tasks are like that are accepted from now on; while `held`, none ends.
        self.task_seconds = task_seconds
        self.outcome: Outcome | None = None
        self.held = False
        self._tasks: dict[str, Task] = {}
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

    def add_replication(self, pairing: Pairing, *, protected: bool = False) -> None:
        """One VM more; `protected`: it belongs to SRM."""
        index = len(pairing.replications)
        # `erp-db-01`, `erp-app-01`, ... then `erp-db-02`: never the same name twice.
        name = f"{_WORKLOADS[index % len(_WORKLOADS)]}-{index // len(_WORKLOADS) + 1:02d}"
        pairing.replications.append(
            Replication(
                name=name,
                id=f"GID-{stable_uuid('replication', pairing.id, name)}",
                # Two of three go out: a partial answer then has something to lose.
                outgoing=index % 3 != 2,
                recovery_solution=SRM_SOLUTION if protected else None,
            )
        )

    def change_server_ids(self, pairing: Pairing, slots: Sequence[str]) -> None:
        """New ids for the servers in `slots`: what a rebuilt vCenter or appliance looks like."""
        for slot in slots:
            server: Server = getattr(pairing, slot)
            setattr(pairing, slot, replace(server, id=stable_uuid("changed", server.id)))

    # -- tasks -------------------------------------------------------------------------------

    @property
    def tasks(self) -> list[Task]:
        """Newest first."""
        return list(reversed(self._tasks.values()))

    def task(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id)

    def runs(self, pairing_id: str) -> bool:
        """Whether a task of this pairing has not ended."""
        return any(t.pairing_id == pairing_id and not t.is_final for t in self._tasks.values())

    def add_task(
        self,
        *,
        pairing_id: str | None,
        entity_name: str | None,
        now: float,
        force: bool = False,
        remote_ready: bool = True,
        description: str = "Break site pair",
        entity: str | None = None,
    ) -> Task:
        """A new QUEUED task; `entity` is for one of no pairing."""
        task = Task(
            id=f"HmsTask:TASK-{len(self._tasks) + 1}:{stable_uuid('task-server')}",
            description=description,
            entity=entity or f"Pairing:{pairing_id}",
            entity_name=entity_name,
            pairing_id=pairing_id,
            queued_at=now,
            starts_at=now + self.task_seconds * _QUEUED_SHARE,
            ends_at=now + self.task_seconds,
            force=force,
            remote_ready=remote_ready,
            outcome=self.outcome if pairing_id is not None else None,
        )
        self._tasks[task.id] = task
        return task

    def advance(self, now: float) -> bool:
        """Moves all tasks to `now`; True when something changed."""
        changed = [self._moved(task, now) for task in self._tasks.values() if not task.is_final]
        return any(changed)

    def _moved(self, task: Task, now: float) -> bool:
        if now < task.starts_at:
            return False
        if now >= task.ends_at and not self.held:
            outcome = task.outcome or self._judge(task)
            task.status, task.error, task.completed_at = outcome.status, outcome.error, now
            if outcome.status == "SUCCESS":
                task.progress = 100
                self.pairings.pop(task.pairing_id or "", None)
            return True
        before = (task.status, task.progress)
        share = (now - task.starts_at) / ((task.ends_at - task.starts_at) or 1.0)
        task.status, task.progress = "RUNNING", max(task.progress, min(99, int(100 * share)))
        return before != (task.status, task.progress)

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
        return Outcome("SUCCESS")
