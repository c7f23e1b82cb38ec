"""The small appliance, clients of it, and its certificate authority."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

from bot.appliance.appliance import Appliance
from bot.appliance.tls import Trust
from sandbox.appliance import SimulatedAppliance
from tests.appliance.clients import client_of
from tests.appliance.small_server import Server, Start, running


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def leaf(ca: trustme.CA) -> trustme.LeafCert:
    return ca.issue_cert("localhost", "127.0.0.1")


@pytest.fixture
def start_server() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda leaf: stack.enter_context(running(leaf))


@pytest.fixture
def server(start_server: Start, leaf: trustme.LeafCert) -> Server:
    return start_server(leaf)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def connect(ca_file: Path, server: Server) -> Iterator[Callable[..., Appliance]]:
    """Makes clients of the server; keyword arguments replace the defaults."""
    made: list[Appliance] = []

    def make(**changes: Any) -> Appliance:
        appliance = client_of(
            changes.pop("host", server.host),
            changes.pop("trust", None) or Trust.ca_file(ca_file),
            **changes,
        )
        made.append(appliance)
        return appliance

    yield make
    for appliance in made:
        appliance.close()


@pytest.fixture
def simulated() -> Iterator[SimulatedAppliance]:
    with SimulatedAppliance(calls_per_minute=None) as made:
        yield made


@pytest.fixture
def appliance(connect: Callable[..., Appliance]) -> Appliance:
    return connect()
