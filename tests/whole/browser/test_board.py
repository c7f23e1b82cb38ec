"""Beside the channel: what moves by itself, and the switches."""

from __future__ import annotations

from playwright.sync_api import expect

from sandbox.page.stage import Stage
from tests.support.clock import wait_for
from tests.whole.browser.conftest import Arrive
from tests.whole.browser.visitor import Visitor


def test_a_new_card_is_shown_from_its_top_and_the_counters_stay_in_view(arrive: Arrive) -> None:
    visitor = arrive(size=(1280, 500))
    for site in ("prague", "helsinki"):
        visitor.asks(site)
    visitor.page.evaluate("document.getElementById('log').scrollTop = 0")
    visitor.asks("lisbon --force")
    expect(visitor.card.locator("h3")).to_be_in_viewport()
    top = "node => node.getBoundingClientRect().top"
    log = visitor.page.locator("#log")
    assert abs(visitor.card.evaluate(top) - log.evaluate(top)) < 20
    expect(visitor.page.locator("#requests details")).to_have_count(3)
    expect(visitor.deletes).to_be_in_viewport()


def test_what_has_ended_folds_and_says_its_deletes(arrive: Arrive, stage: Stage) -> None:
    visitor = arrive()
    visitor.asks()
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


def test_killed_and_started_again(arrive: Arrive, stage: Stage) -> None:
    """And before that a restart for another setting, which is no error."""
    visitor = arrive()
    note, bot = visitor.page.locator("#note"), visitor.page.locator("#bot")
    settings, before = visitor.page.locator("#settings"), stage.bot.pid
    expect(settings).to_contain_text("VR_CALLS_PER_MINUTE=1000 (default 40)")
    visitor.turns("Time to decide", "20 seconds, then it expires")
    expect(note).to_contain_text("The bot was restarted")
    expect(note).not_to_have_class("wrong")
    expect(settings).to_contain_text("APPROVAL_TTL=20s (default 1h)")
    assert stage.bot.pid != before
    visitor.turns("Time to decide", "1 hour")
    expect(settings).not_to_contain_text("APPROVAL_TTL")

    visitor.asks()
    wait_for(lambda: stage.bot.events("sent"))  # what it has in hand waits for its lease
    visitor.page.get_by_role("button", name="Kill (kill -9)").click()
    expect(bot).to_contain_text("does not run")
    expect(note).not_to_have_class("wrong")
    visitor.types("/vr-unpair help")
    expect(note).to_contain_text("dispatch_failed")
    expect(note).to_have_class("wrong")
    visitor.page.get_by_role("button", name="Start again").click()
    expect(bot).to_contain_text("runs")
    expect(note).not_to_contain_text("dispatch_failed")
    visitor.becomes("Alan")
    visitor.approves()
    expect(visitor.end).to_be_visible()
    expect(visitor.deletes).to_have_text("DELETE sent: 1, accepted: 1")


def test_the_appliance_refuses_and_the_pairing_changes(visitor: Visitor, stage: Stage) -> None:
    visitor.turns("Next DELETE", "400 not valid")
    visitor.asks()
    visitor.becomes("Alan")
    visitor.approves()
    expect(visitor.state).to_have_text("failed")
    expect(visitor.end).to_contain_text("The pairing is in use by a recovery.")
    expect(visitor.page.get_by_label("Next DELETE")).to_have_value("202")

    visitor.becomes("Rita")
    visitor.asks()
    pairings = visitor.page.locator("#pairings")
    visitor.changes("+1 VM", "berlin → prague")
    expect(pairings).to_contain_text("13 replications")
    visitor.becomes("Alan")
    visitor.approves()
    expect(visitor.state).to_have_text("changed")
    assert len(stage.appliance.deletes) == 1
    visitor.changes("Break", "berlin → prague")
    expect(pairings).to_contain_text("gone")
    visitor.changes("Put it back", "berlin → prague")
    expect(pairings).to_contain_text("12 replications, 4 in recovery")
