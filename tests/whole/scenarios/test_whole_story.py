"""Everything in order: asked, approved, deleted, followed, proved."""

from __future__ import annotations

import json
import re

import pytest
import requests

from bot import __version__
from bot.sandbox.slack import Message, mentions
from tests.operate.running.scraped import Scrape
from tests.support.asked import PATIENCE_SECONDS
from tests.support.bot_on_stage import ALAN, ANNA, RITA, World
from tests.whole.scenarios.conftest import Stage


def block_texts(message: Message) -> list[str]:
    return [b["text"]["text"] for b in message.blocks if b["type"] == "section"]


@pytest.mark.both_ways
def test_approved_by_somebody_else_the_pairing_goes(stage: Stage) -> None:
    world = stage(DEPLOYMENT_LABEL="production")
    pairing = world.pairing(replications=7)
    asked = world.asks(f"{pairing} we move to the new site")
    card = asked.wait_for_card()

    assert [b["action_id"] for b in card.buttons()] == [
        "unpair_approve",
        "unpair_deny",
        "unpair_cancel",
    ]
    approve = card.button("unpair_approve")
    assert approve is not None
    assert approve["style"] == "danger"
    assert "7 replications" in approve["confirm"]["text"]["text"]
    assert mentions(card) == {RITA, ALAN, ANNA}
    for words in (
        "production",
        "7 replications",
        "we move to the new site",
        asked.id,
        pairing,
        "0 of 1",
        world.appliance.host,
    ):
        assert words in card.all_text
    assert world.appliance.deletes == []

    world.appliance.hold_tasks()
    click = asked.clicks(ALAN, "approve")
    asked.wait_for_progress_to_say("RUNNING")
    assert "1 of 1" in world.answer(click).text
    progress = asked.replies()
    assert len(progress) == 1
    world.appliance.release_tasks()
    asked.wait_for_quiet()

    assert [m.ts for m in world.slack.messages(asked.channel)] == [card.ts]
    edited, final = asked.replies()
    assert edited.ts == progress[0].ts
    assert edited.edits >= 1
    assert final.edits == 0

    assert mentions(final) == {RITA, ALAN}
    assert {RITA, ALAN} <= {u for u in (RITA, ALAN) if f"<@{u}>" in final.text}
    assert any(f"<@{RITA}>" in t and f"<@{ALAN}>" in t for t in block_texts(final))
    task = world.appliance.tasks[0]
    for words in ("The pairing is gone", "`SUCCESS`", f"`{task.id}`", asked.id):
        assert words in final.text or words in "\n".join(block_texts(final))
    assert f"`{task.id}`" in final.text

    record = asked.card
    assert record.buttons() == []
    assert "Done: the pairing is gone" in record.all_text
    assert f"Approved by <@{ALAN}>" in record.all_text

    (delete,) = world.appliance.deletes
    assert delete.query == {"force": "false"}
    assert delete.status == 202
    assert world.appliance.accepted_deletes == [delete]
    assert pairing not in world.appliance.pairings

    (row,) = world.console.requests()
    shown = world.console.show(asked.id)
    assert row.items() <= shown.items()
    assert row == row | {
        "id": asked.id,
        "state": "succeeded",
        "site": "default",
        "pairing_id": pairing,
        "force": False,
        "requester": RITA,
        "channel": asked.channel,
        "reason": "we move to the new site",
        "approvals": [ALAN],
    }
    assert row["created_at"] <= row["updated_at"]
    actions = [e["action"] for e in shown["events"]]
    order = ["asked", "checked", "card_posted", "approved_by", "approved", "intent", "accepted"]
    assert [a for a in actions if a in order] == order
    assert actions[-1] == "succeeded"
    by_whom = {e["action"]: e["actor"] for e in shown["events"]}
    assert (by_whom["asked"], by_whom["approved_by"]) == (RITA, ALAN)
    # One more than the request's own: the start, with the policy in force.
    assert world.console.verify().startswith(f"ok: {len(shown['events']) + 1} records")
    first = json.loads(world.console.run("audit", "export").stdout.splitlines()[0])
    assert (first["action"], first["detail"]["approvers"]) == ("started", [ALAN, ANNA])
    # What Slack keeps of the trail is in it.
    posted = re.search(r"record (\d+), head `([0-9a-f]+)`", asked.wait_for_final().text)
    assert posted is not None
    assert shown["events"][-1]["number"] == int(posted[1])
    assert shown["events"][-1]["hash"].startswith(posted[2])
    _seen_by_operators(world, asked.id, task.id)
    found = world.console.run("audit", "verify", "--head", posted[2])
    assert (found.returncode, f"is record {posted[1]}," in found.stdout) == (0, True)


def _seen_by_operators(world: World, request: str, task: str) -> None:
    """The same story in `/metrics` and in the log of the running bot."""
    world.wait_for_log("step", request=request, step="succeeded", state="succeeded", task=task)
    scrape = Scrape(requests.get(f"{world.bot.url}/metrics", timeout=PATIENCE_SECONDS).text)
    assert scrape("vr_unpair_build_info", version=__version__) == 1
    assert scrape("vr_unpair_ready") == 1
    assert scrape("vr_unpair_decisions_total", kind="approve") == 1
    assert scrape("vr_unpair_decision_to_end_seconds_count") == 1
    template = {"site": "default", "path": "/pairings/{pairing_id}"}
    calls = "vr_unpair_appliance_calls_total"
    assert scrape(calls, method="DELETE", status="202", **template) == 1
    assert scrape("vr_unpair_appliance_logins_total", site="default", result="worked") == 1
    assert (scrape("vr_unpair_slack_calls_total", method="chat.update", result="ok") or 0) >= 2
    assert scrape("vr_unpair_messages_waiting", message="final") == 0
    ids = (request, task, RITA, ALAN)
    assert not any(value in ids for _, labels in scrape.samples for _, value in labels)


def test_a_one_sided_break_says_so_and_is_sent_as_one(world: World) -> None:
    pairing = world.pairing(local="lyon", remote="lost")
    world.appliance.set_remote_down(pairing)
    asked = world.asks(f"{pairing} --force the other site burnt down")
    card = asked.wait_for_card()
    assert "One-sided break" in card.text
    assert "One-sided break" in "\n".join(block_texts(card))
    assert "could not be reached" in card.all_text
    approve = card.button("unpair_approve")
    assert approve is not None
    assert "keeps its half" in approve["confirm"]["text"]["text"]

    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()

    assert "One-sided break" in final.all_text
    assert "vcenter-lost.example.net" in final.text
    (delete,) = world.appliance.deletes
    assert delete.query == {"force": "true"}
    assert pairing not in world.appliance.pairings
    (row,) = world.console.requests()
    assert (row["state"], row["force"], row["reason"]) == (
        "succeeded",
        True,
        "the other site burnt down",
    )


def test_without_force_the_wire_says_false_even_when_the_reason_begins_with_a_dash(
    world: World,
) -> None:
    """The flag is read where it is meant and nowhere else."""
    pairing = world.pairing()
    asked = world.asks_to_break(pairing, "- as agreed, by force of the contract")
    asked.clicks(ALAN, "approve")
    asked.wait_for_final()
    assert [d.query for d in world.appliance.deletes] == [{"force": "false"}]


def test_two_approvals_are_two_people(stage: Stage) -> None:
    world = stage(APPROVALS_REQUIRED="2")
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)
    assert "0 of 2" in asked.card.all_text

    first = asked.clicks(ALAN, "approve")
    assert "1 of 2" in world.answer(first).text
    card = asked.wait_for_card_to_say("1 of 2")
    assert f"<@{ALAN}>" in card.all_text
    assert card.button("unpair_approve") is not None

    again = asked.clicks(ALAN, "approve")
    assert "already counted" in world.answer(again).text
    assert world.appliance.deletes == []
    assert "1 of 2" in asked.card.all_text

    second = asked.clicks(ANNA, "approve")
    assert "2 of 2" in world.answer(second).text
    final = asked.wait_for_final()
    assert mentions(final) == {RITA, ALAN, ANNA}
    assert len(world.appliance.deletes) == 1
    (row,) = world.console.requests()
    assert (row["state"], row["approvals"]) == ("succeeded", [ALAN, ANNA])


def test_a_dry_run_does_everything_but_the_delete(stage: Stage) -> None:
    world = stage(DRY_RUN="true")
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)
    assert "Dry run" in asked.card.text
    assert "Dry run: nothing will be deleted" in "\n".join(block_texts(asked.card))

    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()
    record = asked.wait_for_record()

    assert "Dry run" in final.text
    assert mentions(final) == {RITA, ALAN}
    assert "Dry run done: nothing was sent" in record.all_text
    assert world.appliance.deletes == []
    assert pairing in world.appliance.pairings
    (row,) = world.console.requests("--state", "rehearsed")
    assert (row["id"], row["dry_run"]) == (asked.id, True)


def test_the_log_at_its_loudest_holds_no_secret(stage: Stage) -> None:
    """What must not be in it is compared line by line when the stage is taken down; here is made
    sure that there was something to leak."""
    world = stage(LOG_LEVEL="debug")
    asked = world.asks_to_break(world.pairing())
    asked.denies(ANNA, "not today")
    asked.wait_for_final()
    again = world.asks_to_break(world.pairing())
    world.slack.fail("response_url", status=500)
    click = again.clicks(ALAN, "approve")
    again.wait_for_final()
    world.slack.wait_for(lambda: world.answers(click), PATIENCE_SECONDS)

    assert click.response_url
    assert click.trigger_id in world.secrets()
    assert any(path in click.response_url for path in world.secrets())
    assert any(again.id in line for line in world.log_lines)
    assert any("500" in line and "answer:" in line for line in world.log_lines)
