"""The whole story by clicking: asked as one person, approved as another, followed, read."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from sandbox.page.stage import Stage
from tests.whole.browser.conftest import Arrive
from tests.whole.browser.visitor import PHONE


def test_from_the_command_to_the_end(arrive: Arrive, stage: Stage) -> None:
    visitor = arrive(size=PHONE)
    # What is typed already, so that the first minute needs nothing but this button.
    visitor.page.get_by_role("button", name="Send").click()
    expect(visitor.alone).to_be_visible()
    expect(visitor.card).to_contain_text("12 replications")
    expect(visitor.card).to_contain_text("moving to the new site, CHG0031337")
    visitor.sees_no_cut_text()

    visitor.becomes("Alan")
    expect(visitor.alone).to_have_count(0)
    visitor.presses("unpair_approve")
    visitor.sees_no_cut_text()
    visitor.dialog.get_by_role("button", name="Not now").click()
    expect(visitor.dialog).to_have_count(0)
    assert stage.appliance.deletes == []

    visitor.approves()
    expect(visitor.thread).to_contain_text("%")  # a running task, seen while it runs
    expect(visitor.end).to_contain_text("@Rita")
    expect(visitor.button("unpair_approve")).to_have_count(0)
    expect(visitor.thread.locator(".message").first).to_contain_text("(edited)")
    visitor.sees_no_cut_text()
    assert len(stage.appliance.deletes) == 1
    visitor.page.get_by_role("button", name="Board").click()
    expect(visitor.state).to_have_text("succeeded")
    expect(visitor.deletes).to_have_text("DELETE sent: 1, accepted: 1")
    expect(visitor.page.locator("tr.unpair")).to_contain_text("?force=false202")
    visitor.sees_no_cut_text()


def test_two_windows_are_two_people(arrive: Arrive) -> None:
    rita, alan = arrive(), arrive()
    alan.becomes("Alan")
    typed = "<b>bold</b> & _slanted_ *Approvals:* 2 of 2 <!channel>"
    rita.types(f"/vr-unpair vcenter-prague {typed}")
    expect(alan.card.locator("pre")).to_have_text(typed)
    expect(alan.card.locator("pre *")).to_have_count(0)
    expect(alan.alone).to_have_count(0)
    expect(rita.alone).to_contain_text("Only visible to you")
    rita.approves()
    expect(rita.alone).to_contain_text("your own request")
    alan.approves()
    expect(rita.end).to_be_visible()


def test_the_home_tab_leads_to_the_card_without_leaving_the_machine(arrive: Arrive) -> None:
    visitor = arrive(size=PHONE)
    visitor.asks()
    visitor.becomes("Alan")
    home = visitor.page.get_by_role("button", name="Home")
    box = home.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= PHONE[0], "cut off"
    home.click()
    log = visitor.page.locator("#log")
    expect(log).to_contain_text("Waiting for you")
    expect(visitor.page.locator("#composer")).to_be_hidden()
    visitor.becomes("Rita")
    expect(log).to_contain_text("You asked")
    log.get_by_role("button", name=re.compile("^Open ")).click()
    expect(visitor.card.locator(".header")).to_be_in_viewport()
    expect(visitor.page.locator("#composer")).to_be_visible()
