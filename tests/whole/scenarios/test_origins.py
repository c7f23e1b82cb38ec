"""Clicks that are not what they say they are."""

from __future__ import annotations

import requests

from tests.operate.running.scraped import Scrape
from tests.support.clock import PATIENCE_SECONDS
from tests.support.stage import ALAN, ANNA, STAN
from tests.whole.scenarios.conftest import NewStage


def test_what_was_tampered_with_copied_or_replayed_changes_nothing(new_stage: NewStage) -> None:
    stage = new_stage(APPROVALS_REQUIRED="2")
    slack = stage.slack
    asked = stage.asks_to_break(stage.pairing())
    good, place = asked.values["unpair_approve"], (asked.channel, asked.card_ts)

    def presses(where: tuple[str, str], value: str) -> None:
        delivery = slack.click(ALAN, where, "unpair_approve", value=value, force=True)
        assert delivery.ok
        stage.answer(delivery)

    presses(place, f"{asked.id}:{'0' * 16}")
    presses(place, f"ZZZZ-ZZZZ:{good.partition(':')[2]}")
    presses(place, "; DROP TABLE requests")
    # A copy of the card in another channel, a copy beside it, and a person's own message.
    blocks, elsewhere = asked.card.blocks, stage.channel()
    with slack.workspace.changing():
        far, near = (
            slack.workspace.add_message(to, "copy", blocks, user=slack.bot_user_id, thread_ts=None)
            for to in (elsewhere, asked.channel)
        )
    mine = slack.post_as(STAN, asked.channel, "press this")
    for where in ((elsewhere, far.ts), (asked.channel, near.ts), (asked.channel, mine)):
        presses(where, good)
    slack.wait_for_message(asked.channel, lambda m: m.ts == near.ts and m.edits > 0)
    untouched = slack.message(elsewhere, far.ts)
    assert untouched is not None
    assert untouched.text == "copy"
    refused = stage.trail("click_refused", count=6)
    assert sorted(r["detail"]["why"] for r in refused) == [
        "not_the_card",
        "not_the_card",
        "not_the_card",
        "other_fingerprint",
        "unknown_request",
        "unreadable_button",
    ]
    assert {r["actor"] for r in refused} == {ALAN}
    assert "0 of 2" in asked.card.all_text

    # The same request once more, a forged one, and one from ten minutes ago.
    first = asked.clicks(ALAN, "approve")
    assert "1 of 2" in stage.answer(first).text
    assert slack.redeliver(first).ok
    theirs = first.sent.replace(ALAN.encode(), ANNA.encode())
    assert theirs != first.sent
    for how in ({"spoil_signature": True}, {"shift_seconds": -600}, {"sign": False}):
        assert slack.deliver_raw(theirs, **how).status == 401
    assert len(stage.answers(first)) == 1
    asked.wait_for_card_to_say(f"1 of 2, by <@{ALAN}>")
    scrape = Scrape(requests.get(f"{stage.bot.url}/metrics", timeout=PATIENCE_SECONDS).text)
    for why in ("replayed", "forged", "old", "unsigned"):
        assert scrape("vr_unpair_slack_requests_rejected_total", why=why) == 1
    assert stage.appliance.deletes == []
    stage.console.verify()
