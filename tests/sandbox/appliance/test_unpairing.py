"""The one operation that matters, and the life of its task on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.appliance import SimulatedAppliance
from tests.sandbox.appliance.client import RawClient
from tests.support.clock import Clock


@pytest.fixture
def pairing(appliance: SimulatedAppliance) -> str:
    return appliance.add_pairing("berlin", "munich")


def _task(client: RawClient, task_id: str) -> dict[str, Any]:
    body = client.get(f"/tasks/{task_id}").json()
    assert isinstance(body, dict)
    return body


def test_a_task_lives_by_the_clock_and_takes_the_pairing_with_it(
    appliance: SimulatedAppliance, client: RawClient, clock: Clock, pairing: str
) -> None:
    start = int(clock.now * 1000)
    answer = client.delete(pairing)
    task = answer.json()
    assert (answer.status_code, task["status"], task["progress"]) == (202, "QUEUED", 0)
    assert (task["entity"], task["queued_time"]) == (f"Pairing:{pairing}", start)
    assert (task["start_time"], task["complete_time"], task["error"]) == (None, None, None)
    story = []
    for _ in range(7):
        clock.turn(0.5)
        now = _task(client, task["id"])
        story.append((now["status"], now["progress"]))
        there = client.get(f"/pairings/{pairing}").status_code
        assert there == (404 if now["status"] == "SUCCESS" else 200)
    assert [status for status, _ in story] == ["RUNNING"] * 5 + ["SUCCESS"] * 2
    progress = [number for _, number in story]
    assert progress == sorted(progress)
    assert (progress[0] < progress[4] < 100, progress[5]) == (True, 100)
    assert now["start_time"] == start + 300
    assert now["complete_time"] == start + 3000
    assert appliance.pairings == []
    assert client.delete(pairing).status_code == 404


@pytest.mark.parametrize(
    ("force", "down", "status"),
    [
        ("false", False, "SUCCESS"),
        ("true", False, "SUCCESS"),
        ("false", True, "ERROR"),
        ("true", True, "SUCCESS"),
        (None, True, "ERROR"),
        (None, False, "SUCCESS"),
    ],
)
def test_force_is_what_a_dead_remote_site_needs(
    appliance: SimulatedAppliance,
    client: RawClient,
    clock: Clock,
    pairing: str,
    force: str | None,
    down: bool,
    status: str,
) -> None:
    appliance.set_remote_down(pairing, down)
    answer = client.delete(pairing, **({} if force is None else {"force": force}))
    clock.turn(3.0)
    task = _task(client, answer.json()["id"])
    assert task["status"] == status
    assert (appliance.pairings == [pairing]) == (status == "ERROR")
    if status == "ERROR":
        assert "remote" in task["error"]["message"]
        assert "vr-munich.example.net" in task["error"]["details"]


def test_without_a_remote_session_only_force_works(
    make: Callable[..., SimulatedAppliance],
    connect: Callable[..., RawClient],
    clock: Clock,
) -> None:
    appliance = make(remote_username="far", remote_password="x", task_seconds=0.0)
    pairing = appliance.add_pairing()
    client = connect(appliance)
    refused = client.delete(pairing).json()["id"]
    assert "Not authenticated" in _task(client, refused)["error"]["message"]
    client.call("POST", f"/pairings/{pairing}/remote-session", auth=("far", "x"))
    assert _task(client, client.delete(pairing).json()["id"])["status"] == "SUCCESS"
    other = appliance.add_pairing()
    assert _task(client, client.delete(other, force="true").json()["id"])["status"] == "SUCCESS"


@pytest.mark.parametrize(
    "query", ["force=True", "force=TRUE", "force=1", "force=", "force=yes", "Force=true"]
)
def test_a_force_that_is_no_boolean_is_refused(
    appliance: SimulatedAppliance, client: RawClient, pairing: str, query: str
) -> None:
    answer = client.call("DELETE", f"/pairings/{pairing}?{query}")
    assert answer.status_code == 400
    assert answer.json()["op_id"]
    assert client.delete(pairing + "?force=true&force=false").status_code == 400
    assert (appliance.accepted_deletes, appliance.tasks) == ([], [])


def test_a_second_unpairing_while_one_runs_is_refused(
    appliance: SimulatedAppliance, client: RawClient, clock: Clock, pairing: str
) -> None:
    appliance.set_task_outcome("ERROR")
    client.delete(pairing)
    second = client.delete(pairing)
    assert (second.status_code, second.json()["error_code"]) == (500, "TASK_IN_PROGRESS")
    assert len(appliance.accepted_deletes) == 1
    clock.turn(3.0)
    assert client.delete(pairing).status_code == 202
    assert len(appliance.tasks) == 2
