"""The simulated appliance as a server: started, stopped, cut off, and watched."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.sandbox.appliance.certificates import LOCAL_NAMES, Certificates
from bot.sandbox.appliance.controls import Controls
from bot.sandbox.appliance.limits import CallLimit
from bot.sandbox.appliance.listener import Listener, reserved_socket
from bot.sandbox.appliance.sessions import Account, Sessions
from bot.sandbox.appliance.state import Estate


class SimulatedAppliance(Controls):
    """A vSphere Replication appliance on 127.0.0.1, over TLS with an authority of its own.

    `clock`: seconds, as time.time(). `calls_per_minute`: per session; per client address it is
    twice that unless given; None for no limit. `session_seconds`: how long a log-in lasts.
    `remote_username`: given when the remote site has users of its own, and then a remote session
    is needed for whole answers and for an unforced unpairing. `lock_after`: wrong passwords until
    the account is locked. `seed`: names and ids are the same for the same seed. `link_origin`
    (attribute): what the links in list answers begin with, instead of this server.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        calls_per_minute: int | None = 50,
        calls_per_minute_per_address: int | None = None,
        port: int = 0,
        username: str = "bot@vsphere.local",
        password: str = "Sandbox!1",  # noqa: S107 - of the simulated appliance alone
        remote_username: str | None = None,
        remote_password: str | None = None,
        task_seconds: float = 3.0,
        session_seconds: float | None = None,
        base_path: str = "/api/rest/vr/v2",
        lock_after: int | None = 5,
        seed: int = 1,
    ) -> None:
        if (remote_username is None) != (remote_password is None):
            raise ValueError("remote_username and remote_password go together")
        if calls_per_minute_per_address is None and calls_per_minute is not None:
            calls_per_minute_per_address = 2 * calls_per_minute
        remote = None
        if remote_username is not None and remote_password is not None:
            remote = Account(remote_username, remote_password)
        super().__init__(
            clock=clock,
            base_path=base_path.rstrip("/"),
            base_url=self._base_url,
            estate=Estate(seed=seed, task_seconds=task_seconds),
            sessions=Sessions(
                Account(username, password),
                remote,
                session_seconds=session_seconds,
                lock_after=lock_after,
            ),
            per_session=CallLimit(calls_per_minute),
            per_address=CallLimit(calls_per_minute_per_address),
        )
        self.username = username
        self.link_origin: str | None = None
        self._port = port
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._certificates: Certificates | None = None
        self._listener: Listener | None = None
        self._reserved: socket.socket | None = None
        self._handshake_failures = 0
        self._errors: list[BaseException] = []

    # -- life --------------------------------------------------------------------------------

    def start(self) -> Self:
        """Raises RuntimeError when it was started before, OSError when the port is taken."""
        if self._certificates is not None:
            raise RuntimeError("a simulated appliance is started once")
        self._reserved = reserved_socket(self._port)
        self._port = self._reserved.getsockname()[1]
        self._folder = tempfile.TemporaryDirectory(prefix="simulated-appliance-")
        self._certificates = Certificates(Path(self._folder.name))
        self._come_back()
        return self

    def stop(self) -> None:
        """Ends sockets, threads and files; may be called twice.

        RuntimeError when a thread does not end, or when the sandbox itself failed in one.
        """
        self._go_away()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        if self._errors:
            error, self._errors = self._errors[0], []
            raise RuntimeError("the simulated appliance itself failed") from error

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def refuse_connections(self, refuse: bool = True) -> None:
        """True: nothing listens on the port and every connection is cut. False: it is back."""
        if refuse and self._listener is not None:
            self._go_away()
            self._reserved = reserved_socket(self._port)
        elif not refuse and self._listener is None:
            self._come_back()

    def cut_connections(self) -> None:
        """Ends every connection that is open now, in the middle of whatever it does."""
        with self._changed:
            self._cuts += 1
            self._changed.notify_all()
        if self._listener is not None:
            self._listener.cut_connections()

    def new_certificate(
        self, *, same_authority: bool = True, host_names: Sequence[str] = LOCAL_NAMES
    ) -> None:
        """Another leaf, seen by every connection from now on; those that are open are cut.

        With another authority `ca_file` names a new file, and the old file stays as it is.
        """
        self._identity.issue(same_authority=same_authority, names=host_names)
        self.cut_connections()

    def _come_back(self) -> None:
        if self._reserved is None:
            raise RuntimeError("the simulated appliance has not been started")
        reserved, self._reserved = self._reserved, None
        self._away = False
        self._listener = Listener(reserved, self, lambda: self._identity.context)
        self._listener.open()

    def _go_away(self) -> None:
        listener, self._listener = self._listener, None
        if listener is None:
            return
        with self._changed:
            self._away = True
            self._changed.notify_all()
        listener.close()
        self._handshake_failures += listener.handshake_failures
        self._errors += listener.errors

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
        return self._identity.ca_file

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the leaf certificate: upper case, with colons."""
        return self._identity.fingerprint

    @property
    def password(self) -> str:
        """The one that logs in now."""
        return self._sessions.local.password

    @property
    def _identity(self) -> Certificates:
        if self._certificates is None:
            raise RuntimeError("the simulated appliance has not been started")
        return self._certificates

    @property
    def handshake_failures(self) -> int:
        """Connections that ended before TLS stood, such as a client's that does not trust us.

        With TLS 1.3 a client may refuse after our half is done: that is not seen here.
        """
        now = 0 if self._listener is None else self._listener.handshake_failures
        return self._handshake_failures + now

    def _base_url(self) -> str:
        return (self.link_origin or f"https://{self.host}") + self.base_path
