"""Everybody can use it: with the keyboard alone, and by what axe finds."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.whole.browser.conftest import Arrive
from tests.whole.browser.visitor import DESKTOP, PHONE, Visitor

SERIOUS = ("serious", "critical")


def serious_findings(visitor: Visitor) -> list[str]:
    """axe-core comes with its package: nothing is fetched."""
    found = Axe().run(visitor.page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {[node['target'] for node in one['nodes']]}"
        for one in found
        if one["impact"] in SERIOUS
    ]


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        pytest.param(DESKTOP, "light", id="desktop-light"),
        pytest.param(PHONE, "dark", id="phone-dark"),
    ],
)
def test_axe_finds_nothing_serious(
    arrive: Arrive, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> None:
    visitor = arrive(size=size, scheme=scheme)
    visitor.asks()
    visitor.sees_no_cut_text()
    assert serious_findings(visitor) == []
    visitor.becomes("Alan")
    visitor.presses("unpair_deny")
    expect(visitor.dialog).to_be_visible()
    assert serious_findings(visitor) == []
    visitor.page.keyboard.press("Escape")
    expect(visitor.dialog).to_have_count(0)
    visitor.presses("unpair_approve")
    assert serious_findings(visitor) == []
    visitor.dialog.get_by_role("button", name="Approve").click()
    expect(visitor.end).to_be_visible()
    visitor.sees_no_cut_text()
    assert serious_findings(visitor) == []
    if size == PHONE:
        for tab in ("Switches", "Board"):
            visitor.page.get_by_role("button", name=tab, exact=True).click()
            assert serious_findings(visitor) == []


def test_the_scan_can_find_something(visitor: Visitor) -> None:
    visitor.page.evaluate("document.querySelector('#composer label').remove()")
    assert serious_findings(visitor) != []


def test_the_whole_story_with_the_keyboard(visitor: Visitor) -> None:
    keys = visitor.page.keyboard

    def tab_to(selector: str) -> None:
        for _ in range(60):
            keys.press("Tab")
            focused = visitor.page.locator(f"{selector}:focus")
            if focused.count():
                ring = focused.evaluate("node => getComputedStyle(node).outlineStyle")
                assert ring != "none" or "people" in selector
                return
        raise AssertionError(f"the Tab key does not come to {selector}")

    tab_to("#text")
    keys.press("Enter")
    expect(visitor.card).to_contain_text("Approvals:")
    tab_to("#people input")
    keys.press("ArrowRight")
    expect(
        visitor.page.locator("#people label", has=visitor.page.locator(":checked"))
    ).to_contain_text("Alan")
    tab_to("[data-action=unpair_approve]")
    keys.press("Enter")
    expect(visitor.dialog).to_be_visible()
    # The harmless answer has the focus: a second Enter by mistake breaks nothing.
    expect(visitor.dialog.get_by_role("button", name="Not now")).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    expect(visitor.end).to_be_visible()
