"""The switches beside the channel: the bot killed, the appliance refusing, pairings changing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from bot.sandbox.page.stage import Stage
from tests.whole.browser.conftest import Arrive
from tests.whole.browser.visitor import Visitor

ASKED = "/vr-unpair vcenter-prague moving"


def ask_and_approve(visitor: Visitor) -> None:
    visitor.types(ASKED)
    expect(visitor.card).to_contain_text("Approvals:")
    visitor.becomes("Alan")
    visitor.approves()


def test_killed_while_the_task_runs_and_started_again(visitor: Visitor, stage: Stage) -> None:
    stage.appliance.hold_tasks()
    ask_and_approve(visitor)
    expect(visitor.state).to_have_text("following")
    visitor.page.get_by_role("button", name="Kill (kill -9)").click()
    expect(visitor.page.locator("#bot")).to_contain_text("does not run")
    visitor.types("/vr-unpair help")
    expect(visitor.page.locator("#note")).to_contain_text("dispatch_failed")
    stage.appliance.release_tasks()
    visitor.page.get_by_role("button", name="Start again").click()
    expect(visitor.page.locator("#bot")).to_contain_text("runs")
    expect(visitor.end).to_contain_text("The pairing is gone.")
    expect(visitor.deletes).to_have_text("DELETE sent: 1, accepted: 1")
    assert len(stage.appliance.deletes) == 1


def test_what_failed_while_it_was_away_is_not_said_once_it_is_back(
    visitor: Visitor, stage: Stage
) -> None:
    stage.kill_bot()
    expect(visitor.page.locator("#bot")).to_contain_text("does not run")
    visitor.types("/vr-unpair help")
    expect(visitor.page.locator("#note")).to_contain_text("dispatch_failed")
    stage.start_bot()  # as another visitor would
    expect(visitor.page.locator("#bot")).to_contain_text("runs")
    expect(visitor.page.locator("#note")).to_have_text("")


def test_the_board_opens_the_newest_request_and_leaves_the_others_as_they_are(
    visitor: Visitor,
) -> None:
    open_ones = visitor.page.locator("#requests details[open] summary")
    visitor.types(ASKED)
    expect(open_ones).to_have_count(1)
    open_ones.click()
    expect(open_ones).to_have_count(0)
    visitor.types("/vr-unpair vcenter-helsinki closing")
    expect(visitor.page.locator("#requests details")).to_have_count(2)
    expect(open_ones).to_have_count(1)
    expect(open_ones).to_contain_text("helsinki")


def test_how_often_delete_was_sent_stands_above_requests_that_grow(arrive: Arrive) -> None:
    visitor = arrive(size=(1280, 500))
    for number, site in enumerate(("prague", "helsinki", "lisbon"), 1):
        visitor.types(f"/vr-unpair vcenter-{site} moving")
        expect(visitor.page.locator("#requests details")).to_have_count(number)
        expect(visitor.state).to_have_text("pending")
    expect(visitor.deletes).to_be_in_viewport()
    expect(visitor.deletes).to_have_text("DELETE sent: 0, accepted: 0")


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ("400 not valid", "failed", "The pairing is in use by a recovery."),
        *(
            pytest.param(*one, marks=pytest.mark.long)
            for one in (
                ("401 once: session over", "succeeded", "The pairing is gone."),
                ("401 twice", "failed", "401"),
                ("403 no permission", "failed", "NO_PERMISSION"),
                ("404 and it is still there", "failed", "404"),
                ("500 nothing happened", "failed", "INTERNAL_ERROR"),
                ("500 but a task began", "succeeded", "The pairing is gone."),
            )
        ),
        ("answer lost, a task began", "succeeded", "The pairing is gone."),
    ],
)
def test_what_the_appliance_may_answer(
    visitor: Visitor, answer: str, state: str, words: str
) -> None:
    visitor.turns("Next DELETE", answer)
    ask_and_approve(visitor)
    expect(visitor.state).to_have_text(state)
    expect(visitor.end).to_contain_text(words)
    expect(visitor.page.get_by_label("Next DELETE")).to_have_value("202")


@pytest.mark.long
def test_the_task_ends_in_error(visitor: Visitor) -> None:
    visitor.turns("Tasks end", "in ERROR")
    visitor.turns("Tasks take", "fast, 3 s")
    ask_and_approve(visitor)
    expect(visitor.end).to_contain_text("The operation failed on the server.")
    expect(visitor.state).to_have_text("failed")


@pytest.mark.parametrize(
    "change",
    [
        "+1 VM",
        *(pytest.param(one, marks=pytest.mark.long) for one in ("Remote down", "Rebuild", "Break")),
    ],
)
def test_the_pairing_changes_while_people_decide(
    visitor: Visitor, stage: Stage, change: str
) -> None:
    visitor.types(ASKED)
    expect(visitor.card).to_contain_text("Approvals:")
    visitor.changes(change, "berlin → prague")
    expect(visitor.page.locator("#pairings")).to_contain_text(
        {
            "Remote down": "remote site down",
            "+1 VM": "13 replications",
            "Rebuild": "12 replications",
            "Break": "gone",
        }[change]
    )
    visitor.becomes("Alan")
    visitor.approves()
    # Health is not compared: a site that cannot be reached makes the task fail instead.
    ends = "failed" if change == "Remote down" else "changed"
    expect(visitor.state).to_have_text(ends)
    assert len(stage.appliance.deletes) == (1 if change == "Remote down" else 0)
    if change == "Break":
        visitor.changes("Put it back", "berlin → prague")
        expect(visitor.page.locator("#pairings")).to_contain_text("12 replications, 4 in recovery")


@pytest.mark.long
def test_an_appliance_that_cannot_be_reached(visitor: Visitor, stage: Stage) -> None:
    visitor.turns("Appliance", "unreachable")
    visitor.types(ASKED)
    expect(visitor.state).to_have_text("checking")
    visitor.turns("Appliance", "usual")
    expect(visitor.card).to_contain_text("Approvals:")


@pytest.mark.long
def test_an_appliance_that_never_answers(visitor: Visitor, stage: Stage) -> None:
    visitor.turns("Appliance", "accepts calls, never answers")
    visitor.types(ASKED)
    row = visitor.page.locator("#calls tbody tr").first
    expect(row).to_have_text(re.compile("none$"))
    visitor.turns("Appliance", "usual")
    expect(visitor.card).to_contain_text("Approvals:")


def test_pairings_that_say_no_by_themselves(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Paired with itself").click()
    visitor.page.get_by_role("button", name="Send").click()
    expect(visitor.alone).to_contain_text("pairs a site with itself")
    visitor.page.get_by_role("button", name="240 replications").click()
    visitor.page.get_by_role("button", name="Send").click()
    expect(visitor.card).to_contain_text("240 replications")
