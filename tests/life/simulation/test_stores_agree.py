"""The store in memory, on which thousands of histories run, does what the real ones do.

Each transaction is over before the next one begins; what two do that are open at once is
`tests/store/test_two_at_once.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest

from tests.life.simulation.happenings import history
from tests.life.simulation.memory_store import MemoryStore
from tests.life.simulation.real_store import RealStore
from tests.life.simulation.simulation import LEASE_MS, Simulation
from tests.support.postgres import PostgresServer

SEEDS = tuple(seed for seed in range(0, 230, 10) if not history(seed).glass)
"""What is equally urgent, as the alarm and the answer of a broken glass, goes in either order."""


def _short() -> Iterator[int]:
    """With one request and several copies: over a network each transaction takes a millisecond."""
    for seed in range(2_000):
        made = history(seed)
        asked = sum(h.what == "ask" for h in made.happenings)
        if made.replicas > 1 and asked == 1 and not made.glass:
            yield seed


POSTGRES_SEEDS = tuple(islice(_short(), 12))


@pytest.fixture(scope="module")
def postgres_url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_history_word_for_word_on_sqlite(seed: int) -> None:
    real = Simulation(history(seed))
    _play_both(seed, real, RealStore(real.db_now, LEASE_MS), gaps=False)


@pytest.mark.parametrize("seed", POSTGRES_SEEDS)
def test_the_same_history_word_for_word_on_postgres(seed: int, postgres_url: str) -> None:
    real = Simulation(history(seed))
    store = RealStore(real.db_now, LEASE_MS, postgres_url)
    store.empty()
    _play_both(seed, real, store, gaps=True)


def _play_both(seed: int, real: Simulation, store: RealStore, *, gaps: bool) -> None:
    memory = Simulation(history(seed))
    memory.use(MemoryStore(now=memory.db_now, lease_ms=LEASE_MS, gaps=gaps))
    real.use(store)
    try:
        memory.run()
        real.run()
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
