"""Log-ins, sessions that end, remote sessions, locked accounts, calls per minute."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.appliance.login_sessions import CallLimit
from tests.sandbox.appliance.client import FakeClock, RawClient

Make = Callable[..., SimulatedAppliance]
Connect = Callable[..., RawClient]


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_a_session_carries_the_calls_and_ends_with_log_out(
    appliance: SimulatedAppliance, connect: Connect
) -> None:
    client = connect(appliance, log_in=False)
    assert client.get("/info").status_code == 401
    assert client.log_in() == 200
    assert client.get("/session").json() == {"username": "bot@vsphere.local"}
    out = client.call("DELETE", "/session")
    assert (out.status_code, out.content) == (204, b"")
    assert "Content-Length" not in out.headers
    assert client.get("/info").status_code == 401
    assert client.call("DELETE", "/session").status_code == 401


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


def test_the_token_counts_nowhere_but_in_its_header(client: RawClient) -> None:
    token = client.headers["x-dr-session"]
    for headers in (
        {"Authorization": f"Bearer {token}"},
        {"Cookie": f"x-dr-session={token}"},
        {"x-dr-session": token + "x"},
    ):
        assert client.call("GET", "/info", headers=headers).status_code == 401
    assert (
        client.call("GET", "/info", params={"x-dr-session": token}, headers={}).status_code == 401
    )


def test_sessions_end_on_demand(appliance: SimulatedAppliance, client: RawClient) -> None:
    assert client.get("/info").status_code == 200
    appliance.expire_sessions()
    assert client.get("/info").status_code == 401
    client.log_in()
    assert client.get("/info").status_code == 200
    assert [call.session_seq for call in appliance.calls] == [1, 1, None, 2, 2]


def test_a_new_password_counts_for_new_log_ins(
    appliance: SimulatedAppliance, client: RawClient
) -> None:
    appliance.set_password("another")
    assert client.get("/info").status_code == 200
    assert client.log_in(password="Sandbox!1") == 401
    assert client.log_in(password="another") == 200


def test_wrong_passwords_lock_the_account_even_for_the_right_one(
    appliance: SimulatedAppliance, connect: Connect, clock: FakeClock
) -> None:
    client = connect(appliance, log_in=False)
    for _ in range(4):
        assert client.log_in(password="wrong") == 401
    assert not appliance.account_locked
    assert client.log_in(password="wrong") == 401
    assert appliance.account_locked
    clock.pass_seconds(299.0)
    assert client.log_in() == 401
    clock.pass_seconds(1.0)
    assert not appliance.account_locked
    assert client.log_in() == 200


def test_old_and_forgiven_failures_do_not_lock(
    appliance: SimulatedAppliance, connect: Connect, clock: FakeClock
) -> None:
    client = connect(appliance, log_in=False)
    for _ in range(8):
        client.log_in(password="wrong")
        clock.pass_seconds(60.0)
    for _ in range(3):
        client.log_in(password="wrong")
        assert client.log_in() == 200
    assert not appliance.account_locked


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


def test_one_sso_domain_needs_no_remote_session(
    appliance: SimulatedAppliance, client: RawClient
) -> None:
    pairing = appliance.add_pairing()
    path = f"/pairings/{pairing}/remote-session"
    assert client.get(f"/pairings/{pairing}").json()["_meta"] == {"errors": []}
    appliance.set_remote_down(pairing)
    answer = client.call("POST", path, auth=("bot@vsphere.local", "Sandbox!1"))
    assert answer.json()["error_code"] == "REMOTE_SITE_UNREACHABLE"


def test_fifty_calls_a_minute_per_session(
    appliance: SimulatedAppliance, client: RawClient, clock: FakeClock
) -> None:
    for _ in range(25):
        assert client.get("/info").status_code == 200
    clock.pass_seconds(20.0)
    for _ in range(25):
        assert client.get("/info").status_code == 200
    over = client.get("/info")
    assert (over.status_code, over.headers["Retry-After"]) == (429, "40")
    assert over.json()["op_id"] == appliance.calls[-1].op_id
    clock.pass_seconds(39.9)
    assert client.get("/info").status_code == 429
    clock.pass_seconds(0.1)
    assert client.get("/info").status_code == 200


def test_an_unpairing_over_the_limit_has_no_effect(make: Make, connect: Connect) -> None:
    appliance = make(calls_per_minute=1)
    pairing = appliance.add_pairing()
    client = connect(appliance)
    client.get("/info")
    assert client.delete(pairing).status_code == 429
    assert (appliance.tasks, appliance.accepted_deletes) == ([], [])


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


def test_no_limit_when_none_is_asked_for(make: Make, connect: Connect) -> None:
    client = connect(make(calls_per_minute=None))
    assert {client.get("/info").status_code for _ in range(120)} == {200}


def test_each_key_has_a_window_of_its_own() -> None:
    limit = CallLimit(2)
    assert [limit.seconds_to_wait("a", 0.0), limit.seconds_to_wait("a", 10.5)] == [None, None]
    assert limit.seconds_to_wait("a", 59.99) == 1
    assert limit.seconds_to_wait("b", 59.99) is None
    assert limit.seconds_to_wait("a", 60.0) is None
    assert limit.seconds_to_wait("a", 60.0) == 11
