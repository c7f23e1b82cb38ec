"""`preview`, `list`, `status`, `help`: one person reads, nothing is stored, nobody else sees it."""

from __future__ import annotations

from bot.sandbox.appliance import Answer
from bot.sandbox.slack import Ephemeral
from bot.worker.lookup_threads import AT_ONE_APPLIANCE
from tests.support.bot_on_stage import ALAN, RITA, World
from tests.whole.scenarios.conftest import Stage


def looks(world: World, text: str, *, by: str = RITA) -> Ephemeral:
    """What comes after the acknowledgement."""
    asked = world.asks(text, by=by)
    assert "for you alone" in asked.delivery.text
    told = world.answer(asked.delivery)
    assert (told.user, told.via) == (by, "response_url")
    assert world.slack.messages(asked.channel) == []
    return told


def test_a_preview_shows_the_card_that_would_come(stage: Stage) -> None:
    world = stage(DEPLOYMENT_LABEL="production")
    pairing = world.pairing(local="berlin", remote="prague", replications=7)
    told = looks(world, "preview vcenter-prague")
    for words in ("Preview", "7 replications", "berlin", "production", pairing, "0 of 1"):
        assert words in told.all_text
    assert not [b for b in told.blocks if b["type"] == "actions"]
    assert world.states() == {}
    card = world.asks_to_break(pairing)
    shown = {b["text"]["text"] for b in told.blocks if b["type"] == "section"}
    on_card = {b["text"]["text"] for b in card.card.blocks if b["type"] == "section"}
    assert [text for text in shown & on_card if "7 replications" in text]
    world.wait_for_states({"pending": 1})
    again = looks(world, f"preview {pairing}")
    assert f"|{card.id}> waits for a decision" in again.all_text
    card.clicks(RITA, "cancel")
    card.wait_for_final()


def test_a_preview_of_nothing_names_what_is_there(world: World) -> None:
    pairing = world.pairing(local="lima", remote="quito")
    told = looks(world, "preview atlantis")
    assert "There is no pairing `atlantis`" in told.text
    assert "/vr-unpair list" in told.text
    (button,) = told.buttons()
    assert "quito" in button["text"]["text"]
    assert pairing[:8] in button["text"]["text"]


def test_a_list_tells_health_and_open_requests(world: World) -> None:
    well = world.pairing(local="oslo", remote="rome", replications=2)
    ill = world.pairing(local="oslo", remote="riga")
    world.appliance.set_server_status(ill, "remote_vrms", "ERROR")
    itself = world.appliance.add_self_pairing("solo")
    card = world.asks_to_break(well)
    told = looks(world, "list")
    lines = {
        key: line for line in told.text.splitlines() for key in (well, ill, itself) if key in line
    }
    assert "2 replications" in lines[well]
    assert f"|{card.id}> waits for a decision" in lines[well]
    assert lines[well].startswith("🟢")
    assert lines[ill].startswith("🔴")
    assert "`ERROR`" in lines[ill]
    assert "never broken by this bot" in lines[itself]


def test_status_follows_a_request(world: World) -> None:
    assert "No open requests" in looks(world, "status").text
    card = world.asks_to_break(world.pairing())
    world.wait_for_states({"pending": 1})
    assert "waits for a decision" in looks(world, f"status {card.id}").text
    assert card.id in looks(world, "status").text
    card.clicks(RITA, "cancel")
    card.wait_for_final()
    told = looks(world, "status").text
    assert "No open requests" in told
    assert "Ended recently" in told
    assert "was withdrawn" in looks(world, f"status {card.id.lower()}").text
    assert "There is no request" in looks(world, "status ZZZZ-ZZZZ").text


def test_a_stranger_reads_no_names(world: World) -> None:
    pairing = world.pairing(local="secret", remote="place")
    card = world.asks_to_break(pairing)
    world.wait_for_states({"pending": 1})
    strangers = {
        "Guests": world.slack.add_person("Gus", guest=True),
        "another workspace": world.slack.add_person("Otto", team_id="T0OTHER"),
        "Bots": world.slack.add_person("Botho", bot=True),
        "deactivated": world.slack.add_person("Dea", deleted=True),
    }
    for why, stranger in strangers.items():
        for text in ("list", "preview place", "status", f"status {card.id}"):
            asked = world.asks(text, by=stranger)
            told = world.answer(asked.delivery)
            assert why in told.text
            said = told.all_text + asked.delivery.text
            assert [n for n in ("secret", pairing, RITA, card.channel) if n in said] == []


def test_status_is_a_no_while_slack_does_not_say_who_asks(world: World) -> None:
    world.pairing(local="secret", remote="place")
    world.slack.fail("users.info", retry_after=30)
    for text in ("status", "list"):
        assert looks(world, text).text == "Slack did not say who you are. Try again in a minute."


def test_while_looking_waits_a_request_goes_on(stage: Stage) -> None:
    """Looking has a share of the calls: it is used up, and the request is not held up by that."""
    world = stage(VR_CALLS_PER_MINUTE="60")
    pairing = world.pairing()
    channel = world.channel()
    said: list[str] = []
    while not any("limit" in words for words in said):
        assert len(said) < 40
        said.append(world.answer(world.asks("list", channel=channel).delivery).text)
    assert "*Next:* try again" in said[-1]
    asked = world.asks_to_break(pairing)
    asked.clicks(ALAN, "approve")
    asked.wait_for_final()
    assert pairing not in world.appliance.pairings


def test_an_appliance_that_is_away_is_said_with_a_next_step(world: World) -> None:
    world.appliance.refuse_connections()
    for text in ("list", "preview berlin"):
        told = looks(world, text)
        assert "could not be read" in told.text
        assert "*Next:*" in told.text
    assert "No open requests" in looks(world, "status").text


def test_status_answers_while_an_appliance_hangs(world: World) -> None:
    """Both threads that read it stand there, and one more waits for them."""
    world.appliance.fail("*", "/", Answer(wire="hang"), times=None)
    lists = [world.asks("list").delivery for _ in range(AT_ONE_APPLIANCE + 1)]
    assert "No open requests" in looks(world, "status").text
    waiting = [e.via for each in lists for e in world.answers(each)]
    assert waiting == ["ack"] * len(lists), "the appliance has not answered yet"
    world.appliance.release_hanging()


def test_the_bot_ends_in_time_while_somebody_looks(world: World) -> None:
    world.appliance.refuse_connections()
    world.asks("list")
    assert world.terminate() == 0
    assert world.bot.events("stopped")
