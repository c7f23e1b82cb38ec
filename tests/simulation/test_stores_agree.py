"""The store in memory, on which thousands of histories run, does what the real one does."""

from __future__ import annotations

import pytest

from tests.simulation.happenings import history
from tests.simulation.real_store import RealStore, outbox_of
from tests.simulation.simulation import Simulation

SEEDS = range(0, 200, 5)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_history_word_for_word(seed: int) -> None:
    memory, real = Simulation(history(seed)), Simulation(history(seed))
    store = RealStore(real.db_now, real.lease_ms)
    store.on_saved = real.rules.saved
    real.use(store, outbox_of(store))
    memory.run()
    real.run()
    try:
        assert real.story == memory.story
        assert _ends(real) == _ends(memory)
        assert _trail(real) == _trail(memory)
        assert sorted(m.text for m in real.workspace.messages.values()) == sorted(
            m.text for m in memory.workspace.messages.values()
        )
    finally:
        store.db.close()


def _ends(sim: Simulation) -> dict[str, str]:
    return {i: row.request.model_dump_json() for i, row in sim.store.rows.items()}


def _trail(sim: Simulation) -> list[str]:
    return [record.hash for record in sim.store.records]
