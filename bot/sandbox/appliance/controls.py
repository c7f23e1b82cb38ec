"""What a test or the demo does to the simulated appliance from outside of HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bot.sandbox.appliance import names
from bot.sandbox.appliance.faults import Answer
from bot.sandbox.appliance.reception import Reception
from bot.sandbox.appliance.state import SERVER_SLOTS, Issue, Pairing, Replication
from bot.sandbox.appliance.tasks import FINAL, EntityForm, Outcome, Task

ErrorText = dict[str, str]


class Controls(Reception):
    """Everything here may be called from any thread; every change wakes wait_for()."""

    # -- pairings ----------------------------------------------------------------------------

    def add_pairing(
        self,
        local: str = "site-a",
        remote: str = "site-b",
        replications: int | Sequence[str | Replication] = 3,
        pairing_id: str | None = None,
        recovery_plans: int = 0,
    ) -> str:
        """A new pairing's id. The first `recovery_plans` replications are protected by SRM.

        Site names give host names: `berlin` is `vcenter-berlin.example.net`. ValueError when the
        id is taken.
        """
        with self._changed:
            now = self._advance()
            pairing = self._estate.add_pairing(local, remote, pairing_id)
            self._estate.set_replications(pairing, replications, recovery_plans, now)
            self._changed.notify_all()
            return pairing.id

    def add_self_pairing(self, site: str = "site-a") -> str:
        """The pairing of a vCenter with itself, which the vendor's list can hold."""
        return self.add_pairing(local=site, remote=site, replications=0)

    @property
    def pairings(self) -> list[str]:
        """The ids of the pairings that are there now."""
        with self._changed:
            self._advance()
            return list(self._estate.pairings)

    def pairing(self, pairing_id: str) -> Pairing:
        """The live data of a pairing, to read; KeyError when it is gone."""
        with self._changed:
            self._advance()
            return self._estate.pairings[pairing_id]

    def remove_pairing(self, pairing_id: str) -> None:
        """Somebody else broke it. KeyError when it is gone already."""
        with self._changed:
            self._advance()
            del self._estate.pairings[pairing_id]
            self._changed.notify_all()

    def set_replications(
        self,
        pairing_id: str,
        replications: int | Sequence[str | Replication],
        recovery_plans: int = 0,
    ) -> None:
        """How many, or which VMs. A VM that stays keeps its replication id."""
        with self._changed:
            pairing = self.pairing(pairing_id)
            self._estate.set_replications(pairing, replications, recovery_plans, self._clock())
            self._changed.notify_all()

    def set_remote_down(self, pairing_id: str, down: bool = True) -> None:
        """The remote site cannot be reached: server status ERROR, lists partial, count whole."""
        with self._changed:
            self.pairing(pairing_id).remote_down = down
            self._changed.notify_all()

    def set_server_status(self, pairing_id: str, slot: str, status: str) -> None:
        """`slot`: local_vc, remote_vc, local_vrms or remote_vrms; ValueError for another."""
        with self._changed:
            self.pairing(pairing_id).server(slot).status = status
            self._changed.notify_all()

    def change_server_ids(self, pairing_id: str, *slots: str) -> None:
        """New ids for these servers (all four when none is named), as after a rebuild."""
        with self._changed:
            self._estate.change_server_ids(self.pairing(pairing_id), slots or SERVER_SLOTS)
            self._changed.notify_all()

    def add_issue(
        self,
        pairing_id: str,
        description: str = "The certificate of the remote server expires soon.",
        *,
        status: str = "WARNING",
        issue_type: str = "VRMS",
        entity_name: str | None = None,
    ) -> None:
        with self._changed:
            pairing = self.pairing(pairing_id)
            server = pairing.remote_vrms
            pairing.issues.append(
                Issue(
                    description=description,
                    at=self._clock(),
                    status=status,
                    issue_type=issue_type,
                    entity=server.id,
                    entity_name=server.name if entity_name is None else entity_name,
                )
            )
            self._changed.notify_all()

    # -- tasks -------------------------------------------------------------------------------

    @property
    def tasks(self) -> list[Task]:
        """What the appliance still tells about, newest first."""
        with self._changed:
            self._advance()
            return self._estate.board.listed

    def add_task(
        self,
        description: str = "Sync now",
        *,
        entity: str | None = "VirtualMachine:vm-1001",
        entity_name: str | None = "erp-db-01",
        pairing_id: str | None = None,
    ) -> str:
        """A task that somebody else started; with `pairing_id` an unpairing by somebody else."""
        with self._changed:
            self._advance()
            task = self._estate.board.add(
                pairing_id=pairing_id,
                entity=entity,
                entity_name=entity_name,
                description=description,
                description_id="com.vmware.hms.tasks.other",
                now=self._clock(),
            )
            self._changed.notify_all()
            return task.id

    def forget_task(self, task_id: str) -> None:
        """Missing from the list and 404 from now on; a running one goes on all the same."""
        with self._changed:
            self._estate.board.get(task_id).forgotten = True
            self._changed.notify_all()

    def finish_task(
        self,
        task_id: str,
        status: str = "SUCCESS",
        error: ErrorText | None = None,
        *,
        leave_pairing: bool | None = None,
    ) -> None:
        """Ends a task now, held or not. ValueError when it has ended or `status` is not final."""
        with self._changed:
            self._advance()
            task = self._estate.board.get(task_id)
            if task.is_final:
                raise ValueError(f"task {task_id} has ended: {task.status}")
            outcome = _outcome(status, error, leave_pairing)
            self._estate.finish(task, outcome, self._clock())
            self._changed.notify_all()

    def set_task_seconds(self, seconds: float) -> None:
        """How long tasks accepted from now on take."""
        with self._changed:
            self._estate.board.task_seconds = seconds

    def hold_tasks(self) -> None:
        """Tasks that run stay RUNNING until release_tasks(), whatever the clock says."""
        with self._changed:
            self._advance()
            self._estate.board.held = True
            self._changed.notify_all()

    def release_tasks(self) -> None:
        """Tasks whose time was up while they were held end now."""
        with self._changed:
            self._estate.board.held = False
            self._advance()
            self._changed.notify_all()

    def set_task_outcome(
        self,
        status: str | None = "ERROR",
        error: ErrorText | Literal["default"] | None = "default",
        *,
        leave_pairing: bool | None = None,
    ) -> None:
        """How tasks of unpairings accepted from now on end; `status` None: as they would.

        `error` None is a null error at ERROR, which the contract allows. `leave_pairing` says
        whether the pairing is still there afterwards, by default unless SUCCESS.
        """
        if error == "default":
            error = _DEFAULT_ERROR if status == "ERROR" else None
        outcome = None if status is None else _outcome(status, error, leave_pairing)
        with self._changed:
            self._estate.board.outcome = outcome

    def set_task_style(self, *, entity: EntityForm = "typed", string_times: bool = False) -> None:
        """For tasks accepted from now on.

        `entity`: `Pairing:<id>`, the bare `id`, or `none`. `string_times`: as in version 1.
        """
        with self._changed:
            self._estate.board.entity_form = entity
            self._estate.board.string_times = string_times

    # -- faults ------------------------------------------------------------------------------

    def set_largest_page(self, items: int | None) -> None:
        """Lists refuse a `limit` above this with 400, and give that many where none is asked for.

        None, as at the beginning: any `limit`, and 100 without one.
        """
        with self._changed:
            self._estate.largest_page = items

    def on_delete(self, *answers: Answer) -> None:
        """What the next DELETE calls on pairings get, one each, in this order."""
        with self._changed:
            self._faults.on_unpair(*answers)

    def fail(self, method: str, path_prefix: str, answer: Answer, times: int | None = 1) -> None:
        """The same for other calls. `path_prefix` is below the base path; method `*` is any."""
        with self._changed:
            self._faults.on_call(method, path_prefix, answer, times)

    def clear_faults(self) -> None:
        """Forgets every answer that no call has had yet."""
        with self._changed:
            self._faults.clear()

    def release_hanging(self) -> None:
        """Calls that hang are answered now; trickled answers go out whole."""
        with self._changed:
            self._releases += 1
            self._changed.notify_all()

    # -- sessions ----------------------------------------------------------------------------

    def expire_sessions(self) -> None:
        """Every session ends: the next call of each gets 401."""
        with self._changed:
            self._sessions.end_all()
            self._changed.notify_all()

    def set_password(self, new: str) -> None:
        """For log-ins from now on; sessions go on."""
        with self._changed:
            self._sessions.local.password = new

    @property
    def account_locked(self) -> bool:
        """Whether too many wrong passwords have locked the local account."""
        with self._changed:
            until = self._sessions.local.locked_until
            return until is not None and self._clock() < until


_DEFAULT_ERROR = {
    "message": "The operation failed on the server.",
    "details": f"Fault {names.stable_uuid(0, 'fault')}",
}


def _outcome(status: str, error: ErrorText | None, leave_pairing: bool | None) -> Outcome:
    if status not in FINAL:
        raise ValueError(f"{status!r} is not final: {', '.join(FINAL)}")
    text = None if error is None else (error.get("message", ""), error.get("details", ""))
    leaves = status != "SUCCESS" if leave_pairing is None else leave_pairing
    return Outcome(status, text, removes_pairing=not leaves)
