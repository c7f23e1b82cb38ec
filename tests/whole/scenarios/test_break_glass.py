"""An emergency: one person of BREAK_GLASS decides alone, through the real bot, and all are told."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from bot.sandbox.slack import CannotDo, Delivery, Message, mentions
from tests.support.asked import FINAL_MARK, PATIENCE_SECONDS, Asked
from tests.support.bot_on_stage import ALAN, ANNA, RITA, STAN, World, staged
from tests.support.way_in import WayIn

CHIEFS, LEADS = "S0CHIEFS", "S0LEADS"
CHIEF = "U0CHIEF"
WHY = "Prague burns <!channel>, CHG comes later"
SETTINGS = {
    "APPROVERS": f"{ALAN},{LEADS}",
    "APPROVALS_REQUIRED": "2",
    "NOTIFY": "none",
    "BREAK_GLASS": f"{RITA},{CHIEFS}",
    "REASON_PATTERN": r"CHG\d{7}",
}


@pytest.fixture(scope="module")
def world(way_in: WayIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for the file: few cards, as in `shared_world`, and those that end in a DELETE last."""
    with staged(way_in, tmp_path_factory.mktemp("glass"), SETTINGS, {}) as world:
        world.slack.add_person("Chief", id=CHIEF)
        world.slack.add_group("leads", [ANNA], id=LEADS)
        world.slack.add_group("chiefs", [CHIEF], id=CHIEFS)
        yield world


def alarm_of(asked: Asked) -> Message:
    """What the whole channel sees of it: a reply that is shown outside the thread too."""
    return asked.slack.wait_for_message(
        asked.channel,
        lambda m: m.broadcast,
        thread_ts=asked.card_ts,
        timeout_seconds=PATIENCE_SECONDS,
    )


def test_a_form_is_forged_or_tampered_with_in_vain(world: World) -> None:
    asked = world.asks_to_break(world.pairing())
    before = len(world.appliance.deletes)

    def sends(metadata: Callable[[str], str], by: str = RITA) -> Delivery:
        """Rita opens the form, and `by` sends it with something else in it. Rita's press."""
        press = asked.clicks(RITA, "break_glass")
        world.slack.wait_for(lambda: world.slack.views.get(RITA), PATIENCE_SECONDS)
        with world.slack.workspace.changing():
            view = world.slack.view_of(RITA)
            view.definition["private_metadata"] = metadata(view.private_metadata)
            view.user = by
            world.slack.workspace.views[by] = world.slack.workspace.views.pop(RITA)
        assert world.slack.submit(by, values={"reason": WHY}).ok
        return press

    fingerprint = asked.values["unpair_cancel"].partition(":")[2]
    other = sends(lambda metadata: metadata.replace(fingerprint, "0" * 16))
    assert "not up to date" in world.answer(other).text
    # A copy of ours becomes a pointer to the card; this one there never was.
    world.expected_from_slack.add("message_not_found")
    copy = sends(lambda metadata: metadata.replace(asked.card_ts, "1700000000.000001"))
    assert "copy of the card is not in use" in world.answer(copy).text
    # Somebody without the right sends Rita's form: what is said of it is not said to her.
    theirs = sends(str, by=STAN)
    sends(lambda _: "{}")
    assert "lost its request" in world.slack.view_of(RITA).errors["reason"]
    world.slack.close(RITA)

    refused = [e for e in world.console.show(asked.id)["events"] if e["action"] == "click_refused"]
    assert [(e["actor"], e["detail"]["why"]) for e in refused] == [
        (RITA, "other_fingerprint"),
        (RITA, "not_the_card"),
        (STAN, "not_listed"),
    ]
    assert world.answers(theirs) == []
    assert len(world.appliance.deletes) == before
    assert not [m for m in asked.replies() if m.broadcast]


def test_the_own_request_is_broken_alone_and_everybody_is_told(world: World) -> None:
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)
    assert {"unpair_approve", "unpair_break_glass"} <= set(asked.values)
    before = len(world.appliance.deletes)

    stranger = asked.clicks(STAN, "break_glass")
    assert "not among the people who may break the glass" in world.answer(stranger).text
    assert world.slack.views.get(STAN) is None

    click = asked.clicks(RITA, "break_glass")
    world.slack.wait_for(lambda: world.slack.views.get(RITA), PATIENCE_SECONDS)
    view = world.slack.view_of(RITA)
    assert view.callback_id == "unpair_break_glass_reason"
    with pytest.raises(CannotDo):
        world.slack.submit(RITA, values={"reason": ""})
    blank = world.slack.submit(RITA, values={"reason": " \n "}, force=True)
    assert blank.ok
    assert list(world.slack.view_of(RITA).errors) == ["reason"]
    assert len(world.appliance.deletes) == before, "an open form decides nothing"
    assert world.slack.submit(RITA, values={"reason": WHY}).ok

    final = asked.wait_for_final()
    record = asked.wait_for_record()
    alarm = alarm_of(asked)
    assert "You have broken the glass" in world.answer(click).text
    assert [call.path for call in world.appliance.deletes[before:]] == [f"/pairings/{pairing}"]
    assert mentions(alarm) == {RITA, ALAN, LEADS}
    for message in (alarm, record, final):
        assert "reak glass" in message.text
        assert f"*Break glass:* <@{RITA}>" in message.all_text
        assert "Prague burns &lt;!channel&gt;" in message.all_text
    assert mentions(final) == {RITA}
    assert [m for m in asked.replies() if m.broadcast] == [alarm], "told once"

    shown = world.console.show(asked.id)
    assert (shown["state"], shown["approvals"]) == ("succeeded", [])
    assert (shown["break_glass_by"], shown["break_glass_reason"]) == (RITA, WHY)
    (entry,) = [e for e in shown["events"] if e["action"] == "glass_broken"]
    assert (entry["actor"], entry["detail"]["own_request"]) == (RITA, True)
    refused = [e for e in shown["events"] if e["action"] == "click_refused"]
    assert [(e["actor"], e["detail"]["click"]) for e in refused] == [(STAN, "break_glass")]
    world.console.verify()
    page = requests.get(f"{world.bot.url}/metrics", timeout=PATIENCE_SECONDS).text
    assert "\nvr_unpair_break_glass_total 1.0\n" in page


def test_where_nobody_else_is_in_the_channel_every_approver_is_told_all_the_same(
    world: World,
) -> None:
    pairing = world.pairing()
    asked = world.asks_to_break(pairing)
    channel = world.slack.workspace.channels[asked.channel]
    with world.slack.workspace.changing():
        channel.private, channel.members = True, {RITA}
    before = {who: len(world.slack.direct_messages(who)) for who in (ALAN, ANNA, CHIEF, RITA)}
    asked.breaks_glass(RITA, WHY)
    final = asked.wait_for_final()
    assert "The pairing is gone." in final.text
    asked.wait_for_quiet()
    told = {who: world.slack.direct_messages(who)[count:] for who, count in before.items()}
    assert {who: len(messages) for who, messages in told.items()} == {
        ALAN: 1,
        ANNA: 1,
        CHIEF: 0,
        RITA: 0,
    }
    for message in (*told[ALAN], *told[ANNA]):
        for words in (
            f"<@{RITA}> has decided alone",
            "Prague burns &lt;!channel&gt;",
            asked.id,
            f"/archives/{asked.channel}/p{asked.card_ts.replace('.', '')}|Open {asked.id}>",
        ):
            assert words in message.all_text


def test_with_too_few_approvers_it_stands_in_the_place_of_approve(world: World) -> None:
    """Alan asks, so Anna alone could approve, and two are needed."""
    asked = world.asks(f"{world.pairing()} CHG0031337", by=ALAN)
    card = asked.wait_for_card("unpair_break_glass")
    assert card.button("unpair_approve") is None
    assert "only *Break glass* is left" in card.all_text
    before = len(world.appliance.deletes)

    # A group that cannot be read is a no at the press, with when to try again, and no form.
    world.slack.fail("usergroups.users.list", retry_after=1)
    click = asked.clicks(CHIEF, "break_glass")
    said = world.answer(click).text
    assert "user groups of `BREAK_GLASS`" in said
    assert world.slack.views.get(CHIEF) is None
    again = int(re.findall(r"Press again after <!date\^(\d+)\^", said)[0])
    time.sleep(max(0.0, again + 1 - time.time()))

    # Put out of the group while the form is open: the right of now is what counts.
    click = asked.clicks(CHIEF, "break_glass")
    world.slack.wait_for(lambda: world.slack.views.get(CHIEF), PATIENCE_SECONDS)
    world.slack.set_group(CHIEFS, [])
    assert world.slack.submit(CHIEF, values={"reason": WHY}).ok
    assert "not among the people" in world.answer(click).text
    assert len(world.appliance.deletes) == before

    world.slack.set_group(CHIEFS, [CHIEF])
    asked.breaks_glass(CHIEF, WHY)
    final = asked.wait_for_final()
    assert FINAL_MARK in final.text
    assert mentions(final) == {ALAN, CHIEF}
    assert mentions(alarm_of(asked)) == {ALAN, CHIEF, LEADS}
    assert len(world.appliance.deletes) == before + 1
