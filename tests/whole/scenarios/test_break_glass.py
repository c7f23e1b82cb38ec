"""An emergency: one person of BREAK_GLASS decides alone, through the real bot, and all are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests

from sandbox.slack import CannotDo, Delivery, mentions
from tests.support.clock import PATIENCE_SECONDS
from tests.support.stage import ALAN, ANNA, RITA, STAN, Stage, staged
from tests.support.way_in import WayIn

LEADS = "S0LEADS"
WHY = "Prague burns <!channel>, CHG comes later"
SETTINGS = {
    "APPROVERS": f"{ALAN},{LEADS}",
    "APPROVALS_REQUIRED": "2",
    "NOTIFY": "none",
    "BREAK_GLASS": RITA,
    "REASON_PATTERN": r"CHG\d{7}",
}


@pytest.fixture(scope="module")
def stage(way_in: WayIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One for the file, whose DELETE comes last."""
    with staged(way_in, tmp_path_factory.mktemp("glass"), SETTINGS, {}) as stage:
        stage.slack.add_group("leads", [ANNA], id=LEADS)
        yield stage


def test_a_form_is_forged_or_tampered_with_in_vain(stage: Stage) -> None:
    asked = stage.asks_to_break(stage.pairing())

    def sends(metadata: Callable[[str], str], by: str = RITA) -> Delivery:
        """Rita opens the form, and `by` sends it with something else in it. Rita's press."""
        press = asked.clicks(RITA, "break_glass")
        stage.slack.wait_for(lambda: stage.slack.views.get(RITA), PATIENCE_SECONDS)
        with stage.slack.workspace.changing():
            view = stage.slack.view_of(RITA)
            view.definition["private_metadata"] = metadata(view.private_metadata)
            view.user = by
            stage.slack.workspace.views[by] = stage.slack.workspace.views.pop(RITA)
        assert stage.slack.submit(by, values={"reason": WHY}).ok
        return press

    fingerprint = asked.values["unpair_cancel"].partition(":")[2]
    stage.answer(sends(lambda metadata: metadata.replace(fingerprint, "0" * 16)))
    # A copy of ours becomes a pointer to the card; this one there never was.
    stage.expected_from_slack.add("message_not_found")
    stage.answer(sends(lambda metadata: metadata.replace(asked.card_ts, "1700000000.000001")))
    # Somebody without the right sends Rita's form: what is said of it is not said to her.
    theirs = sends(str, by=STAN)
    sends(lambda _: "{}")
    assert list(stage.slack.view_of(RITA).errors) == ["reason"]
    stage.slack.close(RITA)

    refused = stage.trail("click_refused", count=3)
    assert [(e["actor"], e["detail"]["why"]) for e in refused] == [
        (RITA, "other_fingerprint"),
        (RITA, "not_the_card"),
        (STAN, "not_listed"),
    ]
    assert stage.answers(theirs) == []
    assert stage.appliance.deletes == []
    assert not [m for m in asked.replies() if m.broadcast]


def test_the_own_request_is_broken_alone_and_everybody_is_told(stage: Stage) -> None:
    """In a private channel: every approver, through the group too, hears of it."""
    pairing = stage.pairing()
    asked = stage.asks_to_break(pairing)
    assert {"unpair_approve", "unpair_break_glass"} <= set(asked.values)
    with stage.slack.workspace.changing():
        stage.slack.workspace.channels[asked.channel].private = True

    stage.answer(asked.clicks(STAN, "break_glass"))
    assert stage.slack.views.get(STAN) is None
    click = asked.clicks(RITA, "break_glass")
    stage.slack.wait_for(lambda: stage.slack.views.get(RITA), PATIENCE_SECONDS)
    assert stage.slack.view_of(RITA).callback_id == "unpair_break_glass_reason"
    with pytest.raises(CannotDo):
        stage.slack.submit(RITA, values={"reason": ""})
    assert stage.slack.submit(RITA, values={"reason": " \n "}, force=True).ok
    assert list(stage.slack.view_of(RITA).errors) == ["reason"]
    assert stage.appliance.deletes == [], "an open form decides nothing"
    assert stage.slack.submit(RITA, values={"reason": WHY}).ok

    asked.wait_for_quiet()
    final, record = asked.wait_for_final(), asked.wait_for_record()
    (alarm,) = [m for m in asked.replies() if m.broadcast]
    stage.answer(click)
    assert [call.path for call in stage.appliance.deletes] == [f"/pairings/{pairing}"]
    assert (mentions(alarm), mentions(final)) == ({RITA, ALAN, LEADS}, {RITA})
    told = {
        who: [m for m in stage.slack.direct_messages(who) if asked.id in m.all_text]
        for who in (ALAN, ANNA, STAN, RITA)
    }
    assert {who: len(messages) for who, messages in told.items()} == {
        ALAN: 1,
        ANNA: 1,
        STAN: 0,
        RITA: 0,
    }
    link = f"/archives/{asked.channel}/p{asked.card_ts.replace('.', '')}|Open {asked.id}>"
    for message in (alarm, record, final, *told[ALAN], *told[ANNA]):
        assert f"<@{RITA}>" in message.all_text
        assert "Prague burns &lt;!channel&gt;" in message.all_text
    for message in (*told[ALAN], *told[ANNA]):
        assert link in message.all_text

    shown = stage.console.show(asked.id)
    assert (shown["state"], shown["approvals"]) == ("succeeded", [])
    assert (shown["break_glass_by"], shown["break_glass_reason"]) == (RITA, WHY)
    (entry,) = [e for e in shown["events"] if e["action"] == "glass_broken"]
    assert (entry["actor"], entry["detail"]["own_request"]) == (RITA, True)
    refused = [e for e in shown["events"] if e["action"] == "click_refused"]
    assert [(e["actor"], e["detail"]["click"]) for e in refused] == [(STAN, "break_glass")]
    stage.console.verify()
    page = requests.get(f"{stage.bot.url}/metrics", timeout=PATIENCE_SECONDS).text
    assert "\nvr_unpair_break_glass_total 1.0\n" in page
