"""Every answer of every path against the vendor's OpenAPI file, where that file is."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests

from sandbox.appliance import Answer, SimulatedAppliance
from sandbox.appliance.api_paths import NOT_PLAYED, ROUTES
from tests.sandbox.appliance.client import RawClient
from tests.support.clock import Clock

_ROOT = Path(__file__).resolve().parents[3]
_DEFAULT = _ROOT.parent / "shared" / "reference" / "vsphere-replication-api-v2.json"

# Where the vendor's file names no 401, but a wrong password or token has no other answer.
_UNNAMED_401 = {("POST", "/session"), ("GET", "/session")}
_OPERATION_NAMES = ("{pairing_id}", "{task_id}")


class Contract:
    """The file, with `nullable` turned into types and unknown fields forbidden.

    No field of most schemas is required, so a misspelt field would pass without that.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.paths = document["paths"]
        self._schemas = document["components"]["schemas"]

    def _merged(self, schema: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
        """(properties, required) of a schema and of all that it is made of, still unresolved."""
        if "$ref" in schema:
            return self._merged(self._schemas[schema["$ref"].rsplit("/", 1)[1]])
        properties, required = dict(schema.get("properties", {})), set(schema.get("required", []))
        for part in schema.get("allOf", []):
            more, needed = self._merged(part)
            properties |= more
            required |= needed
        return properties, required

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in schema:
            return self.resolve(self._schemas[schema["$ref"].rsplit("/", 1)[1]])
        properties, required = self._merged(schema)
        out = {key: schema[key] for key in _PLAIN if key in schema}
        if properties:
            out["properties"] = {name: self.resolve(value) for name, value in properties.items()}
            out["required"] = sorted(required)
            out["additionalProperties"] = False
        if "items" in schema:
            out["items"] = self.resolve(schema["items"])
        return {"anyOf": [out, {"type": "null"}]} if schema.get("nullable") else out

    def operation(self, method: str, path: str) -> dict[str, Any]:
        """By our way of writing a path, `/pairings/{}`."""
        for name in _OPERATION_NAMES:
            found = self.paths.get(path.replace("{}", name))
            if found is not None:
                operation: dict[str, Any] = found[method.lower()]
                return operation
        raise AssertionError(f"{path} is not in the vendor's file")

    def check(self, method: str, path: str, answer: requests.Response) -> Any:
        """The body, when the answer is one that the operation may give."""
        status = answer.status_code
        if status == 401 and (method, path) in _UNNAMED_401:
            assert answer.content == b""
            return None
        allowed = self.operation(method, path)["responses"]
        assert str(status) in allowed, f"{method} {path} may not answer {status}"
        content = allowed[str(status)].get("content")
        if content is None:
            assert answer.content == b""
            assert "Content-Type" not in answer.headers
            return None
        assert answer.headers["Content-Type"] == "application/json"
        body = answer.json()
        schema = self.resolve(content["application/json"]["schema"])
        jsonschema.Draft202012Validator(schema, format_checker=_FORMATS).validate(body)
        return body


_PLAIN = ("type", "enum", "format", "minimum", "maximum", "uniqueItems")
_FORMATS = jsonschema.FormatChecker(formats=())


@_FORMATS.checks("uuid", raises=ValueError)
def _is_uuid(text: object) -> bool:
    return not isinstance(text, str) or str(uuid.UUID(text)) == text


@pytest.fixture(scope="module")
def contract() -> Contract:
    path = Path(os.environ.get("VR_OPENAPI_FILE") or _DEFAULT)
    if not path.is_file():
        pytest.skip(
            "the vendor's OpenAPI file vsphere-replication-api-v2.json is not here: "
            "name it in VR_OPENAPI_FILE"
        )
    return Contract(json.loads(path.read_text(encoding="utf-8")))


@pytest.fixture
def pairing_id(appliance: SimulatedAppliance) -> str:
    return appliance.add_pairing("berlin", "munich", replications=5, recovery_plans=2)


@pytest.fixture
def reads(pairing_id: str) -> list[tuple[str, str]]:
    """(our way of writing it, the real path) of every GET of the API."""
    return [
        (route.path, route.path.replace("{}", pairing_id))
        for route in ROUTES
        if route.method == "GET" and not route.path.startswith("/tasks/")
    ]


def test_no_path_is_invented(contract: Contract) -> None:
    for route in ROUTES:
        operation = contract.operation(route.method, route.path)
        named = {p["name"] for p in operation["parameters"] if p["in"] == "query"}
        assert route.parameters == named - NOT_PLAYED, route


def test_the_check_itself_can_fail(contract: Contract) -> None:
    schema = contract.resolve({"$ref": "#/components/schemas/PairingDrResponseEntity"})
    for wrong in (
        {"pairing_id": "not-a-uuid"},
        {"pairingid": str(uuid.uuid4())},
        {"remote_vrms": {"server_status": "DOWN"}},
        {"remote_vrms": None},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema, format_checker=_FORMATS).validate(wrong)


def test_whole_answers(
    contract: Contract,
    appliance: SimulatedAppliance,
    client: RawClient,
    pairing_id: str,
    reads: list[tuple[str, str]],
) -> None:
    appliance.add_self_pairing("berlin")
    appliance.add_issue(pairing_id)
    appliance.add_task()
    for path, real in reads:
        body = contract.check("GET", path, client.get(real))
        if path != "/session":
            assert body["_meta"]["errors"] == [], path


def test_things_have_every_field_of_their_schema(
    contract: Contract, appliance: SimulatedAppliance, client: RawClient, pairing_id: str
) -> None:
    appliance.add_issue(pairing_id)
    task = appliance.add_task()
    for name, document in (
        ("Pairing", client.get("/pairings").json()["list"][0]),
        ("ServerInfo", client.get(f"/pairings/{pairing_id}").json()["remote_vrms"]),
        ("ReplicationInfo", client.get(f"/pairings/{pairing_id}/replications").json()["list"][0]),
        ("IssueInfo", client.get(f"/pairings/{pairing_id}/issues").json()["list"][0]),
        ("Task", client.get("/tasks").json()["list"][0]),
        ("VrmsInfoDrResponseEntity", client.get("/info").json()),
        ("TaskDrResponseEntity", client.get(f"/tasks/{task}").json()),
        (
            "CountDataDrResponseEntity",
            client.get(f"/pairings/{pairing_id}/replications/count").json(),
        ),
    ):
        schema = contract.resolve({"$ref": f"#/components/schemas/{name}"})
        assert set(document) == set(schema["properties"]), name


def test_partial_answers(
    contract: Contract,
    appliance: SimulatedAppliance,
    client: RawClient,
    pairing_id: str,
    reads: list[tuple[str, str]],
) -> None:
    appliance.set_remote_down(pairing_id)
    partial = set()
    for path, real in reads:
        answer = client.get(real)
        body = contract.check("GET", path, answer)
        if answer.status_code == 200 and body.get("_meta", {}).get("errors"):
            partial.add(path)
    # The vendor's file says PARTIAL_DATA for these four and FULL_DATA for count and tasks.
    assert partial == {
        "/pairings",
        "/pairings/{}",
        "/pairings/{}/replications",
        "/pairings/{}/issues",
    }


def test_answers_without_a_session(
    contract: Contract, appliance: SimulatedAppliance, client: RawClient, pairing_id: str
) -> None:
    for route in ROUTES:
        real = route.path.replace("{}", pairing_id)
        for headers in ({}, {"x-dr-session": "wrong"}, {"Authorization": "Bearer x"}):
            answer = client.call(route.method, real, headers=headers)
            assert answer.status_code == 401, route
            contract.check(route.method, route.path, answer)
    assert appliance.accepted_deletes == []


def test_answers_for_things_that_are_not_there(contract: Contract, client: RawClient) -> None:
    missing = [route for route in ROUTES if "{}" in route.path]
    assert len(missing) == 7
    for route in missing:
        real = route.path.replace("{}", str(uuid.uuid4()))
        answer = client.call(route.method, real)
        assert answer.status_code == 404, route
        contract.check(route.method, route.path, answer)


def test_answers_to_wrong_parameters(
    contract: Contract, client: RawClient, pairing_id: str
) -> None:
    for route in ROUTES:
        if route.handler is None:
            continue
        real = route.path.replace("{}", pairing_id)
        answer = client.call(route.method, real, params={"nonsense": "1"})
        assert answer.status_code == 400, route
        contract.check(route.method, route.path, answer)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_refused_deletes(
    contract: Contract,
    appliance: SimulatedAppliance,
    client: RawClient,
    pairing_id: str,
    status: int,
) -> None:
    appliance.on_delete(Answer(status))
    answer = client.delete(pairing_id)
    assert answer.status_code == status
    contract.check("DELETE", "/pairings/{}", answer)


@pytest.fixture
def states(
    appliance: SimulatedAppliance, client: RawClient, clock: Clock, pairing_id: str
) -> Callable[[], Iterator[requests.Response]]:
    """The answers over the whole life of a task, its acceptance first."""

    def life() -> Iterator[requests.Response]:
        accepted = client.delete(pairing_id)
        yield accepted
        for seconds in (0.0, 1.0, 1.0, 1.5):
            clock.turn(seconds)
            yield client.get(f"/tasks/{accepted.json()['id']}")

    return life


@pytest.mark.parametrize(
    "outcome",
    [{"status": None}, {"status": "ERROR"}, {"error": None}, {"status": "CANCELLED"}],
    ids=["success", "error", "null-error", "cancelled"],
)
def test_tasks_in_all_states(
    contract: Contract,
    appliance: SimulatedAppliance,
    states: Callable[[], Iterator[requests.Response]],
    outcome: dict[str, Any],
) -> None:
    appliance.set_task_outcome(**outcome)
    seen: list[str] = []
    for answer in states():
        path, method = ("/tasks/{}", "GET") if seen else ("/pairings/{}", "DELETE")
        seen.append(contract.check(method, path, answer)["status"])
    final = outcome.get("status", "ERROR") or "SUCCESS"
    assert seen == ["QUEUED", "QUEUED", "RUNNING", "RUNNING", final]
