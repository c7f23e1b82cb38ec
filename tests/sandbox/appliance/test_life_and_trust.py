"""Start and stop, TLS identities, being away, and waiting for what happens."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable

import pytest
import requests

from bot.sandbox.appliance import Answer, SimulatedAppliance
from tests.sandbox.appliance.client import Background, RawClient


def _leaf(appliance: SimulatedAppliance) -> str:
    host, port = appliance.host.split(":")
    pem = ssl.get_server_certificate((host, int(port)), timeout=5)
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()


def test_it_is_trusted_through_its_file_and_by_nobody_else(
    appliance: SimulatedAppliance, client: RawClient
) -> None:
    assert client.get("/info").status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(appliance.url + "/info", timeout=5)
    assert len(appliance.calls) == 2


def test_the_fingerprint_is_the_leafs(appliance: SimulatedAppliance) -> None:
    assert appliance.fingerprint.count(":") == 31
    assert appliance.fingerprint.replace(":", "") == _leaf(appliance)


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


def test_connections_of_the_old_certificate_end(appliance: SimulatedAppliance) -> None:
    context = ssl.create_default_context(cafile=appliance.ca_file)
    host, port = appliance.host.split(":")
    with (
        socket.create_connection((host, int(port)), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        appliance.new_certificate()
        assert secured.recv(1) == b""


def test_a_certificate_for_another_host(appliance: SimulatedAppliance, client: RawClient) -> None:
    appliance.new_certificate(host_names=("vr-berlin.example.net",))
    client.http.close()
    with pytest.raises(requests.exceptions.SSLError, match="mismatch"):
        client.get("/info")


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


def test_silent_connections_delay_nobody(appliance: SimulatedAppliance, client: RawClient) -> None:
    host, port = appliance.host.split(":")
    silent = [socket.create_connection((host, int(port)), timeout=5) for _ in range(20)]
    try:
        client.http.close()
        start = time.monotonic()
        assert client.get("/info").status_code == 200
        assert time.monotonic() - start < 2.0
        appliance.stop()
    finally:
        for sock in silent:
            sock.close()


def test_plain_http_ends_in_the_handshake(appliance: SimulatedAppliance) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://{appliance.host}/info", timeout=5)
    appliance.stop()
    assert appliance.calls == []


def test_stop_leaves_no_thread_no_file_and_no_socket() -> None:
    threads, files = set(threading.enumerate()), set(os.listdir("/dev/fd"))
    appliance = SimulatedAppliance()
    pairing = appliance.add_pairing()
    with appliance, RawClient(appliance) as client:
        client.log_in()
        appliance.on_delete(Answer(wire="hang"))
        appliance.fail("GET", "/info", Answer(wire="hang"))
        calls = [
            Background(client, "DELETE", f"/pairings/{pairing}"),
            Background(client, "GET", "/info"),
        ]
        appliance.wait_for(lambda: len(appliance.calls) == 3)
        ca_file = appliance.ca_file
        start = time.monotonic()
        appliance.stop()
        assert time.monotonic() - start < 2.0
        for call in calls:
            assert call.join().error is not None
    appliance.stop()
    assert set(threading.enumerate()) == threads
    assert set(os.listdir("/dev/fd")) - files == set()
    assert not os.path.exists(ca_file)


def test_it_is_started_once_and_says_so() -> None:
    appliance = SimulatedAppliance()
    with pytest.raises(RuntimeError, match="not been started"):
        _ = appliance.ca_file
    with appliance, pytest.raises(RuntimeError, match="started once"):
        appliance.start()
    with pytest.raises(ValueError, match="go together"):
        SimulatedAppliance(remote_username="far")


def test_a_taken_port_is_an_error_and_leaves_nothing(appliance: SimulatedAppliance) -> None:
    second = SimulatedAppliance(port=int(appliance.host.split(":")[1]))
    with pytest.raises(OSError, match="in use"):
        second.start()
    second.stop()


def test_waiting_ends_with_the_call_and_not_later(
    appliance: SimulatedAppliance, client: RawClient
) -> None:
    call = Background(client, "GET", "/info")
    seen = appliance.wait_for(lambda: [c for c in appliance.calls if c.path == "/info"])
    assert [c.status for c in seen] == [200]
    call.join()


def test_waiting_in_vain_names_the_last_calls(
    appliance: SimulatedAppliance, client: RawClient
) -> None:
    with pytest.raises(TimeoutError, match="POST /session 200"):
        appliance.wait_for(lambda: appliance.deletes, timeout_seconds=0.05)


def test_waiting_sees_what_the_clock_alone_changes() -> None:
    with SimulatedAppliance(task_seconds=0.2) as appliance, RawClient(appliance) as client:
        client.log_in()
        client.delete(appliance.add_pairing())
        appliance.wait_for(lambda: not appliance.pairings, timeout_seconds=5.0)
        assert appliance.tasks[0].status == "SUCCESS"


def test_many_clients_at_once_get_one_acceptance(
    make: Callable[..., SimulatedAppliance], connect: Callable[..., RawClient]
) -> None:
    appliance = make(calls_per_minute=None)
    pairing = appliance.add_pairing()
    clients = [connect(appliance) for _ in range(8)]
    calls = [Background(client, "DELETE", f"/pairings/{pairing}") for client in clients]
    answers = [call.join().answer for call in calls]
    statuses = sorted(answer.status_code for answer in answers if answer is not None)
    assert statuses == [202, *[500] * 7]
    assert len(appliance.accepted_deletes) == 1
