"""Clicks that are not what they say they are, and both sides of each race."""

from __future__ import annotations

import re
from typing import Any

import requests

from tests.support.bot_on_stage import ALAN, ANNA, RITA, STAN, World
from tests.support.http_stage import Stage, http_stage, says, trail

__all__ = ["http_stage"]


def test_what_was_tampered_with_copied_or_replayed_changes_nothing(http_stage: Stage) -> None:
    world = http_stage(APPROVALS_REQUIRED="2")
    slack = world.slack
    asked = world.asks_to_break(world.pairing())
    good, place = asked.values["unpair_approve"], (asked.channel, asked.card_ts)

    def pressed(where: tuple[str, str], value: str, user: str = ALAN, **changes: Any) -> str:
        delivery = slack.click(user, where, "unpair_approve", value=value, force=True, **changes)
        assert delivery.ok
        return world.answer(delivery).text

    assert "not up to date" in pressed(place, f"{asked.id}:{'0' * 16}")
    assert "not known" in pressed(place, f"ZZZZ-ZZZZ:{good.partition(':')[2]}")
    assert "not known" in pressed(place, "; DROP TABLE requests")
    # A copy of the card in another channel, a copy beside it, and a person's own message.
    blocks, elsewhere = asked.card.blocks, world.channel()
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
    refused = trail(world, "click_refused", count=6)
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
    assert "1 of 2" in world.answer(first).text
    assert slack.redeliver(first).ok
    theirs = first.sent.replace(ALAN.encode(), ANNA.encode())
    assert theirs != first.sent
    for how in ({"spoil_signature": True}, {"shift_seconds": -600}, {"sign": False}):
        assert slack.deliver_raw(theirs, **how).status == 401
    assert len(world.answers(first)) == 1
    asked.wait_for_card_to_say(f"1 of 2, by <@{ALAN}>")
    counts = rejected(world)
    assert counts == {"replayed": 1, "forged": 1, "old": 1, "unsigned": 1}
    assert world.appliance.deletes == []
    assert "ok:" in world.console.verify()


def rejected(world: World) -> dict[str, int]:
    page = requests.get(f"{world.bot.url}/metrics", timeout=20).text
    found = re.findall(
        r'^vr_unpair_slack_requests_rejected_total\{why="(\w+)"\} (\S+)$', page, re.MULTILINE
    )
    return {why: int(float(count)) for why, count in found if float(count)}


def test_both_sides_of_a_race_are_told_who_decided_when_and_what_it_means(
    http_stage: Stage,
) -> None:
    world = http_stage(APPROVAL_TTL="4s")
    denied, taken = world.asks_to_break(world.pairing()), world.asks_to_break(world.pairing())
    undecided = world.asks_to_break(world.pairing())
    denied.denies(ANNA, "not today")
    taken.clicks(RITA, "cancel")
    denied.wait_for_final()
    taken.wait_for_final()
    again = "Ask again if it is still wanted"
    says(world, denied, ALAN, "approve", f"Denied by <@{ANNA}>, <!date^", again)
    says(world, denied, RITA, "cancel", f"Denied by <@{ANNA}>, <!date^", again)
    says(world, taken, ALAN, "approve", f"Withdrawn by <@{RITA}>, <!date^", again)
    undecided.wait_for_final()
    says(world, undecided, ALAN, "approve", "ran out of time", "It ended <!date^", again)

    world.appliance.hold_tasks()
    sent = world.asks_to_break(world.pairing())
    both = [sent.clicks(ALAN, "approve"), sent.clicks(ANNA, "approve")]
    texts = [world.answer(click).text for click in both]
    winner = [ALAN, ANNA][["1 of 1" in t for t in texts].index(True)]
    (late,) = [t for t in texts if "1 of 1" not in t]
    assert f"Approved by <@{winner}>, <!date^" in late
    sent.wait_for_progress_to_say("RUNNING")
    says(world, sent, RITA, "cancel", f"Approved by <@{winner}>", "can no longer be stopped")
    world.appliance.release_tasks()
    sent.wait_for_quiet()
    assert len(world.appliance.deletes) == 1
