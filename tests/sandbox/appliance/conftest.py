"""A simulated appliance on a clock that only the test moves, and a raw client for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from sandbox.appliance import SimulatedAppliance
from tests.sandbox.appliance.client import RawClient
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Iterator[Callable[..., SimulatedAppliance]]:
    """Makes started appliances; at the end all are stopped and no thread may be left."""
    before = set(threading.enumerate())
    with ExitStack() as stack:

        def start(**settings: Any) -> SimulatedAppliance:
            settings.setdefault("clock", clock)
            return stack.enter_context(SimulatedAppliance(**settings))

        yield start
    assert not [thread for thread in threading.enumerate() if thread not in before]


@pytest.fixture
def pool(make: object) -> Iterator[ThreadPoolExecutor]:
    """For calls beside the test; it ends before the appliances do."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture
def appliance(make: Callable[..., SimulatedAppliance]) -> SimulatedAppliance:
    return make()


@pytest.fixture
def connect() -> Iterator[Callable[[SimulatedAppliance], RawClient]]:
    """Clients that are closed at the end."""
    with ExitStack() as stack:

        def start(appliance: SimulatedAppliance, *, log_in: bool = True) -> RawClient:
            client = stack.enter_context(RawClient(appliance))
            if log_in:
                client.log_in()
            return client

        yield start


@pytest.fixture
def client(
    appliance: SimulatedAppliance, connect: Callable[[SimulatedAppliance], RawClient]
) -> RawClient:
    return connect(appliance)
