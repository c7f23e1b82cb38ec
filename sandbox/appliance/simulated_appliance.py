"""The simulated appliance: started, stopped, cut off, and what a test or the demo does to it from
outside of HTTP."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Self

from sandbox.appliance.documents import issue_document
from sandbox.appliance.https_server import LOCAL_NAMES, Certificates, HttpsServer
from sandbox.appliance.login_sessions import Account, Sessions
from sandbox.appliance.pairings_and_tasks import (
    DEFAULT_ERROR,
    SERVER_SLOTS,
    Inventory,
    Outcome,
    Pairing,
    Replication,
    Task,
)


class SimulatedAppliance(HttpsServer):
    """A vSphere Replication appliance on 127.0.0.1, over TLS with an authority of its own.

    `clock`: seconds, as time.time(). `calls_per_minute`: per session; per client address it is
    twice that; None for no limit. `remote_username`: given when the remote site has users of its
    own, and then a remote session is needed for whole answers and for an unforced unpairing.
    Everything may be called from any thread; every change wakes wait_for().
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        calls_per_minute: int | None = 50,
        username: str = "bot@vsphere.local",
        password: str = "Sandbox!1",  # noqa: S107 - of the simulated appliance alone
        remote_username: str | None = None,
        remote_password: str | None = None,
        task_seconds: float = 3.0,
    ) -> None:
        if (remote_username is None) != (remote_password is None):
            raise ValueError("remote_username and remote_password go together")
        remote = Account(remote_username, remote_password or "") if remote_username else None
        self._folder = tempfile.TemporaryDirectory(prefix="simulated-appliance-")
        super().__init__(
            clock=clock,
            inventory=Inventory(task_seconds=task_seconds),
            sessions=Sessions(Account(username, password), remote, calls_per_minute),
            certificates=Certificates(Path(self._folder.name)),
        )
        self.username = username
        self._port = 0

    # -- life --------------------------------------------------------------------------------

    def start(self) -> Self:
        self._server.start()
        self._port = self._server.port
        return self

    def stop(self) -> None:
        """Ends sockets, threads and files, for good; may be called twice.

        RuntimeError when a thread does not end, or when the sandbox itself failed in one.
        """
        self._go_away()
        self._server.close()
        self._folder.cleanup()
        if self._errors:
            error, self._errors = self._errors[0], []
            raise RuntimeError("the simulated appliance itself failed") from error

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def refuse_connections(self, refuse: bool = True) -> None:
        """True: nothing listens on the port and every connection is cut. False: it is back."""
        if refuse:
            self._go_away()
        else:
            self._away = False
            self._server.start()

    def new_certificate(
        self, *, same_authority: bool = True, host_names: Sequence[str] = LOCAL_NAMES
    ) -> None:
        """Another leaf, seen by every connection from now on; those that are open are cut.

        With another authority `ca_file` names a new file, and the old file stays as it is.
        """
        self._certificates.issue(same_authority=same_authority, names=host_names)
        with self._changed:
            self._end_hanging(False)
        self._server.cut_all()

    def _go_away(self) -> None:
        with self._changed:
            self._away = True
            self._end_hanging(False)
        self._server.stop()

    # -- where it is, and how to trust it ----------------------------------------------------

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The address under which every path of the API is."""
        return f"https://{self.host}{self.base_path}"

    @property
    def ca_file(self) -> str:
        """The path of the authority's PEM file; it lives until stop()."""
        return self._certificates.ca_file

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the leaf certificate: upper case, with colons."""
        return self._certificates.fingerprint

    # -- pairings ----------------------------------------------------------------------------

    def add_pairing(
        self,
        local: str = "site-a",
        remote: str = "site-b",
        replications: int | Sequence[Replication] = 3,
        pairing_id: str | None = None,
        recovery_plans: int = 0,
    ) -> str:
        """A new pairing's id. Of so many replications the first `recovery_plans` belong to SRM.

        Site names give host names: `berlin` is `vcenter-berlin.example.net`. ValueError when the
        id is taken.
        """
        with self._changing():
            pairing = self._inventory.add_pairing(local, remote, pairing_id)
            if isinstance(replications, int):
                for number in range(replications):
                    self._inventory.add_replication(pairing, protected=number < recovery_plans)
            else:
                pairing.replications.extend(replications)
            return pairing.id

    def add_self_pairing(self, site: str = "site-a") -> str:
        """The pairing of a vCenter with itself, which the vendor's list can hold."""
        return self.add_pairing(local=site, remote=site, replications=0)

    @property
    def pairings(self) -> list[str]:
        """The ids of the pairings that are there now."""
        with self._changed:
            self._advance()
            return list(self._inventory.pairings)

    def pairing(self, pairing_id: str) -> Pairing:
        """The live data of a pairing, to read; KeyError when it is gone."""
        with self._changed:
            self._advance()
            return self._inventory.pairings[pairing_id]

    def remove_pairing(self, pairing_id: str) -> None:
        """Somebody else broke it. KeyError when it is gone already."""
        with self._changing():
            del self._inventory.pairings[pairing_id]

    def add_replication(self, pairing_id: str) -> None:
        """One more VM is replicated."""
        with self._changing():
            self._inventory.add_replication(self.pairing(pairing_id))

    def set_remote_down(self, pairing_id: str, down: bool = True) -> None:
        """The remote site cannot be reached: server status ERROR, lists partial, count whole."""
        with self._changing():
            self.pairing(pairing_id).remote_down = down

    def change_server_ids(self, pairing_id: str, *slots: str) -> None:
        """New ids for these servers (all four when none is named), as after a rebuild."""
        with self._changing():
            self._inventory.change_server_ids(self.pairing(pairing_id), slots or SERVER_SLOTS)

    def add_issue(
        self,
        pairing_id: str,
        description: str = "The certificate of the remote server expires soon.",
        *,
        entity_name: str | None = None,
    ) -> None:
        with self._changing() as now:
            pairing = self.pairing(pairing_id)
            server = pairing.remote_vrms
            name = server.name if entity_name is None else entity_name
            pairing.issues.append(issue_document(description, server, name, now))

    # -- tasks -------------------------------------------------------------------------------

    @property
    def tasks(self) -> list[Task]:
        """What the appliance still tells about, newest first."""
        with self._changed:
            self._advance()
            return self._inventory.tasks

    def add_task(self, description: str = "Sync now") -> str:
        """A task that somebody else started, of no pairing."""
        with self._changing() as now:
            task = self._inventory.add_task(
                pairing_id=None,
                entity="VirtualMachine:vm-1001",
                entity_name="erp-db-01",
                description=description,
                now=now,
            )
            return task.id

    def set_task_seconds(self, seconds: float) -> None:
        """How long tasks accepted from now on take."""
        with self._changing():
            self._inventory.task_seconds = seconds

    def hold_tasks(self, held: bool = True) -> None:
        """Tasks that run stay RUNNING until release_tasks(), whatever the clock says."""
        with self._changing():
            self._inventory.held = held

    def release_tasks(self) -> None:
        """Tasks whose time was up while they were held end now."""
        self.hold_tasks(False)

    def set_task_outcome(
        self,
        status: str | None = "ERROR",
        error: dict[str, str] | Literal["default"] | None = "default",
    ) -> None:
        """How tasks of unpairings accepted from now on end; `status` None: as they would.

        `error` None is a null error at ERROR, which the contract allows. The pairing is gone
        afterwards at SUCCESS alone.
        """
        text = DEFAULT_ERROR if error == "default" and status == "ERROR" else None
        if isinstance(error, dict):
            text = (error.get("message", ""), error.get("details", ""))
        outcome = None if status is None else Outcome(status, text)
        with self._changing():
            self._inventory.outcome = outcome

    # -- pages and sessions ------------------------------------------------------------------

    def set_largest_page(self, items: int | None) -> None:
        """Lists refuse a `limit` above this with 400, and give that many where none is asked for.

        None, as at the beginning: any `limit`, and 100 without one.
        """
        with self._changing():
            self._inventory.largest_page = items

    def expire_sessions(self) -> None:
        """Every session ends: the next call of each gets 401."""
        with self._changing():
            self._sessions.end_all()

    @property
    def password(self) -> str:
        """The one that logs in now."""
        return self._sessions.local.password

    def set_password(self, new: str) -> None:
        """Of the local user, for log-ins from now on; sessions go on."""
        with self._changed:
            self._sessions.local.password = new

    @property
    def account_locked(self) -> bool:
        """Whether too many wrong passwords have locked the local account."""
        with self._changed:
            until = self._sessions.local.locked_until
            return until is not None and self._clock() < until
