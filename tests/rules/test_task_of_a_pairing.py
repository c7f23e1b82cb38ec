"""Which tasks of the appliance are taken to be about a pairing: a stranger's never, ours always."""

from __future__ import annotations

import pytest

from bot.request.after_delete import names_pairing
from bot.request.model import TaskView

PAIRING = "0f7a3b1c-AAAA-4bbb-8ccc-000000000001"
TYPED = f"HmsPairing:{PAIRING}:5d0c"


def about(entity: str | None, pairing_id: str = PAIRING) -> bool:
    return names_pairing(TaskView(id="t", status="RUNNING", entity=entity), pairing_id)


@pytest.mark.parametrize(
    "entity",
    [PAIRING, f"Pairing:{PAIRING}", f"  {PAIRING} ", PAIRING.upper(), f"pairing:{PAIRING.upper()}"],
)
def test_it_names_the_pairing(entity: str) -> None:
    assert about(entity)


@pytest.mark.parametrize("entity", [TYPED, f"Pairing:{TYPED}"])
def test_an_id_that_is_made_of_parts_itself(entity: str) -> None:
    assert about(entity, TYPED)


@pytest.mark.parametrize(
    "entity",
    [
        *[None, "", " ", ":", PAIRING[:-1], f"{PAIRING}0", f"vm:{PAIRING[:-1]}2", f"x{PAIRING}:y"],
        *[TYPED, f"vm:vm-80:{PAIRING}"],
    ],
)
def test_it_names_somebody_else_or_nobody(entity: str | None) -> None:
    assert not about(entity)
