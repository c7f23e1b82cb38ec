"""People who say no, and people who may not say anything."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from bot.sandbox.page.stage import Stage
from tests.whole.browser.conftest import Arrive
from tests.whole.browser.visitor import DESKTOP, PHONE, Visitor

ASKED = "/vr-unpair vcenter-prague moving"


@pytest.mark.parametrize(
    "size",
    [pytest.param(DESKTOP, id="desktop", marks=pytest.mark.long), pytest.param(PHONE, id="phone")],
)
def test_denied_with_a_reason(arrive: Arrive, stage: Stage, size: tuple[int, int]) -> None:
    visitor = arrive(size=size)
    visitor.types(ASKED)
    expect(visitor.card).to_contain_text("Approvals:")
    visitor.becomes("Anna")
    visitor.presses("unpair_deny")
    expect(visitor.dialog).to_contain_text("Deny the request")
    visitor.sees_no_cut_text()
    visitor.dialog.get_by_role("button", name="Deny").click()
    expect(visitor.dialog).to_have_count(1)  # the reason is required: the form stays
    visitor.dialog.get_by_label("Why not?").fill("not before Monday")
    visitor.dialog.get_by_role("button", name="Deny").click()
    expect(visitor.dialog).to_have_count(0)
    expect(visitor.card).to_contain_text("not before Monday")
    expect(visitor.card).to_contain_text("@Anna")
    expect(visitor.card.get_by_role("button")).to_have_count(0)
    assert stage.appliance.deletes == []


def test_a_form_that_is_closed_leaves_everything_as_it_was(visitor: Visitor) -> None:
    visitor.types(ASKED)
    expect(visitor.card).to_contain_text("Approvals:")
    visitor.becomes("Alan")
    visitor.presses("unpair_deny")
    expect(visitor.dialog).to_be_visible()
    visitor.page.keyboard.press("Escape")
    expect(visitor.dialog).to_have_count(0)
    expect(visitor.state).to_have_text("pending")
    visitor.presses("unpair_deny")
    visitor.dialog.get_by_role("button", name="Back").click()
    expect(visitor.dialog).to_have_count(0)
    expect(visitor.button("unpair_approve")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Rita", "your own request"),
        pytest.param("Stan", "not an approver", marks=pytest.mark.long),
        pytest.param("Gus", "You belong to another workspace", marks=pytest.mark.long),
    ],
)
def test_whose_approval_does_not_count(visitor: Visitor, stage: Stage, name: str, why: str) -> None:
    visitor.types(ASKED)
    expect(visitor.card).to_contain_text("Approvals:")
    visitor.page.get_by_role("button", name="Dismiss").click()
    visitor.becomes(name)
    visitor.approves()
    expect(visitor.alone).to_contain_text("Only visible to you")
    expect(visitor.alone).not_to_contain_text("counts:")
    expect(visitor.alone).to_contain_text(why)
    expect(visitor.state).to_have_text("pending")
    assert stage.appliance.deletes == []
    other = "Alan" if name != "Alan" else "Anna"
    visitor.becomes(other)
    expect(visitor.alone).to_have_count(0)


@pytest.mark.long
def test_the_requester_takes_it_back(visitor: Visitor) -> None:
    visitor.types(ASKED)
    visitor.presses("unpair_cancel")
    expect(visitor.state).to_have_text("cancelled")


def test_a_channel_without_the_bot_shows_what_slack_refused(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="# storage-team").click()
    visitor.types(ASKED)
    expect(visitor.page.locator("#refusals")).to_contain_text("chat.postMessage: not_in_channel")
    expect(visitor.alone).to_contain_text("/invite")
