"""Paging, filters, partial answers, and requests that break the contract."""

from __future__ import annotations

import pytest

from sandbox.appliance import SimulatedAppliance
from tests.sandbox.appliance.client import RawClient


@pytest.fixture
def path(appliance: SimulatedAppliance) -> str:
    return f"/pairings/{appliance.add_pairing(replications=120, recovery_plans=7)}/replications"


def test_pages_together_are_the_whole(client: RawClient, path: str) -> None:
    first = client.get(path).json()
    assert (len(first["list"]), first["_meta"]["total"], first["_meta"]["limit"]) == (100, 120, 100)
    seen: list[str] = []
    for offset in range(0, 121, 50):
        page = client.get(path, limit="50", offset=str(offset)).json()
        seen += [item["id"] for item in page["list"]]
    assert len(seen) == len(set(seen)) == 120
    assert client.get(path, limit="10", offset="500").json()["list"] == []


def test_a_page_larger_than_the_largest_is_refused(
    appliance: SimulatedAppliance, client: RawClient
) -> None:
    ids = [appliance.add_task(f"Sync {number}") for number in range(1000)]
    assert len(client.get("/tasks", limit="1000").json()["list"]) == 1000
    appliance.set_largest_page(100)
    refused = client.get("/tasks", limit="101")
    assert refused.status_code == 400
    assert "100" in refused.json()["message"]
    pages = [client.get("/tasks", limit="100", offset=str(at)).json() for at in range(0, 1000, 100)]
    assert [task["id"] for page in pages for task in page["list"]] == ids[::-1]
    assert client.get(f"/tasks/{ids[0]}").json()["description"] == "Sync 0"
    appliance.set_largest_page(20)
    assert len(client.get("/tasks").json()["list"]) == 20


@pytest.mark.parametrize(
    "query",
    [
        "limit=ten",
        "limit=-1",
        "limit=1.5",
        "limit=",
        "limit=%D9%A1",
        "offset=10",
        "limit=1&limit=2",
        "limit=1&offset=x",
        "filter_property=name&filter=x",
        "sort_by=name",
        "page=2",
    ],
)
def test_wrong_parameters_are_refused(client: RawClient, path: str, query: str) -> None:
    answer = client.call("GET", f"{path}?{query}")
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/pairings/", 404),
        ("GET", "//pairings", 404),
        ("GET", "/Pairings", 404),
        ("DELETE", "/pairings/", 404),
        ("GET", "/tasks/a/b", 404),
        ("DELETE", "/pairings", 405),
        ("PUT", "/session", 405),
        ("PATCH", "/pairings", 405),
        ("HEAD", "/info", 405),
    ],
)
def test_unknown_paths_and_methods(client: RawClient, method: str, path: str, status: int) -> None:
    answer = client.call(method, path)
    assert (answer.status_code, answer.content) == (status, b"")
    assert client.get("/info").status_code == 200


def test_a_remote_site_that_is_down(appliance: SimulatedAppliance, client: RawClient) -> None:
    down = appliance.add_pairing("berlin", "munich", replications=9)
    appliance.add_pairing("berlin", "hamburg")
    appliance.set_remote_down(down)
    listing = client.get("/pairings").json()
    states = [pairing["remote_vrms"]["server_status"] for pairing in listing["list"]]
    assert states == ["ERROR", "OK"]
    assert [e["field"] for e in listing["_meta"]["errors"]] == ["$.list[0].remote_vrms"]
    whole = client.get(f"/pairings/{down}/replications/count").json()
    partial = client.get(f"/pairings/{down}/replications").json()
    assert (whole["count"], len(partial["list"])) == (9, 3)
    assert [e["code"] for e in partial["_meta"]["errors"]] == ["REMOTE_SITE_UNREACHABLE"]
    appliance.set_remote_down(down, False)
    assert len(client.get(f"/pairings/{down}/replications").json()["list"]) == 9
    assert client.get("/pairings").json()["_meta"]["errors"] == []
