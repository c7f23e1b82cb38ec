"""`vr-unpair show`, as somebody reads it who is woken at three; `--json` is for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from bot.operate.show import told
from bot.request.audit_chain import Record
from bot.request.events import DeleteAnswered
from bot.request.model import State
from bot.request.problem import ProblemKind
from tests.support.world import ASKER, CHANNEL, FIRST, PAIRING, World, problem

Run = Callable[..., Result]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///cli.db")
    made = World("sqlite:///cli.db")
    yield made
    made.close()


def shown(run: Run, request_id: str) -> tuple[dict[str, str], list[str]]:
    """The facts by their names, and what each event says, with who it was."""
    facts, *_, history = run("show", request_id).stdout.split("\n\n")
    named = [line.partition("  ") for line in facts.splitlines()]
    events = [line.split("Z ", 1)[1] for line in history.splitlines()[1:]]
    return (
        {name: value.strip() for name, _, value in named},
        [" ".join(event.split()) for event in events],
    )


def test_a_pairing_that_was_broken(world: World, run: Run) -> None:
    request = world.pending()
    world.click(request, "approve", ASKER)
    world.click(request, "approve", FIRST)
    world.settle()
    world.appliance.end_task()
    world.wait(10_000)
    facts, events = shown(run, request)
    assert facts["state"] == "succeeded"
    assert facts["pairing"] == f"vc-berlin.example.net → vc-prague.example.net ({PAIRING})"
    assert facts["replications"] == "3"
    assert facts["asked by"].startswith(f"{ASKER} in {CHANNEL}, 2027-01-15 ")
    assert facts["approvals"] == f"1 of 1: {FIRST}"
    assert facts["DELETEs"] == "1 sent, 1 accepted"
    assert facts["task"] == "task:0:x: SUCCESS"
    assert "gone" in facts["outcome"]
    assert not {"one-sided", "site", "denied by", "to decide until"} & set(facts)
    assert events == [
        f"{ASKER} asked to break {PAIRING}: moving",
        "vr-unpair read the pairing vc-berlin.example.net → vc-prague.example.net: 3 replications",
        "vr-unpair posted the card → pending",
        f"{ASKER} pressed approve, which did not count (own_request_approve)",
        f"{FIRST} approved",
        f"vr-unpair enough approvals, by {FIRST}",
        f"vr-unpair DELETE: about to be sent, approved by {FIRST} → deleting",
        "vr-unpair DELETE: accepted, task task:0:x is RUNNING → following",
        "vr-unpair task task:0:x is SUCCESS",
        "vr-unpair succeeded: proved",
    ]


def test_a_refusal_of_the_appliance_with_its_own_words(world: World, run: Run) -> None:
    request = world.pending(force=True)
    refused = problem(
        ProblemKind.REFUSED, status=403, error_code="NO_ROLE", message="No role.", op_id="op-9"
    )
    world.appliance.delete_outcomes.append(DeleteAnswered(problem=refused))
    world.click(request, "approve", FIRST)
    world.settle()
    assert world.state() is State.FAILED
    facts, events = shown(run, request)
    assert facts["one-sided"] == "yes: the other site keeps its half"
    assert facts["DELETEs"] == "1 sent, 0 accepted"
    assert "HmsRemote.com.vmware.vcHms.Hms.Manage" in facts["outcome"]
    assert not set("&`<>*") & set(facts["outcome"])
    answer = "a refused problem, HTTP 403, error_code NO_ROLE, message No role., op_id op-9"
    assert f"vr-unpair DELETE: answered: {answer}" in events


def test_one_that_waits_names_until_when(world: World, run: Run) -> None:
    request = world.pending()
    facts, _ = shown(run, request)
    assert facts["approvals"] == "0 of 1"
    assert facts["to decide until"].startswith("2027-01-15 ")
    assert facts["DELETEs"] == "0 sent, 0 accepted"
    assert not {"outcome", "ended", "task"} & set(facts)


def test_machines_get_what_they_always_got(world: World, run: Run) -> None:
    request = world.pending()
    found = json.loads(run("show", request, "--json").stdout)
    assert [event["action"] for event in found["events"]] == ["asked", "checked", "card_posted"]
    assert found["events"][1]["detail"]["replications"] == 3


def test_a_long_reason_is_cut_in_the_list_alone(world: World, run: Run) -> None:
    reason = "because " * 40
    world.put(world.ask_event(reason=reason), "AAAA-BBBB")
    world.settle()
    (line,) = run("requests").stdout.splitlines()[1:]
    assert line.endswith("…")
    assert len(line) < 250
    assert reason.strip() in run("show", "AAAA-BBBB").stdout


@pytest.mark.parametrize(
    ("action", "detail", "says"),
    [
        (
            "checked",
            {"pairing": "a → b", "replications": 1},
            "read the pairing a → b: 1 replication",
        ),
        ("of_tomorrow", {"odd_name": [1, {"a": None}]}, "of tomorrow: odd name 1, a None"),
        ("cancelled", {}, "withdrew it"),
        ("denied", {"reason": "not now"}, "denied: not now"),
        ("asked", {"pairing": "p", "force": True}, "asked to break p, one-sided"),
    ],
)
def test_a_sentence_for_each_record(action: str, detail: dict[str, object], says: str) -> None:
    record = Record(
        number=1,
        at=1,
        request_id=None,
        actor="U1",
        action=action,
        message=None,
        before=None,
        after=None,
        detail=detail,
        previous="",
        hash="",
    )
    assert told(record) == says
