"""Everything in order: asked, approved, deleted, followed, proved."""

from __future__ import annotations

import json
import re

import requests

from bot import __version__
from sandbox.slack import Message, mentions
from tests.operate.running.scraped import Scrape
from tests.support.clock import PATIENCE_SECONDS
from tests.support.stage import ALAN, ANNA, RITA, Stage
from tests.support.way_in import both_ways
from tests.whole.scenarios.conftest import NewStage


def block_texts(message: Message) -> list[str]:
    return [b["text"]["text"] for b in message.blocks if b["type"] == "section"]


@both_ways
def test_approved_by_somebody_else_the_pairing_goes(new_stage: NewStage) -> None:
    stage = new_stage(DEPLOYMENT_LABEL="production")
    pairing = stage.pairing(replications=7)
    asked = stage.asks(f"{pairing} we move to the new site")
    card = asked.wait_for_card()
    shown = [b["action_id"] for b in card.buttons()]
    assert shown == ["unpair_approve", "unpair_deny", "unpair_cancel"]
    approve = card.button("unpair_approve")
    assert approve is not None
    assert approve["style"] == "danger"
    assert "7 replications" in approve["confirm"]["text"]["text"]
    assert mentions(card) == {RITA, ALAN, ANNA}
    facts = ("production", "7 replications", "we move to the new site", asked.id, pairing)
    for words in (*facts, "0 of 1", stage.appliance.host):
        assert words in card.all_text
    assert stage.appliance.deletes == []

    stage.appliance.hold_tasks()
    click = asked.clicks(ALAN, "approve")
    asked.wait_for_progress_to_say("RUNNING")
    assert f"<@{ALAN}>" in stage.answer(click).text
    (progress,) = asked.replies()
    stage.appliance.release_tasks()
    asked.wait_for_quiet()

    assert [m.ts for m in stage.slack.messages(asked.channel)] == [card.ts]
    edited, final = asked.replies()
    assert edited.ts == progress.ts
    assert edited.edits >= 1
    assert final.edits == 0
    assert mentions(final) == {RITA, ALAN}
    assert f"<@{RITA}>" in final.text
    assert f"<@{ALAN}>" in final.text
    assert any(f"<@{RITA}>" in t and f"<@{ALAN}>" in t for t in block_texts(final))
    task = stage.appliance.tasks[0]
    for words in ("`SUCCESS`", f"`{task.id}`"):
        assert words in final.text
    assert asked.id in final.all_text
    assert asked.card.buttons() == []
    assert f"<@{ALAN}>" in asked.card.all_text

    (delete,) = stage.appliance.deletes
    assert (delete.query, delete.status) == ({"force": "false"}, 202)
    assert stage.appliance.accepted_deletes == [delete]
    assert pairing not in stage.appliance.pairings
    head = _stored(stage, asked.id, pairing, final.text)
    _seen_by_operators(stage, asked.id, task.id)
    # What Slack keeps of the trail is in it.
    assert stage.console.run("audit", "verify", "--head", head).returncode == 0


def _stored(stage: Stage, request: str, pairing: str, final: str) -> str:
    """At the command line; the head of the trail that the final reply shows."""
    (row,) = stage.console.requests()
    shown = stage.console.show(request)
    assert row.items() <= shown.items()
    assert row == row | {
        "id": request,
        "state": "succeeded",
        "site": "default",
        "pairing_id": pairing,
        "force": False,
        "requester": RITA,
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
    assert stage.console.verify().startswith(f"ok: {len(shown['events']) + 1} records")
    first = json.loads(stage.console.run("audit", "export").stdout.splitlines()[0])
    (pool,) = first["detail"]["pools"]
    assert (first["action"], pool["listed"]) == ("started", [ALAN, ANNA])
    posted = re.search(r"record (\d+), head `([0-9a-f]+)`", final)
    assert posted is not None
    assert shown["events"][-1]["number"] == int(posted[1])
    assert shown["events"][-1]["hash"].startswith(posted[2])
    return posted[2]


def _seen_by_operators(stage: Stage, request: str, task: str) -> None:
    """The same story in `/metrics` and in the log of the running bot."""
    stage.wait_for_log("step", request=request, step="succeeded", state="succeeded", task=task)
    scrape = Scrape(requests.get(f"{stage.bot.url}/metrics", timeout=PATIENCE_SECONDS).text)
    assert scrape("vr_unpair_build_info", version=__version__) == 1
    assert scrape("vr_unpair_ready") == 1
    assert scrape("vr_unpair_decisions_total", kind="approve") == 1
    template = {"site": "default", "path": "/pairings/{pairing_id}"}
    calls = "vr_unpair_appliance_calls_total"
    assert scrape(calls, method="DELETE", status="202", **template) == 1
    assert scrape("vr_unpair_appliance_logins_total", site="default", result="worked") == 1
    assert (scrape("vr_unpair_slack_calls_total", method="chat.update", result="ok") or 0) >= 2
    assert scrape("vr_unpair_messages_waiting", message="final") == 0
    ids = (request, task, RITA, ALAN)
    assert not any(value in ids for _, labels in scrape.samples for _, value in labels)


def test_a_one_sided_break_says_so_and_is_sent_as_one(stage: Stage) -> None:
    pairing = stage.pairing(local="lyon", remote="lost")
    stage.appliance.set_remote_down(pairing)
    asked = stage.asks(f"{pairing} --force the other site burnt down")
    card = asked.wait_for_card()
    assert "One-sided break" in card.text
    assert "One-sided break" in "\n".join(block_texts(card))
    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()
    assert "One-sided break" in final.all_text
    assert "vcenter-lost.example.net" in final.text
    (delete,) = stage.appliance.deletes
    assert delete.query == {"force": "true"}
    assert pairing not in stage.appliance.pairings
    (row,) = stage.console.requests()
    told = (row["state"], row["force"], row["reason"])
    assert told == ("succeeded", True, "the other site burnt down")


def test_the_log_at_its_loudest_holds_no_secret(new_stage: NewStage) -> None:
    """What must not be in it is compared line by line when the stage is taken down; here is made
    sure that there was something to leak."""
    stage = new_stage(LOG_LEVEL="debug")
    asked = stage.asks_to_break(stage.pairing())
    stage.slack.fail("response_url", status=500)
    click = asked.denies(ANNA, "not today")
    asked.wait_for_final()
    stage.slack.wait_for(lambda: stage.answers(click), PATIENCE_SECONDS)
    assert click.trigger_id in stage.secrets()
    assert any(path in click.response_url for path in stage.secrets())
    assert any(asked.id in line for line in stage.log_lines)
    assert any("500" in line and "answer:" in line for line in stage.log_lines)
