"""`/vr-unpair` alone: the form, from opening it to the deleted pairing."""

from __future__ import annotations

import json

from tests.support.asked import Asked
from tests.support.stage import ALAN, RITA, Stage
from tests.support.way_in import both_ways


def sends(stage: Stage, asked: Asked, **values: str) -> None:
    submission = stage.slack.submit(RITA, values=values)
    assert submission.ok, (submission.error, submission.problem, submission.text)
    assert RITA not in stage.slack.views, "it closed"
    asked.wait_for_card()


@both_ways
def test_from_the_form_to_the_end(stage: Stage) -> None:
    pairing = stage.pairing(local="lyon", remote="oslo", replications=2)
    asked = stage.asks("")
    assert asked.delivery.text.strip() == ""
    view = stage.wait_for_form()
    (first,) = stage.slack.calls_of("views.open")
    assert '"pairing"' not in json.dumps(first.args["view"]), "the appliance is not read yet"
    assert stage.states() == {}, "a form is no request"

    (label,) = [
        option["text"]["text"]
        for option in view.block("pairing")["element"]["options"]
        if option["value"] == pairing
    ]
    assert "lyon" in label
    assert "oslo" in label
    sends(stage, asked, pairing=pairing, reason="Oslo closes, CHG0031337")
    assert pairing in stage.answer(asked.delivery).text

    assert "Oslo closes, CHG0031337" in asked.card.all_text
    asked.clicks(ALAN, "approve")
    asked.wait_for_quiet()
    assert [d.query for d in stage.appliance.deletes] == [{"force": "false"}]
    assert pairing not in stage.appliance.pairings
    (row,) = stage.console.requests()
    assert (row["id"], row["state"], row["requester"]) == (asked.id, "succeeded", RITA)
    assert (row["channel"], row["pairing_id"]) == (asked.channel, pairing)


def test_a_form_outlives_the_bot_that_opened_it(stage: Stage) -> None:
    pairing = stage.pairing()
    asked = stage.asks("")
    stage.wait_for_form()
    stage.kill()
    stage.restart()
    sends(stage, asked, pairing=pairing, reason="it must go")
    assert asked.card.button("unpair_approve") is not None
