"""`preview`, `list`, `status`, `help`: one person reads, nothing is stored, nobody else sees it."""

from __future__ import annotations

from sandbox.slack import Ephemeral
from tests.support.stage import RITA, Stage
from tests.whole.scenarios.conftest import NewStage


def looks(stage: Stage, text: str, *, by: str = RITA) -> Ephemeral:
    """What comes after the acknowledgement."""
    asked = stage.asks(text, by=by)
    told = stage.answer(asked.delivery)
    assert (told.user, told.via) == (by, "response_url")
    assert stage.slack.messages(asked.channel) == []
    return told


def test_what_is_looked_up_follows_a_request(new_stage: NewStage) -> None:
    stage = new_stage(DEPLOYMENT_LABEL="production")
    pairing = stage.pairing(local="berlin", remote="prague", replications=7)
    itself = stage.appliance.add_self_pairing("solo")
    told = looks(stage, "preview vcenter-prague")
    for words in ("7 replications", "berlin", "production", pairing, "0 of 1"):
        assert words in told.all_text
    assert not [b for b in told.blocks if b["type"] == "actions"]
    assert stage.states() == {}

    card = stage.asks_to_break(pairing)
    shown = {b["text"]["text"] for b in told.blocks if b["type"] == "section"}
    on_card = {b["text"]["text"] for b in card.card.blocks if b["type"] == "section"}
    assert [text for text in shown & on_card if "7 replications" in text]
    stage.wait_for_states({"pending": 1})
    assert f"|{card.id}>" in looks(stage, f"preview {pairing}").all_text
    lines = looks(stage, "list").text.splitlines()
    (line,) = [line for line in lines if pairing in line]
    assert line.startswith("🟢")
    assert "7 replications" in line
    assert f"|{card.id}>" in line
    assert any(itself in line for line in lines)
    for text in ("status", f"status {card.id}"):
        assert card.id in looks(stage, text).text
    card.clicks(RITA, "cancel")
    card.wait_for_final()
    assert f"<@{RITA}>" in looks(stage, f"status {card.id.lower()}").text
    assert "`ZZZZ-ZZZZ`" in looks(stage, "status ZZZZ-ZZZZ").text
