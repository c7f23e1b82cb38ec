"""Clicks that are not what they say they are, and both sides of each race."""

from __future__ import annotations

import re
from typing import Any

import requests

from tests.support.stage import ALAN, ANNA, STAN, Stage
from tests.whole.scenarios.conftest import NewStage


def test_what_was_tampered_with_copied_or_replayed_changes_nothing(new_stage: NewStage) -> None:
    stage = new_stage(APPROVALS_REQUIRED="2")
    slack = stage.slack
    asked = stage.asks_to_break(stage.pairing())
    good, place = asked.values["unpair_approve"], (asked.channel, asked.card_ts)

    def pressed(where: tuple[str, str], value: str, user: str = ALAN, **changes: Any) -> str:
        delivery = slack.click(user, where, "unpair_approve", value=value, force=True, **changes)
        assert delivery.ok
        return stage.answer(delivery).text

    assert "not up to date" in pressed(place, f"{asked.id}:{'0' * 16}")
    assert "not known" in pressed(place, f"ZZZZ-ZZZZ:{good.partition(':')[2]}")
    assert "not known" in pressed(place, "; DROP TABLE requests")
    # A copy of the card in another channel, a copy beside it, and a person's own message.
    blocks, elsewhere = asked.card.blocks, stage.channel()
    with slack.workspace.changing():
        far = slack.workspace.add_message(
            elsewhere, "copy", blocks, user=slack.bot_user_id, thread_ts=None
        )
        near = slack.workspace.add_message(
            asked.channel, "copy", blocks, user=slack.bot_user_id, thread_ts=None
        )
    mine = slack.post_as(STAN, asked.channel, "press this")
    assert "copy of the card is not in use" in pressed((elsewhere, far.ts), good)
    assert "copy of the card is not in use" in pressed((asked.channel, near.ts), good)
    assert "copy of the card is not in use" in pressed((asked.channel, mine), good)
    slack.wait_for_message(
        asked.channel, lambda m: m.ts == near.ts and "another message" in m.all_text
    )
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
    counts = rejected(stage)
    assert counts == {"replayed": 1, "forged": 1, "old": 1, "unsigned": 1}
    assert stage.appliance.deletes == []
    assert "ok:" in stage.console.verify()


def rejected(stage: Stage) -> dict[str, int]:
    page = requests.get(f"{stage.bot.url}/metrics", timeout=20).text
    found = re.findall(
        r'^vr_unpair_slack_requests_rejected_total\{why="(\w+)"\} (\S+)$', page, re.MULTILINE
    )
    return {why: int(float(count)) for why, count in found if float(count)}
