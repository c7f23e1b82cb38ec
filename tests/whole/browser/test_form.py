"""The dialogs: the form of `/vr-unpair` alone, and a reason for a denial."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from sandbox.page.stage import Stage
from tests.whole.browser.conftest import Arrive
from tests.whole.browser.test_access import serious_findings
from tests.whole.browser.visitor import PHONE, Visitor


def field(visitor: Visitor, block: str) -> Locator:
    """The field of a block by its `block_id`, which the outside may rely on."""
    return visitor.dialog.locator(f"[data-block={block}]")


def chosen(menu: Locator) -> str:
    return str(menu.evaluate("menu => menu.selectedOptions[0].textContent"))


def test_one_of_a_few_pairings(arrive: Arrive) -> None:
    visitor = arrive(size=PHONE)
    visitor.types("/vr-unpair")
    menu = field(visitor, "pairing")
    expect(menu).to_be_visible()
    visitor.sees_no_cut_text()
    field(visitor, "reason").fill("by the form")
    visitor.dialog.locator("button.primary").click()
    expect(visitor.dialog).to_be_visible()  # nothing is chosen: the form stays
    expect(field(visitor, "reason")).to_have_value("by the form")
    menu.select_option(label=menu.locator("option", has_text="lisbon").text_content())
    field(visitor, "force").locator("label").nth(1).click()
    visitor.dialog.locator("button.primary").click()
    expect(visitor.dialog).to_have_count(0)
    expect(visitor.card).to_contain_text("by the form")
    expect(visitor.card).to_contain_text("One-sided break")


def test_more_than_a_menu_holds_is_searched(arrive: Arrive, stage: Stage) -> None:
    for number in range(120):
        stage.appliance.add_pairing("berlin", f"branch-{number:03}", replications=1)
    visitor = arrive(size=PHONE)
    visitor.types("/vr-unpair")
    box = field(visitor, "pairing").get_by_role("searchbox")
    box.fill("branch-077")
    menu = field(visitor, "pairing").locator("select")
    expect(menu.locator("option")).to_have_count(2)
    menu.select_option(index=1)
    assert "branch-077" in chosen(menu)
    # What was chosen stays while somebody searches on.
    box.fill("branch-1")
    expect(menu.locator("option", has_text="branch-110")).to_have_count(1)
    assert "branch-077" in chosen(menu)
    assert serious_findings(visitor) == []
    visitor.sees_no_cut_text()
    visitor.dialog.locator("button.primary").click()
    expect(visitor.card).to_contain_text("branch-077")
