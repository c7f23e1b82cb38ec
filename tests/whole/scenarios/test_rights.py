"""Who may ask and who may decide, through the real bot and a local Slack with groups and guests."""

from __future__ import annotations

import re
import time

from bot.sandbox.slack import mentions
from tests.support.bot_on_stage import ALAN, ANNA, RITA, RUFUS, STAN
from tests.support.http_stage import Stage, http_stage, says, trail

__all__ = ["http_stage"]

OPS, NIGHT = "S0OPS", "S0NIGHT"


def test_groups_are_read_at_each_click(http_stage: Stage) -> None:
    world = http_stage(APPROVERS=f"{OPS},{NIGHT}", APPROVALS_REQUIRED="2")
    world.slack.add_group("ops", [ALAN, ANNA, RITA], id=OPS)
    world.slack.add_group("night", [ALAN], id=NIGHT)
    asked = world.asks_to_break(world.pairing())
    assert {OPS, NIGHT} <= mentions(asked.card), "who is called is a group, mentioned as one"

    says(world, asked, ALAN, "approve", "1 of 2")
    says(world, asked, ALAN, "approve", "already counted", "1 of 2")
    says(world, asked, STAN, "approve", "not an approver")
    says(world, asked, RITA, "approve", "your own request")
    asked.wait_for_card_to_say(f"1 of 2, by <@{ALAN}>. ")

    # One is put out of both groups, and another one into one of them.
    world.slack.set_group(OPS, [ANNA, RUFUS])
    world.slack.set_group(NIGHT, [])
    says(world, asked, ANNA, "approve", "1 of 2")
    assert f"1 of 2, by <@{ANNA}>. " in asked.wait_for_card_to_say(f", by <@{ANNA}>").all_text
    says(world, asked, ALAN, "approve", "not an approver")
    assert world.appliance.deletes == []
    says(world, asked, RUFUS, "approve", "2 of 2")
    assert mentions(asked.wait_for_final()) == {RITA, ANNA, RUFUS}
    assert len(world.appliance.deletes) == 1
    (lost,) = trail(world, "rights_lost")
    assert lost["detail"]["people"] == {ALAN: "not_listed"}


def test_a_group_that_cannot_be_read_is_closed_said_and_well_again_by_itself(
    http_stage: Stage,
) -> None:
    world = http_stage(APPROVERS=f"{OPS},{ANNA}", APPROVALS_REQUIRED="2")
    world.expected_from_slack |= {"internal_error", "missing_scope", "no_such_subteam"}
    world.slack.add_group("ops", [ALAN, STAN], id=OPS)
    asked = world.asks_to_break(world.pairing())
    closed = ("user groups", "not counted", "listed by name")

    limited = world.slack.fail("usergroups.users.list", retry_after=2)
    refused_at = time.time()
    told = says(world, asked, ALAN, "approve", *closed, "Press again after <!date^")
    again = int(re.findall(r"<!date\^(\d+)\^", told)[0])
    assert refused_at + 1 <= again <= time.time() + 3
    assert limited.used == 1
    # Until then Slack wants silence of this method, and every press would be told the same.
    time.sleep(max(0.0, again + 1 - time.time()))
    world.slack.fail("usergroups.users.list", error="internal_error", times=None)
    no = world.answer(asked.denies(ALAN, "who am I?")).text
    assert "Press again in a minute" in no
    assert "user groups" in no
    world.slack.heal()
    world.slack.workspace.scopes = world.slack.workspace.scopes - {"usergroups:read"}
    says(world, asked, ALAN, "approve", *closed)
    # Whoever is listed by id needs no group.
    says(world, asked, ANNA, "approve", "1 of 2")
    world.slack.workspace.scopes = world.slack.workspace.scopes | {"usergroups:read"}
    world.slack.set_group(OPS, [ALAN], disabled=True)
    says(world, asked, ALAN, "approve", "not an approver")
    assert world.appliance.deletes == []

    world.slack.set_group(OPS, [ALAN])
    says(world, asked, ALAN, "approve", "2 of 2")
    asked.wait_for_final()
    assert len(world.appliance.deletes) == 1
    refused = [r["detail"]["why"] for r in trail(world, "click_refused")]
    assert refused == ["group_unreadable"] * 3 + ["not_listed"]


def test_rights_that_fail_between_the_click_and_the_delete(http_stage: Stage) -> None:
    world = http_stage(APPROVERS=OPS, VR_POLL_SECONDS="0.5")
    world.slack.add_group("ops", [ALAN], id=OPS)
    world.expected_from_slack.add("internal_error")
    asked = world.asks_to_break(world.pairing())
    calls = len(world.slack.calls_of("usergroups.users.list"))
    seen = iter(range(100))
    # The reading of the click works, those before the intent do not.
    world.slack.fail(
        "usergroups.users.list", error="internal_error", times=None, match=lambda _: next(seen) > 0
    )
    says(world, asked, ALAN, "approve", "1 of 1")
    world.slack.wait_for(lambda: len(world.slack.calls_of("usergroups.users.list")) > calls + 3, 20)
    assert world.appliance.deletes == []
    assert world.states() == {"approved": 1}
    world.slack.heal()
    asked.wait_for_final()
    assert len(world.appliance.deletes) == 1


def test_who_does_not_count_although_listed(http_stage: Stage) -> None:
    foreign, sister = "U0FOREIGN", "W0SISTER"
    listed = ["U0GUEST", "U0ULTRA", "U0ROBOT", "U0CLOSED", foreign, sister, ALAN, RITA]
    world = http_stage(APPROVERS=",".join([OPS, *listed]), APPROVALS_REQUIRED="2")
    slack = world.slack
    slack.workspace.enterprise_id = "E0OURS"
    slack.add_person("Guest", id="U0GUEST", guest=True)
    slack.add_person("Ultra", id="U0ULTRA", ultra_guest=True)
    slack.add_person("Robot", id="U0ROBOT", bot=True)
    slack.add_person("Closed", id="U0CLOSED", deleted=True)
    slack.add_person("Foreign", id=foreign, team_id="T0ELSE", enterprise_id="E0ELSE")
    slack.add_person("Sister", id=sister, team_id="T0SISTER", enterprise_id="E0OURS")
    slack.add_group("ops", [p for p in listed if p != sister], id=OPS)
    asked = world.asks_to_break(world.pairing())
    for user, word in (
        ("U0GUEST", "Guests"),
        ("U0ULTRA", "Guests"),
        ("U0ROBOT", "Bots"),
        ("U0CLOSED", "deactivated"),
        (foreign, "another workspace"),
        (RITA, "your own request"),
    ):
        says(world, asked, user, "approve", word)
    # Slack's word on the click alone makes nobody ours, whatever it says.
    place, value = (asked.channel, asked.card_ts), asked.values["unpair_approve"]
    named = {"id": foreign, "team_id": slack.team_id}
    lied = slack.click(foreign, place, "unpair_approve", value=value, force=True, user=named)
    assert "another workspace" in world.answer(lied).text
    assert "0 of 2" in asked.card.all_text

    says(world, asked, sister, "approve", "1 of 2")
    # As with an installation for the whole organisation: no team at all.
    bare = {"id": ALAN}
    org = slack.click(
        ALAN,
        place,
        "unpair_approve",
        value=value,
        force=True,
        user=bare,
        team=None,
        enterprise=None,
    )
    assert "2 of 2" in world.answer(org).text
    assert mentions(asked.wait_for_final()) == {RITA, sister, ALAN}
    assert len(world.appliance.deletes) == 1


def test_too_few_who_could_approve_are_refused_at_once(http_stage: Stage) -> None:
    world = http_stage(APPROVERS=OPS, FORCE_APPROVALS_REQUIRED="2")
    world.slack.add_person("Guest", id="U0GUEST", guest=True)
    world.slack.add_group("ops", [RITA, ALAN, "U0GUEST"], id=OPS)
    pairing = world.pairing()
    forced = world.asks(f"{pairing} --force the site burnt down")
    told = world.answer(forced.delivery).text
    for words in ("too few", "Needed besides you: `2`", "There are: `1`", "`APPROVERS`"):
        assert words in told
    assert world.slack.messages(forced.channel) == []
    assert trail(world, "checked") == [], "settled before the appliance is asked"
    (refused,) = trail(world, "refused")
    assert refused["detail"]["why"] == "too_few_approvers"
    # An ordinary break needs one, and as soon as the group is larger the forced one is taken.
    world.asks_to_break(pairing)
    world.slack.set_group(OPS, [RITA, ALAN, ANNA])
    world.asks(f"{world.pairing()} --force the site burnt down").wait_for_card()


def test_who_may_ask_where_and_why(http_stage: Stage) -> None:
    pattern = r"CHG\d{7}|(x+x+)+y"
    world = http_stage(
        REQUESTERS=f"{OPS},{RUFUS}",
        CHANNELS="C0HERE",
        REQUIRE_REASON="true",
        REASON_PATTERN=pattern,
    )
    slack, here = world.slack, "C0HERE"
    # The check at the start may ask for the channel before it is made here.
    world.expected_from_slack.add("channel_not_found")
    slack.add_channel("here", id=here)
    slack.add_group("ops", [RITA], id=OPS)
    slack.add_person("Guest", id="U0GUEST", guest=True)
    pairing = world.pairing()

    def at_once(text: str, *words: str, channel: str = here) -> None:
        told = world.asks(text, channel=channel)
        (answer,) = world.answers(told.delivery)
        assert answer.via == "ack"
        for each in words:
            assert each in answer.text, answer.text

    at_once(f"{pairing} CHG0031337", "channel", channel=slack.workspace.direct_channel(RITA).id)
    at_once(pairing, "needs a reason", "CHG")
    at_once(f"{pairing} CHG123 it must go", "must contain", r"CHG\d{7}")
    began = time.monotonic()
    at_once(f"{pairing} {'x' * 2900}", "must contain")
    assert time.monotonic() - began < 3, "a reason chosen against the pattern holds nobody up"
    assert world.states() == {}
    kept = trail(world, "ask_refused", count=3)
    whys = {"direct_message", "reason_missing", "reason_pattern"}
    assert {r["detail"]["why"] for r in kept} == whys
    assert {(r["actor"], r["request_id"]) for r in kept} == {(RITA, None)}

    for user, word in ((STAN, "`REQUESTERS`"), ("U0GUEST", "Guests")):
        told = world.asks(f"{pairing} CHG0031337", by=user, channel=here)
        assert word in world.answer(told.delivery).text
    elsewhere = world.channel()
    told = world.asks(f"{pairing} CHG0031337", channel=elsewhere)
    assert "<#C0HERE>" in world.answer(told.delivery).text
    assert world.states() == {"refused": 3}
    lines = [r["detail"]["lines"] for r in trail(world, "refused")]
    assert lines == [["not_listed"], ["guest"], ["C0HERE"]]
    assert slack.messages(here) == slack.messages(elsewhere) == []
    world.asks(f"{pairing} as agreed in CHG0031337", channel=here).wait_for_card()
    # Listed by id: the group is not even read.
    before = len(slack.calls_of("usergroups.users.list"))
    other = world.asks(f"{world.pairing()} CHG0031338", by=RUFUS, channel=here)
    world.wait_for_states({"refused": 3, "pending": 2})
    assert len(slack.calls_of("usergroups.users.list")) == before
    assert world.answers(other.delivery)[0].via == "ack"


def test_who_is_called_is_another_list_than_who_may(http_stage: Stage) -> None:
    world = http_stage(APPROVERS=f"{ALAN},{ANNA}", NOTIFY=f"{NIGHT},{STAN}", REMIND_AFTER="1s")
    world.slack.add_group("night", [STAN], id=NIGHT)
    asked = world.asks_to_break(world.pairing())
    assert mentions(asked.card) == {RITA, NIGHT, STAN}
    says(world, asked, STAN, "approve", "not an approver")
    reminder = world.slack.wait_for(
        lambda: [m for m in asked.replies() if "Still undecided" in m.text], 20
    )[0]
    assert mentions(reminder) == {NIGHT, STAN}
    assert world.slack.calls_of("usergroups.users.list") == []
    asked.denies(ANNA, "not tonight")
    assert mentions(asked.wait_for_final()) == {RITA, ANNA}
