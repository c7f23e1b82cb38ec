"""Tasks of the simulated appliance: QUEUED, RUNNING with progress, then one final status.

They move by the clock that the appliance was given, and never by themselves: time is handed in.
Shape and words follow the vendor OpenAPI, Task.
"""

from __future__ import annotations

from dataclasses import dataclass

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

    def __post_init__(self) -> None:
        if self.status not in FINAL:
            raise ValueError(f"{self.status!r} is not final: {', '.join(FINAL)}")


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
    forgotten: bool = False

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
        return [task for task in reversed(self._all.values()) if not task.forgotten]

    def find(self, task_id: str) -> Task | None:
        """None for one that never was or is forgotten."""
        task = self._all.get(task_id)
        return None if task is None or task.forgotten else task

    def forget(self, task_id: str) -> None:
        """Raises KeyError when there never was one."""
        self._all[task_id].forgotten = True

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
