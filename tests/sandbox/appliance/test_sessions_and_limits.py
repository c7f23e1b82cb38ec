"""Log-ins, sessions that end, remote sessions, locked accounts, calls per minute."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from sandbox.appliance import SimulatedAppliance
from tests.sandbox.appliance.client import RawClient
from tests.support.clock import Clock

Make = Callable[..., SimulatedAppliance]
Connect = Callable[..., RawClient]


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        _basic("bot@vsphere.local"),
        _basic("bot@vsphere.local:"),
        _basic("bot@vsphere.local:Sandbox!1 "),
        _basic("BOT@vsphere.local:Sandbox!1"),
        _basic(":Sandbox!1"),
        "Bearer " + base64.b64encode(b"bot@vsphere.local:Sandbox!1").decode(),
    ],
)
def test_only_the_right_basic_credentials_log_in(
    appliance: SimulatedAppliance, connect: Connect, header: str | None
) -> None:
    client = connect(appliance, log_in=False)
    answer = client.call("POST", "/session", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.content) == (401, b"")
    assert [call.status for call in appliance.logins] == [401]


def test_wrong_passwords_lock_the_account_even_for_the_right_one(
    appliance: SimulatedAppliance, connect: Connect, clock: Clock
) -> None:
    client = connect(appliance, log_in=False)
    for _ in range(4):
        assert client.log_in(password="wrong") == 401
    assert not appliance.account_locked
    assert client.log_in(password="wrong") == 401
    assert appliance.account_locked
    clock.turn(299.0)
    assert client.log_in() == 401
    clock.turn(1.0)
    assert not appliance.account_locked
    assert client.log_in() == 200


def test_a_remote_session_hangs_on_the_local_one(make: Make, connect: Connect) -> None:
    appliance = make(remote_username="far@vsphere.local", remote_password="Far!1")
    pairing = appliance.add_pairing(replications=3)
    client = connect(appliance)
    path = f"/pairings/{pairing}/remote-session"

    def seen(at: str = pairing) -> tuple[int, int]:
        body = client.get(f"/pairings/{at}/replications").json()
        return len(body["list"]), len(body["_meta"]["errors"])

    assert seen() == (1, 1)
    for wrong in (("bot@vsphere.local", "Sandbox!1"), ("far@vsphere.local", "no")):
        answer = client.call("POST", path, auth=wrong)
        assert (answer.status_code, answer.content) == (401, b"")
    assert client.call("POST", path, auth=("far@vsphere.local", "Far!1")).status_code == 204
    assert seen() == (3, 0)
    assert seen(appliance.add_pairing(remote="site-c")) == (1, 1)
    client.log_in()
    assert seen() == (1, 1)


def test_fifty_calls_a_minute_per_session(
    appliance: SimulatedAppliance, client: RawClient, clock: Clock
) -> None:
    for _ in range(25):
        assert client.get("/info").status_code == 200
    clock.turn(20.0)
    for _ in range(25):
        assert client.get("/info").status_code == 200
    over = client.get("/info")
    assert (over.status_code, over.headers["Retry-After"]) == (429, "40")
    clock.turn(39.9)
    assert client.get("/info").status_code == 429
    clock.turn(0.1)
    assert client.get("/info").status_code == 200


def test_a_hundred_calls_a_minute_per_address_whatever_the_session(
    appliance: SimulatedAppliance, connect: Connect
) -> None:
    client = connect(appliance)
    for _ in range(49):
        assert client.get("/info").status_code == 200
    assert client.log_in() == 200
    for _ in range(49):
        assert client.get("/info").status_code == 200
    assert client.get("/info").status_code == 429
    assert client.log_in() == 429
    assert [call.status for call in appliance.calls].count(200) == 100
