"""Who may ask and who may decide, through the real bot and a local Slack with groups and guests."""

from __future__ import annotations

import time

from sandbox.slack import mentions
from tests.support.stage import ALAN, ANNA, RITA, RUFUS, STAN
from tests.whole.scenarios.conftest import NewStage

OPS, NIGHT = "S0OPS", "S0NIGHT"


def test_groups_are_read_at_each_click(new_stage: NewStage) -> None:
    stage = new_stage(APPROVERS=f"{OPS},{NIGHT}", APPROVALS_REQUIRED="2")
    stage.slack.add_group("ops", [ALAN, ANNA, RITA], id=OPS)
    stage.slack.add_group("night", [ALAN], id=NIGHT)
    asked = stage.asks_to_break(stage.pairing())
    assert {OPS, NIGHT} <= mentions(asked.card), "who is called is a group, mentioned as one"

    stage.says(asked, ALAN, "approve", "1 of 2")
    asked.wait_for_card_to_say(f"1 of 2, by <@{ALAN}>. ")

    # One is put out of both groups, and another one into one of them.
    stage.slack.set_group(OPS, [ANNA, RUFUS])
    stage.slack.set_group(NIGHT, [])
    stage.says(asked, ANNA, "approve", "1 of 2")
    assert f"1 of 2, by <@{ANNA}>. " in asked.wait_for_card_to_say(f", by <@{ANNA}>").all_text
    stage.says(asked, RUFUS, "approve", f"<@{ANNA}>, <@{RUFUS}>")
    assert mentions(asked.wait_for_final()) == {RITA, ANNA, RUFUS}
    assert len(stage.appliance.deletes) == 1
    (lost,) = stage.trail("rights_lost")
    assert lost["detail"]["people"] == {ALAN: "not_listed"}


def test_a_group_that_cannot_be_read_is_closed_said_and_well_again_by_itself(
    new_stage: NewStage,
) -> None:
    stage = new_stage(APPROVERS=f"{OPS},{ANNA}", APPROVALS_REQUIRED="2")
    stage.expected_from_slack |= {"internal_error", "missing_scope", "no_such_subteam"}
    stage.slack.add_group("ops", [ALAN, STAN], id=OPS)
    asked = stage.asks_to_break(stage.pairing())
    stage.slack.fail("usergroups.users.list", error="internal_error", times=None)
    stage.answer(asked.denies(ALAN, "who am I?"))
    stage.slack.heal()
    stage.slack.workspace.scopes = stage.slack.workspace.scopes - {"usergroups:read"}
    stage.answer(asked.clicks(ALAN, "approve"))
    # Whoever is listed by id needs no group.
    stage.says(asked, ANNA, "approve", "1 of 2")
    stage.slack.workspace.scopes = stage.slack.workspace.scopes | {"usergroups:read"}
    stage.slack.set_group(OPS, [ALAN], disabled=True)
    stage.answer(asked.clicks(ALAN, "approve"))
    assert stage.appliance.deletes == []

    stage.slack.set_group(OPS, [ALAN])
    stage.says(asked, ALAN, "approve", f"<@{ANNA}>, <@{ALAN}>")
    asked.wait_for_final()
    assert len(stage.appliance.deletes) == 1
    refused = [r["detail"]["why"] for r in stage.trail("click_refused")]
    assert refused == ["group_unreadable"] * 2 + ["not_listed"]


def test_who_does_not_count_although_listed(new_stage: NewStage) -> None:
    foreign, sister = "U0FOREIGN", "W0SISTER"
    listed = ["U0GUEST", "U0ULTRA", "U0ROBOT", "U0CLOSED", foreign, sister, ALAN, RITA]
    stage = new_stage(APPROVERS=",".join([OPS, *listed]), APPROVALS_REQUIRED="2")
    slack = stage.slack
    slack.workspace.enterprise_id = "E0OURS"
    slack.add_person("Guest", id="U0GUEST", guest=True)
    slack.add_person("Ultra", id="U0ULTRA", ultra_guest=True)
    slack.add_person("Robot", id="U0ROBOT", bot=True)
    slack.add_person("Closed", id="U0CLOSED", deleted=True)
    slack.add_person("Foreign", id=foreign, team_id="T0ELSE", enterprise_id="E0ELSE")
    slack.add_person("Sister", id=sister, team_id="T0SISTER", enterprise_id="E0OURS")
    slack.add_group("ops", [p for p in listed if p != sister], id=OPS)
    asked = stage.asks_to_break(stage.pairing())
    for user in ("U0GUEST", "U0ULTRA", "U0ROBOT", "U0CLOSED", foreign, RITA):
        stage.answer(asked.clicks(user, "approve"))
    # Slack's word on the click alone makes nobody ours, whatever it says.
    place, value = (asked.channel, asked.card_ts), asked.values["unpair_approve"]
    named = {"id": foreign, "team_id": slack.team_id}
    lied = slack.click(foreign, place, "unpair_approve", value=value, force=True, user=named)
    stage.answer(lied)
    away = "other_workspace"
    why = [r["detail"]["why"] for r in stage.trail("click_refused", count=6)]
    assert why == ["guest", "guest", "bot", "deactivated", away, "own_request_approve"]

    stage.says(asked, sister, "approve", "1 of 2")
    # As with an installation for the whole organisation: no team at all.
    nobodys = {"user": {"id": ALAN}, "team": None, "enterprise": None}
    org = slack.click(ALAN, place, "unpair_approve", value=value, force=True, **nobodys)
    assert f"<@{sister}>, <@{ALAN}>" in stage.answer(org).text
    assert mentions(asked.wait_for_final()) == {RITA, sister, ALAN}
    assert len(stage.appliance.deletes) == 1


def test_who_may_ask_where_and_why(new_stage: NewStage) -> None:
    pattern = r"CHG\d{7}|(x+x+)+y"
    stage = new_stage(
        REQUESTERS=f"{OPS},{RUFUS}",
        CHANNELS="C0HERE",
        REQUIRE_REASON="true",
        REASON_PATTERN=pattern,
    )
    slack, here = stage.slack, "C0HERE"
    # The check at the start may ask for the channel before it is made here.
    stage.expected_from_slack.add("channel_not_found")
    slack.add_channel("here", id=here)
    slack.add_group("ops", [RITA], id=OPS)
    slack.add_person("Guest", id="U0GUEST", guest=True)
    pairing = stage.pairing()

    def at_once(text: str, channel: str = here) -> None:
        (answer,) = stage.answers(stage.asks(text, channel=channel).delivery)
        assert answer.via == "ack"

    at_once(f"{pairing} CHG0031337", slack.workspace.direct_channel(RITA).id)
    at_once(pairing)
    began = time.monotonic()
    at_once(f"{pairing} {'x' * 2900}")
    assert time.monotonic() - began < 30, "a reason chosen against the pattern holds nobody up"
    assert stage.states() == {}
    kept = stage.trail("ask_refused", count=3)
    whys = {"direct_message", "reason_missing", "reason_pattern"}
    assert {r["detail"]["why"] for r in kept} == whys
    assert {(r["actor"], r["request_id"]) for r in kept} == {(RITA, None)}

    elsewhere = stage.channel()
    for user, channel in ((STAN, here), ("U0GUEST", here), (RITA, elsewhere)):
        told = stage.asks(f"{pairing} CHG0031337", by=user, channel=channel)
        stage.answer(told.delivery)
    assert stage.states() == {"refused": 3}
    lines = [r["detail"]["lines"] for r in stage.trail("refused")]
    assert lines == [["not_listed"], ["guest"], ["C0HERE"]]
    assert slack.messages(here) == slack.messages(elsewhere) == []
    stage.asks(f"{pairing} as agreed in CHG0031337", channel=here).wait_for_card()


def test_who_is_called_is_another_list_than_who_may(new_stage: NewStage) -> None:
    stage = new_stage(APPROVERS=f"{ALAN},{ANNA}", NOTIFY=f"{NIGHT},{STAN}", REMIND_AFTER="1s")
    stage.slack.add_group("night", [STAN], id=NIGHT)
    asked = stage.asks_to_break(stage.pairing())
    assert mentions(asked.card) == {RITA, NIGHT, STAN}
    stage.answer(asked.clicks(STAN, "approve"))
    reminder = stage.slack.wait_for_message(
        asked.channel, lambda m: mentions(m) == {NIGHT, STAN}, thread_ts=asked.card_ts
    )
    assert reminder.ts > asked.card_ts
    assert stage.slack.calls_of("usergroups.users.list") == []
    asked.denies(ANNA, "not tonight")
    assert mentions(asked.wait_for_final()) == {RITA, ANNA}


def test_each_pool_must_have_its_number_and_its_card_says_what_is_missing(
    new_stage: NewStage,
) -> None:
    stage = new_stage(
        APPROVERS="",
        APPROVERS__STORAGE=f"{ALAN},{ANNA},{STAN}",
        APPROVERS__SECURITY=f"{NIGHT},{ANNA}",
        SAME_PERSON=f"{RITA}+{STAN}",
    )
    stage.slack.add_group("night", [RUFUS], id=NIGHT)
    asked = stage.asks_to_break(stage.pairing())
    stage.says(asked, ANNA, "approve", "1 of 1")
    card = asked.wait_for_card_to_say(f"1 of 1, by <@{ANNA}>")
    assert f"`security`: 1 of 1, by <@{ANNA}>" in card.all_text
    assert "`storage`: 0 of 1" in card.all_text
    stage.answer(asked.clicks(STAN, "approve"))  # another account of who asked
    assert [r["detail"]["why"] for r in stage.trail("click_refused")] == ["own_request"]
    # Anna moves to the other pool, since Rufus is of no other.
    stage.says(asked, RUFUS, "approve", f"<@{ANNA}>")
    assert mentions(asked.wait_for_final()) == {RITA, ANNA, RUFUS}
    (approved,) = stage.trail("approved")
    assert approved["detail"]["pools"] == {RUFUS: "security", ANNA: "storage"}
    assert len(stage.appliance.deletes) == 1
