"""Start and stop, TLS identities, being away, and waiting for what happens."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from bot.sandbox.appliance import Answer, SimulatedAppliance
from tests.sandbox.appliance.client import RawClient


def _leaf(appliance: SimulatedAppliance) -> str:
    host, port = appliance.host.split(":")
    pem = ssl.get_server_certificate((host, int(port)), timeout=5)
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()


@pytest.mark.parametrize("same", [True, False])
def test_another_certificate(appliance: SimulatedAppliance, client: RawClient, same: bool) -> None:
    old_file, old = appliance.ca_file, appliance.fingerprint
    appliance.new_certificate(same_authority=same)
    assert (appliance.fingerprint != old, appliance.ca_file == old_file) == (True, same)
    assert appliance.fingerprint.replace(":", "") == _leaf(appliance)
    if same:
        assert client.get("/info").status_code == 200
    else:
        with pytest.raises(requests.exceptions.SSLError):
            client.get("/info")
        client.http.verify = appliance.ca_file
        assert client.get("/info").status_code == 200


def test_away_and_back_on_the_same_port(appliance: SimulatedAppliance, client: RawClient) -> None:
    pairing, host = appliance.add_pairing(), appliance.host
    appliance.refuse_connections()
    appliance.refuse_connections(True)
    address = (host.split(":")[0], int(host.split(":")[1]))
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=5)
    with pytest.raises(requests.ConnectionError):
        client.delete(pairing)
    appliance.refuse_connections(False)
    assert appliance.host == host
    assert client.get(f"/pairings/{pairing}").status_code == 200
    assert appliance.deletes == []


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
        assert time.monotonic() - start < 2.0
        for call in calls:
            assert call.exception(10) is not None
    appliance.stop()
    assert set(threading.enumerate()) == threads
    assert set(os.listdir("/dev/fd")) - files == set()
    assert not os.path.exists(ca_file)


def test_waiting_sees_what_the_clock_alone_changes() -> None:
    with SimulatedAppliance(task_seconds=0.2) as appliance, RawClient(appliance) as client:
        client.log_in()
        client.delete(appliance.add_pairing())
        appliance.wait_for(lambda: not appliance.pairings, timeout_seconds=5.0)
        assert appliance.tasks[0].status == "SUCCESS"


def test_many_clients_at_once_get_one_acceptance(
    make: Callable[..., SimulatedAppliance],
    connect: Callable[..., RawClient],
    pool: ThreadPoolExecutor,
) -> None:
    appliance = make(calls_per_minute=None)
    pairing = appliance.add_pairing()
    clients = [connect(appliance) for _ in range(8)]
    calls = [pool.submit(client.call, "DELETE", f"/pairings/{pairing}") for client in clients]
    statuses = sorted(call.result(10).status_code for call in calls)
    assert statuses == [202, *[500] * 7]
    assert len(appliance.accepted_deletes) == 1
