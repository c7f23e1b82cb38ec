"""Which connection a call leaves on, and how long one may take to be made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bot.appliance import Appliance, Priority
from tests.appliance.small_server import Reply, Seen, Server

PATIENCE_SECONDS = 10.0
IDLE_SECONDS = 60.0
PAIRING = "/pairings/p-1"
Connect = Callable[..., Appliance]


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_delete_leaves_on_no_connection_that_was_idle(connect: Connect, server: Server) -> None:
    """Two are kept. One is tried out, and another thread takes it before the DELETE does."""
    clock = Clock()
    appliance = connect(monotonic=clock)
    both, entered, over = threading.Barrier(2), threading.Event(), threading.Event()

    def together(_: Seen) -> Reply:
        both.wait(PATIENCE_SECONDS)
        return Reply(200, {})

    def held(_: Seen) -> Reply:
        entered.set()
        assert over.wait(PATIENCE_SECONDS)
        return Reply(200, {"list": []})

    server.on_call("GET", "/info", together)
    server.on_call("GET", "/tasks", held)
    server.on("DELETE", PAIRING, Reply(202, {"id": "t:1:x", "status": "QUEUED"}))
    with ThreadPoolExecutor(2) as threads:
        for read in [threads.submit(appliance.calls(Priority.CHECK).info) for _ in range(2)]:
            read.result(PATIENCE_SECONDS)
        assert server.handshakes == 2
        clock.now += IDLE_SECONDS
        calls = appliance.calls(Priority.ACT)
        calls.prepare_delete("p-1")
        assert server.handshakes == 2
        listing = threads.submit(appliance.calls(Priority.FOLLOW).tasks)
        try:
            assert entered.wait(PATIENCE_SECONDS)
            calls.delete_pairing("p-1", force=False, send_by=clock.now + 1)
        finally:
            over.set()
        listing.result(PATIENCE_SECONDS)
    assert server.handshakes == 3
