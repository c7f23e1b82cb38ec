"""Each of these gets a sentence with the next step, and leaves everything as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.sandbox.slack import View
from tests.support.bot_on_stage import RITA, World


@pytest.fixture(autouse=True)
def _nothing_pending(shared_world: World) -> Iterator[None]:
    yield
    assert shared_world.states().keys() <= {"refused"}
    assert shared_world.appliance.deletes == []
    with shared_world.slack.workspace.lock:
        assert shared_world.slack.workspace.messages == {}, "no card, and nothing else"


def stored(world: World) -> int:
    return sum(world.states().values())


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("previw berlin", ["Did you mean `/vr-unpair preview berlin`?"]),
        ("staus K7QM-3XPD", ["Did you mean `/vr-unpair status K7QM-3XPD`?"]),
        ("berlin --forse it must go", ["`--forse` is not known", "Did you mean `--force`?"]),
        ("berlin --yes it must go", ["`--yes` is not known", "`--force`"]),
        ("--force", ["Which pairing?", "/vr-unpair PAIRING --force reason"]),
        (f"berlin {'x' * 5000}", ["5,000 characters", "2,900", "Shorten it"]),
        (f"{'b' * 400} reason", ["400 characters", "/vr-unpair PAIRING reason"]),
        ("hlep", ["Did you mean `/vr-unpair help`?"]),
        ('"berlin', ["quotation mark", "Close it"]),
        ("berlin because --force", ["`--force` stands inside the reason"]),
        ("!!!", ["not the name of a pairing", "/vr-unpair PAIRING reason"]),
    ],
    ids=[
        "misspelt-preview",
        "misspelt-status",
        "misspelt-flag",
        "unknown-flag",
        "flag-alone",
        "reason-of-5000",
        "pairing-of-400",
        "misspelt-word",
        "open-quote",
        "flag-in-the-reason",
        "no-letters",
    ],
)
def test_what_is_not_understood_is_answered_at_once(
    shared_world: World, typed: str, said: list[str]
) -> None:
    world = shared_world
    before, calls = stored(world), len(world.asked_of_appliance())
    asked = world.asks(typed)
    (told,) = world.answers(asked.delivery)
    assert told.via == "ack"
    for words in said:
        assert words in told.text
    assert stored(world) == before
    assert len(world.asked_of_appliance()) == calls


def test_help_names_the_flag_and_the_form(shared_world: World) -> None:
    asked = shared_world.asks("help")
    (told,) = shared_world.answers(asked.delivery)
    assert "/vr-unpair PAIRING [--force] [--at TIME] [reason]" in told.text


def refusal(world: World, typed: str, **how: str) -> str:
    """The asker's own answer from the check; the row has ended."""
    before = stored(world)
    asked = world.asks(typed, **how)
    told = world.answer(asked.delivery)
    assert told.user == RITA
    assert told.channel == asked.channel
    assert "*Next:*" in told.text
    assert stored(world) == before + 1
    return told.text


def test_a_pairing_that_is_not_there(shared_world: World) -> None:
    text = refusal(shared_world, "599d0a6b-0000-0000-0000-e29763d3f0d0 it must go")
    assert "There is no pairing `599d0a6b-0000-0000-0000-e29763d3f0d0`" in text


def test_a_part_of_a_name_asks_for_nothing_and_opens_the_form_filled_in(
    shared_world: World,
) -> None:
    world = shared_world
    pairing = world.pairing(local="dublin", remote="dresden")
    asked = world.asks("dresde --force it must go")
    told = world.answer(asked.delivery)
    assert "There is no pairing `dresde`" in told.text
    assert len(told.buttons()) <= 5
    (button,) = [b for b in told.buttons() if pairing[:8] in b["text"]["text"]]
    assert button["action_id"].startswith("unpair_suggest")
    before = stored(world)
    world.slack.click(RITA, told, button["action_id"])
    view = world.slack.wait_for(lambda: filled_view(world), 20)
    assert view.block("pairing")["element"]["initial_option"]["value"] == pairing
    assert view.block("force")["element"]["initial_option"]["value"] == "true"
    assert view.block("reason")["element"]["initial_value"] == "it must go"
    world.slack.close(RITA)
    assert stored(world) == before


def filled_view(world: World) -> View | None:
    view = world.slack.views.get(RITA)
    return view if view is not None and view.block("pairing") is not None else None


def test_a_name_that_fits_two_lists_both(shared_world: World) -> None:
    world = shared_world
    one = world.pairing(local="oslo", remote="paris")
    two = world.pairing(local="oslo", remote="porto")
    text = refusal(world, "vcenter-oslo it must go")
    assert "More than one pairing matches" in text
    assert one in text
    assert two in text


def test_a_site_paired_with_itself(shared_world: World) -> None:
    itself = shared_world.appliance.add_self_pairing("solo")
    text = refusal(shared_world, f"{itself} it must go")
    assert "pairs a site with itself" in text
    assert itself in shared_world.appliance.pairings
    (newest,) = shared_world.console.requests("--limit", "1")
    assert (newest["state"], newest["outcome"]["code"]) == ("refused", "pairing_self")
    assert (newest["asked"], newest["reason"]) == (itself, "it must go")


@pytest.mark.parametrize(
    ("private", "error"), [(False, "not_in_channel"), (True, "channel_not_found")]
)
def test_a_channel_that_the_bot_is_not_in(shared_world: World, private: bool, error: str) -> None:
    world = shared_world
    world.expected_from_slack.add(error)
    channel = world.channel(private=private, bot_is_member=False)
    text = refusal(world, f"{world.pairing()} it must go", channel=channel)
    assert f"`{error}`" in text
    assert "`/invite`" in text
    assert any(call.error == error for call in world.slack.calls_of("chat.postMessage"))
