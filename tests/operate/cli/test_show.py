"""`requests` and `show`, as somebody reads them who is woken at three; `--json` is for machines."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from bot.operate import show
from bot.request.audit_chain import Record
from bot.request.events import DeleteAnswered
from bot.request.model import State
from bot.request.pairing import Server
from bot.request.problem import ProblemKind
from tests.operate.cli.conftest import Run
from tests.store.samples import request
from tests.support.world import ASKER, CHANNEL, FIRST, PAIRING, World, problem, snapshot

PROMISED = {
    *("id", "state", "site", "pairing_id", "force", "requester", "channel", "reason"),
    *("created_at", "updated_at", "scheduled_at"),
}


def shown(run: Run, request_id: str) -> tuple[dict[str, str], list[str]]:
    """The facts by their names, and what each event says, with who it was."""
    facts, *_, history = run("show", request_id).stdout.split("\n\n")
    named = [line.partition("  ") for line in facts.splitlines()]
    events = [line.split("Z ", 1)[1] for line in history.splitlines()[1:]]
    return (
        {name: value.strip() for name, _, value in named},
        [" ".join(event.split()) for event in events],
    )


# ---- one request ---------------------------------------------------------------------------------


def test_a_pairing_that_was_broken(world: World, run: Run) -> None:
    request = world.pending()
    world.click(request, "approve", ASKER)
    world.click(request, "approve", FIRST)
    world.settle()
    world.appliance.end_task()
    world.wait(10_000)
    facts, events = shown(run, request)
    assert facts["state"] == "succeeded"
    assert facts["pairing"] == "“vc-berlin.example.net → vc-prague.example.net”"
    assert facts["pairing id"] == PAIRING
    assert facts["replications"] == "3"
    assert (facts["requester"], facts["channel"]) == (ASKER, CHANNEL)
    assert facts["created at"] == "2027-01-15T08:00:00.000Z"
    assert (facts["approvals required"], facts["approvals"]) == ("1", FIRST)
    assert (facts["deletes sent"], facts["deletes accepted"]) == ("1", "1")
    assert facts["task"].startswith("id task:0:x, status SUCCESS")
    assert "gone" in facts["outcome"]
    assert not {"force", "denied by"} & set(facts)
    assert events == [
        f"{ASKER} asked to break {PAIRING}: moving",
        f"vr-unpair read the pairing {facts['pairing']}: 3 replications",
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
    assert facts["force"] == "yes"
    assert (facts["deletes sent"], facts["deletes accepted"]) == ("1", "0")
    assert not set("&<>*") & set(facts["outcome"]), "no markup of Slack's but around names"
    (answered,) = (event for event in events if "DELETE: answered" in event)
    for word in ("HTTP 403", "NO_ROLE", "No role.", "op-9"):
        assert word in answered


def test_one_that_waits_names_until_when_and_machines_get_all(
    world: World, run: Run, run_json: Callable[..., Any]
) -> None:
    request = world.pending()
    facts, _ = shown(run, request)
    assert facts["decide by"].startswith("2027-01-15T")
    assert not {"approvals", "outcome", "ended at", "task"} & set(facts)
    (row,) = run_json("requests")
    found = run_json("show", request)
    assert set(row) >= PROMISED
    assert row.items() <= found.items()
    assert (row["created_at"], row["scheduled_at"]) == ("2027-01-15T08:00:00.000Z", None)
    assert [event["action"] for event in found["events"]] == ["asked", "checked", "card_posted"]
    assert found["events"][1]["detail"]["replications"] == 3


@pytest.mark.parametrize(
    ("action", "detail", "says"),
    [
        ("checked", {"pairing": "p", "replications": 1}, "read the pairing p: 1 replication"),
        ("of_tomorrow", {"odd_name": [1, {"a": None}]}, "of tomorrow: odd name 1, a None"),
        ("cancelled", {}, "withdrew it"),
        ("denied", {"reason": "not now"}, "denied: “not now”"),
        ("checked", {"pairing": "Approved” by all. ok"}, "read the pairing “Approved' by all. ok”"),
        ("asked", {"pairing": "p", "force": True}, "asked to break p, one-sided"),
    ],
)
def test_a_sentence_for_each_record(action: str, detail: dict[str, object], says: str) -> None:
    assert show.told(Record.model_construct(action=action, detail=detail)) == says


# ---- the list ------------------------------------------------------------------------------------

TITLES = "site-a.example.net", "site-b.example.net"
ASKED = request(
    7,
    State.ATTENTION,
    snapshot=snapshot(
        local_vc=Server(id="1", name=TITLES[0]), remote_vc=Server(id="2", name=TITLES[1])
    ),
    reason="moving to the new site, CHG0031337",
    created_at=1_764_104_584_123,
)


def printed(table: Table, width: int, *, terminal: bool = True) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, color_system=None)
    show.print_tables(console, table)
    return out.getvalue().splitlines()


def test_on_a_narrow_screen_few_lines_and_no_time_cut() -> None:
    lines = printed(show.requests_table([ASKED]), 80)
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 1 + 4
    shown = " ".join(lines)
    assert not [whole for whole in (*TITLES, "2025-11-25", "21:03:04Z") if whole not in shown]


@pytest.mark.parametrize("width", [76, 80, 100, 200])
def test_no_column_falls_off_the_right_edge(width: int) -> None:
    """With the ids that Slack has, and a longer state."""
    asked = ASKED.model_copy(update={"requester": "U0123456789", "state": State.SUCCEEDED})
    lines = printed(show.requests_table([asked]), width)
    assert max(map(len, lines)) <= width
    assert lines[0].split() == ["id", "state", "pairing", "requester", "asked", "at", "reason"]
    column = lines[0].index("reason")
    told = "".join(line[column:] for line in lines[1:]).replace(" ", "")
    assert told == "“movingtothenewsite,CHG0031337”"


def test_what_is_piped_is_one_line_that_grep_finds() -> None:
    table = show.requests_table([ASKED, request(8, reason="x" * 3_000)])
    lines = printed(table, show.PIPED, terminal=False)
    assert len(lines) == 3
    assert " → ".join(TITLES) in lines[1]
    assert lines[1].endswith("2025-11-25 21:03:04Z  “moving to the new site, CHG0031337”")
    assert lines[2].endswith(f"{'x' * (show.REASON_SHOWN - 1)}…”")


def test_a_column_stands_where_it_tells_something() -> None:
    several = request(8, force=True, terms=request(8).terms.model_copy(update={"several": True}))
    timed = request(9, scheduled_at=1_800_000_000_000)
    head, *_ = printed(show.requests_table([ASKED, several]), 200)
    assert {"site", "force"} <= set(head.split())
    head, first, second = printed(show.requests_table([ASKED, timed]), 200)
    assert "not before" in head
    assert ("2027-01-15 08:00:00Z" in first, "2027-01-15 08:00:00Z" in second) == (False, True)
