"""`/vr-unpair` alone: the form, from opening it to the deleted pairing."""

from __future__ import annotations

import pytest

from bot.sandbox.appliance import Answer
from bot.sandbox.slack import View
from tests.support.asked import PATIENCE_SECONDS, Asked
from tests.support.bot_on_stage import ALAN, RITA, World
from tests.whole.scenarios.conftest import Stage


def opened(world: World, channel: str | None = None) -> Asked:
    """Rita types the command and nothing behind it."""
    return world.asks("", channel=channel)


def form(world: World, *, says: str = "") -> View:
    """Rita's form once it is filled, or once it says this."""

    def look() -> View | None:
        view = world.slack.views.get(RITA)
        if view is None:
            return None
        filled = view.block("pairing") is not None if not says else says in view.all_text
        return view if filled else None

    view = world.slack.wait_for(look, PATIENCE_SECONDS)
    assert view is not None
    return view


def sends(world: World, asked: Asked, **values: str) -> None:
    submission = world.slack.submit(RITA, values=values)
    assert submission.ok, (submission.error, submission.problem, submission.text)
    assert RITA not in world.slack.views, "it closed"
    asked.wait_for_card()


@pytest.mark.both_ways
def test_from_the_form_to_the_end(world: World) -> None:
    pairing = world.pairing(local="lyon", remote="oslo", replications=2)
    asked = opened(world)
    assert asked.delivery.text.strip() == ""
    view = form(world)
    (first,) = world.slack.calls_of("views.open")
    assert "Reading the appliance" in str(first.args["view"])
    assert world.states() == {}, "a form is no request"

    (label,) = [
        option["text"]["text"]
        for option in view.block("pairing")["element"]["options"]
        if option["value"] == pairing
    ]
    assert "lyon" in label
    assert "oslo" in label
    sends(world, asked, pairing=pairing, reason="Oslo closes, CHG0031337")
    told = world.slack.wait_for_ephemeral(RITA, lambda e: pairing in e.text)
    assert told.answers is not None
    assert told.answers.trigger_id == asked.delivery.trigger_id
    assert "The card comes next" in told.text

    card = asked.card
    assert "Oslo closes, CHG0031337" in card.all_text
    assert "One-sided" not in card.all_text
    asked.clicks(ALAN, "approve")
    asked.wait_for_quiet()
    assert [d.query for d in world.appliance.deletes] == [{"force": "false"}]
    assert pairing not in world.appliance.pairings
    (row,) = world.console.requests()
    assert (row["id"], row["state"], row["requester"]) == (asked.id, "succeeded", RITA)
    assert (row["channel"], row["pairing_id"]) == (asked.channel, pairing)


def test_a_one_sided_break_is_chosen_in_words(world: World) -> None:
    pairing = world.pairing()
    world.appliance.set_remote_down(pairing)
    asked = opened(world)
    form(world)
    sends(world, asked, pairing=pairing, force="true", reason="it burnt down")
    assert "One-sided break" in asked.card.text


def test_what_the_check_refuses_comes_to_whoever_opened_the_form(world: World) -> None:
    pairing = world.pairing()
    asked = opened(world)
    form(world)
    world.appliance.remove_pairing(pairing)
    submission = world.slack.submit(RITA, values={"pairing": pairing, "reason": "it must go"})
    assert submission.ok
    world.wait_for_states({"refused": 1})
    told = world.slack.wait_for_ephemeral(RITA, lambda e: "There is no pairing" in e.text)
    assert told.answers is not None
    assert told.answers.trigger_id == asked.delivery.trigger_id
    assert told.via == "response_url"
    assert world.slack.messages(asked.channel) == []


def test_what_is_missing_is_said_at_its_field(stage: Stage) -> None:
    world = stage(REASON_PATTERN=r"CHG\d{7}")
    pairing = world.pairing()
    asked = opened(world)
    view = form(world)
    world.slack.submit(RITA, values={"pairing": pairing, "reason": "it must go"})
    assert list(view.errors) == ["reason"]
    assert r"CHG\d{7}" in view.errors["reason"]
    assert world.states() == {}
    sends(world, asked, reason="it must go, CHG0031337")
    assert "CHG0031337" in asked.card.all_text


def test_more_than_a_hundred_are_searched(stage: Stage) -> None:
    world = stage(VR_CALLS_PER_MINUTE="50")
    pairings = [world.pairing(local="hub", remote=f"branch-{n:03d}") for n in range(101)]
    asked = opened(world)
    view = form(world)
    assert view.block("pairing")["element"]["type"] == "external_select"
    found = world.slack.suggest(RITA, "pairing", "branch-07")
    assert found.ok, (found.error, found.problem)
    assert len(found.json["options"]) == 10
    world.slack.suggest(RITA, "pairing", "branch-077")
    sends(world, asked, pairing=pairings[77], reason="it closes")
    assert "branch-077" in asked.card.all_text


def test_an_appliance_that_is_away_is_said_in_the_form(world: World) -> None:
    world.pairing()
    world.appliance.refuse_connections()
    opened(world)
    view = form(world, says="could not be read")
    assert "Next:" in view.all_text
    assert view.definition.get("submit") is None
    assert world.states() == {}
    world.appliance.refuse_connections(False)
    opened(world)
    assert form(world).block("pairing") is not None


def test_closed_while_the_appliance_is_slow_it_harms_nothing(world: World) -> None:
    pairing = world.pairing()
    world.expected_from_slack.add("not_found")
    world.appliance.fail("GET", "/pairings", Answer(wire="hang"), times=1)
    opened(world)
    view = form(world, says="Reading the appliance")
    world.slack.close(RITA, view)
    world.appliance.release_hanging()
    world.slack.wait_for(lambda: world.slack.calls_of("views.update"), PATIENCE_SECONDS)
    assert world.states() == {}
    asked = world.asks_to_break(pairing)
    assert asked.card.button("unpair_approve") is not None


def test_a_form_outlives_the_bot_that_opened_it(world: World) -> None:
    pairing = world.pairing()
    asked = opened(world)
    form(world)
    world.kill()
    world.restart()
    sends(world, asked, pairing=pairing, reason="it must go")
    assert asked.card.button("unpair_approve") is not None
