"""Two test runs side by side must never meet in one database."""

from __future__ import annotations

import random

import pytest

from tests.support.postgres import PORTS, PostgresServer


def test_a_port_that_another_server_has_is_not_taken_for_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = PostgresServer().start()
    second = PostgresServer()
    other = next(port for port in PORTS if port != first.port)
    monkeypatch.setattr(random, "sample", lambda _ports, _count: [first.port, other])
    try:
        second.start()
        assert second.port == other
        assert first.new_database() != second.new_database()
    finally:
        first.stop()
        second.stop()
