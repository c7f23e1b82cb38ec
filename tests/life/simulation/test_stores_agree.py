"""The stores in memory, on which thousands of histories run, do what the real ones do.

One thread plays a whole history, so each transaction is over before the next one begins; what
happens between two that are open at once is `test_locks_agree`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest

from tests.life.simulation.happenings import history
from tests.life.simulation.real_store import RealStore, outbox_of
from tests.life.simulation.simulation import LEASE_MS, Simulation
from tests.support.postgres import PostgresServer

SEEDS = range(0, 200, 10)


def _short() -> Iterator[int]:
    """With one request and several copies: over a network each transaction takes a millisecond."""
    for seed in range(2_000):
        made = history(seed)
        asked = sum(h.what == "ask" for h in made.happenings)
        if made.postgres and made.replicas > 1 and asked == 1:
            yield seed


POSTGRES_SEEDS = tuple(islice(_short(), 40))


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    server = PostgresServer().start()
    yield server.new_database()
    server.stop()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_history_word_for_word_on_sqlite(seed: int) -> None:
    memory, real = Simulation(history(seed)), Simulation(history(seed))
    memory.use_serial(gaps=False)
    _play_both(memory, real, RealStore(real.db_now, LEASE_MS))


@pytest.mark.parametrize("seed", POSTGRES_SEEDS)
def test_the_same_history_word_for_word_on_postgres(seed: int, postgres_url: str) -> None:
    memory, real = Simulation(history(seed)), Simulation(history(seed))
    memory.use_serial(gaps=True)
    store = RealStore(real.db_now, LEASE_MS, postgres_url)
    store.empty()
    _play_both(memory, real, store)


def _play_both(memory: Simulation, real: Simulation, store: RealStore) -> None:
    store.on_saved = real.rules.saved
    real.use(store, outbox_of(store))
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
