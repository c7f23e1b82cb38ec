"""A call that hangs has its effect late or never, a stop leaves nothing behind, and what goes wrong
in the sandbox itself is said."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.appliance import Answer, SimulatedAppliance
from sandbox.appliance.api_paths import Api
from tests.sandbox.appliance.client import RawClient


def test_a_hanging_call_has_its_effect_when_released(
    appliance: SimulatedAppliance, client: RawClient, pool: ThreadPoolExecutor
) -> None:
    pairing = appliance.add_pairing()
    appliance.on_delete(Answer(wire="hang"))
    call = pool.submit(client.call, "DELETE", f"/pairings/{pairing}")
    appliance.wait_for(lambda: appliance.deletes)
    assert (appliance.tasks, appliance.deletes[0].status) == ([], None)
    assert not call.done()
    appliance.release_hanging()
    answer = call.result(60)
    assert answer.status_code == 202
    assert [c.task_id for c in appliance.deletes] == [answer.json()["id"]]
    assert appliance.deletes[0].status == 202


def test_stop_leaves_no_thread_no_file_and_no_socket() -> None:
    threads, files = set(threading.enumerate()), set(os.listdir("/dev/fd"))
    appliance = SimulatedAppliance()
    pairing = appliance.add_pairing()
    with appliance, RawClient(appliance) as client, ThreadPoolExecutor(2) as pool:
        client.log_in()
        appliance.on_delete(Answer(wire="hang"))
        appliance.fail("GET", "/info", Answer(wire="hang"))
        calls = [
            pool.submit(client.call, "DELETE", f"/pairings/{pairing}"),
            pool.submit(client.call, "GET", "/info"),
        ]
        appliance.wait_for(lambda: len(appliance.calls) == 3)
        ca_file = appliance.ca_file
        start = time.monotonic()
        appliance.stop()
        assert time.monotonic() - start < 30.0
        for call in calls:
            assert isinstance(call.exception(60), requests.ConnectionError)
    assert appliance.accepted_deletes == []
    appliance.stop()
    assert set(threading.enumerate()) == threads
    assert set(os.listdir("/dev/fd")) - files == set()
    assert not os.path.exists(ca_file)


def test_a_mistake_of_the_sandbox_itself_is_not_hidden(
    connect: Callable[..., RawClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    appliance = SimulatedAppliance().start()
    client = connect(appliance)
    monkeypatch.setattr(Api, "answer", lambda *_: 1 // 0)
    with pytest.raises(requests.ConnectionError):
        client.get("/info")
    with pytest.raises(RuntimeError, match="itself failed"):
        appliance.stop()
    appliance.stop()
