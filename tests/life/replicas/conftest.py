"""One PostgreSQL for all these tests, and each test over HTTP; `make test-all` has Socket Mode."""

from __future__ import annotations

import pytest

from tests.support.way_in import WAYS_IN, WayIn

SLOWEST_FIRST = ("killed", "restarted", "together")
"""They wait most, while another worker plays the rest."""


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(way, id=way.name, marks=pytest.mark.long if number else ())
        for number, way in enumerate(WAYS_IN)
    ],
)
def way_in(request: pytest.FixtureRequest) -> WayIn:
    way: WayIn = request.param
    return way


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        names = [f"replicas/test_{name}" in item.nodeid for name in SLOWEST_FIRST]
        return names.index(True) if any(names) else len(names)

    items.sort(key=place)
