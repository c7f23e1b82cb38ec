"""What moves by itself: a new card comes into view, what has ended folds, a restart is no error."""

from __future__ import annotations

from playwright.sync_api import expect

from bot.sandbox.page.stage import Stage
from tests.whole.browser.conftest import Arrive
from tests.whole.browser.visitor import PHONE


def test_a_new_card_is_shown_from_its_top(arrive: Arrive) -> None:
    visitor = arrive(size=PHONE)
    for site in ("prague", "helsinki"):
        visitor.types(f"/vr-unpair vcenter-{site} moving")
        expect(visitor.card).to_contain_text(site)
    visitor.page.evaluate("document.getElementById('log').scrollTop = 0")
    visitor.types("/vr-unpair vcenter-lisbon --force the site burnt down")
    expect(visitor.card).to_contain_text("lisbon")
    expect(visitor.card.locator("h3")).to_be_in_viewport()
    top = "node => node.getBoundingClientRect().top"
    log = visitor.page.locator("#log")
    assert abs(visitor.card.evaluate(top) - log.evaluate(top)) < 20


def test_what_has_ended_folds_and_says_its_deletes(arrive: Arrive, stage: Stage) -> None:
    visitor = arrive()
    visitor.types("/vr-unpair vcenter-prague moving")
    request = visitor.page.locator("#requests details").first
    expect(request).to_have_attribute("open", "")
    expect(request.locator("summary")).to_contain_text("DELETE sent: 0, accepted: 0")
    visitor.becomes("Alan")
    visitor.approves()
    expect(visitor.state).to_have_text("succeeded")
    expect(request).not_to_have_attribute("open", "")
    expect(request.locator("summary")).to_contain_text("DELETE sent: 1, accepted: 1")
    request.locator("summary").click()
    visitor.types("/vr-unpair list")
    expect(visitor.alone).to_contain_text("helsinki")
    expect(request).to_have_attribute("open", "")


def test_a_restart_is_no_error_and_its_reason_is_listed(arrive: Arrive, stage: Stage) -> None:
    visitor = arrive()
    note, settings = visitor.page.locator("#note"), visitor.page.locator("#settings")
    expect(settings).to_contain_text("VR_CALLS_PER_MINUTE=1000 (default 40)")
    expect(settings).not_to_contain_text("DRY_RUN")
    before = stage.bot.pid
    visitor.turns("DRY_RUN", "on: no DELETE is sent")
    expect(note).to_contain_text("The bot was restarted")
    expect(note).not_to_have_class("wrong")
    expect(settings).to_contain_text("DRY_RUN=true (default false)")
    assert stage.bot.pid != before
    visitor.page.get_by_role("button", name="Kill (kill -9)").click()
    expect(note).to_contain_text("was killed")
    expect(note).not_to_have_class("wrong")
    visitor.types("/vr-unpair help")
    expect(note).to_have_class("wrong")
