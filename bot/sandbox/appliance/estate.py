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
    status: str = "OK"


@dataclass(frozen=True)
class Replication:
    """One replicated VM."""

    name: str
    id: str
    outgoing: bool = True
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

    @property
    def is_self(self) -> bool:
        return self.local_vc.id == self.remote_vc.id


# ---- tasks -------------------------------------------------------------------------------------

FINAL = ("SUCCESS", "ERROR", "CANCELLED")
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
    removes_pairing: bool = False


@dataclass
class Task:
    """One task; times are seconds of the appliance's clock."""

    id: str
    description: str
    description_id: str
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
    started_at: float | None = None
    completed_at: float | None = None
    error: tuple[str, str] | None = None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL


class TaskBoard:
    """All tasks, and what the next ones shall be like. `server` is a part of their ids."""

    def __init__(self, server: str, task_seconds: float) -> None:
        self.task_seconds = task_seconds
        self.held = False
        self.outcome: Outcome | None = None
        self._server = server
        self._all: dict[str, Task] = {}

    @property
    def listed(self) -> list[Task]:
        """What the appliance still tells about, newest first."""
        return list(reversed(self._all.values()))

    def find(self, task_id: str) -> Task | None:
        return self._all.get(task_id)

    def running_for(self, pairing_id: str) -> Task | None:
        running = (task for task in self._all.values() if not task.is_final)
        return next((task for task in running if task.pairing_id == pairing_id), None)

    def add(
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
        """A new QUEUED task. `entity` counts only for a task of no pairing."""
        task = Task(
            id=f"HmsTask:TASK-{len(self._all) + 1}:{self._server}",
            description=description,
            description_id=f"com.vmware.hms.tasks.{'other' if pairing_id is None else 'unpair'}",
            entity=entity if pairing_id is None else f"Pairing:{pairing_id}",
            entity_name=entity_name,
            pairing_id=pairing_id,
            queued_at=now,
            starts_at=now + self.task_seconds * _QUEUED_SHARE,
            ends_at=now + self.task_seconds,
            force=force,
            remote_ready=remote_ready,
            outcome=self.outcome if pairing_id is not None else None,
        )
        self._all[task.id] = task
        return task

    def move(self, now: float) -> bool:
        """QUEUED to RUNNING, and the progress; True when something changed."""
        changed = False
        for task in self._all.values():
            if task.is_final or now < task.starts_at:
                continue
            if task.status == "QUEUED":
                task.status, task.started_at, changed = "RUNNING", task.starts_at, True
            span = task.ends_at - task.starts_at
            share = (now - task.starts_at) / span if span > 0 else 1.0
            progress = max(task.progress, min(99, int(100 * share)))
            changed = changed or progress != task.progress
            task.progress = progress
        return changed

    def due(self, now: float) -> list[Task]:
        """Those whose time is up and that are not held."""
        if self.held:
            return []
        return [task for task in self._all.values() if not task.is_final and now >= task.ends_at]

    def end(self, task: Task, outcome: Outcome, now: float) -> None:
        task.started_at = now if task.started_at is None else task.started_at
        task.status, task.error, task.completed_at = outcome.status, outcome.error, now
        if outcome.status == "SUCCESS":
            task.progress = 100

    def next_change(self, now: float) -> float | None:
        """Seconds until the clock alone changes a task's status; None when it never will."""
        times = []
        for task in self._all.values():
            if task.status == "QUEUED":
                times.append(task.starts_at)
            elif not task.is_final and not self.held:
                times.append(task.ends_at)
        return min(times) - now if times else None


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
            made.append(
                Replication(
                    name=item,
                    id=f"GID-{stable_uuid('replication', pairing.id, item, str(seen[item]))}",
                    # Two of three go out: a partial answer then has something to lose.
                    outgoing=index % 3 != 2,
                    recovery_solution=SRM_SOLUTION if index < protected else None,
                )
            )
        pairing.replications = made

    def change_server_ids(self, pairing: Pairing, slots: Sequence[str]) -> None:
        """New ids for the servers in `slots`: what a rebuilt vCenter or appliance looks like."""
        for slot in slots:
            server: Server = getattr(pairing, slot)
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
