"""Several appliances behind one bot, two of them the two ends of each other's pairings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import demo
from sandbox.appliance import SimulatedAppliance
from sandbox.slack import LocalSlack
from tests.support.stage import ALAN, QUICK, RUFUS, Stage, servers
from tests.support.way_in import OverHttp


def of_site(name: str, appliance: SimulatedAppliance, slack: LocalSlack) -> dict[str, str]:
    """The settings of a single appliance as those of one of several; the single one's are empty,
    which counts as not set."""
    of_one = {**demo.settings(appliance, slack, ALAN), **QUICK, "VR_TIMEOUT_SECONDS": "2"}
    of_one = {key: value for key, value in of_one.items() if key.startswith("VR_")}
    named = {f"VR_SITES__{name}__{key[3:]}": value for key, value in of_one.items()}
    return {**dict.fromkeys(of_one, ""), **named}


class Ends:
    """Berlin and Prague: `pair` makes a pairing that both list, by different ids."""

    def __init__(self, stage: Stage, berlin: SimulatedAppliance, prague: SimulatedAppliance):
        self.stage = stage
        self.berlin = berlin
        self.prague = prague
        self._made = 0

    def pair(self) -> tuple[str, str]:
        self._made += 1
        here, there = f"berlin{self._made}", f"prague{self._made}"
        return self.berlin.add_pairing(here, there), self.prague.add_pairing(there, here)

    def refusal(self, text: str, by: str = RUFUS) -> str:
        asked = self.stage.asks(text, by=by)
        return self.stage.answer(asked.delivery).all_text


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Ends]:
    with servers() as (berlin, slack), servers() as (prague, _):
        stage = Stage(OverHttp(), berlin, slack)
        settings = {**of_site("Berlin", berlin, slack), **of_site("PRAGUE", prague, slack)}
        try:
            stage.start(tmp_path, **settings)
            yield Ends(stage, berlin, prague)
        finally:
            stage.kill()
        stage.check()


def test_one_pairing_and_its_two_ends(ends: Ends) -> None:
    stage, (here, there) = ends.stage, ends.pair()
    lines = ends.refusal("list").splitlines()
    for pairing, other in ((here, "prague"), (there, "berlin")):
        assert any(pairing in line and f"from `{other}`" in line for line in lines), lines
    both = ends.refusal("vcenter-berlin1 which of the two?")
    assert f"berlin/{here}" in both
    assert f"prague/{there}" in both

    asked = stage.asks(f"Berlin/{here} we move")
    card = asked.wait_for_card()
    assert "site `berlin`" in card.all_text
    assert asked.id in ends.refusal(f"prague/{there} the same")
    assert f"|{asked.id}> at `berlin`" in ends.refusal("list")
    asked.clicks(ALAN, "approve")
    assert "at `berlin`" in asked.wait_for_final().text
    assert [d.path.rsplit("/", 1)[-1] for d in ends.berlin.deletes] == [here]
    assert ends.prague.deletes == []
    row = stage.console.show(asked.id)
    assert row["site"] == "berlin"
    trail = {event["action"]: event["detail"].get("site") for event in row["events"]}
    assert (trail["asked"], trail["checked"]) == ("berlin", "berlin")
