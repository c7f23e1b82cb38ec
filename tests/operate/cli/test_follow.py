"""`show --follow`: each change is a line, until the request has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot import cli_stored
from bot.operate.show import LOOK_SECONDS, follow
from bot.request.model import Outcome, State, TaskView
from bot.store.database import Database
from bot.store.queues import Queue
from bot.store.requests import Requests
from bot.store.saving import Saving
from tests.store.samples import born, request

RUNNING = TaskView(id="t", status="RUNNING", progress=40)
STORY = [
    request(2, State.CHECKING),
    request(2, State.PENDING),
    request(2, State.PENDING),
    request(2, State.APPROVED),
    request(2, State.DELETING),
    request(2, State.FOLLOWING),
    request(2, State.FOLLOWING, task=RUNNING),
    request(2, State.FOLLOWING, task=RUNNING.model_copy(update={"progress": 100})),
    request(2, State.SUCCEEDED, outcome=Outcome(code="proved")),
]


def test_each_change_is_one_line() -> None:
    rows, waits, told = iter(STORY), [], []
    assert follow(lambda: next(rows), waits.append, told.append) is STORY[-1]
    assert waits == [LOOK_SECONDS] * (len(STORY) - 1)
    assert told == [
        "AAAA-0002 checking",
        "AAAA-0002 pending, 0 of 1 approvals",
        "AAAA-0002 approved",
        "AAAA-0002 deleting",
        "AAAA-0002 following",
        "AAAA-0002 following, task RUNNING 40 %",
        "AAAA-0002 following, task RUNNING 100 %",
        "AAAA-0002 succeeded, proved",
    ]


def test_the_command_waits_for_the_end_and_then_shows_all(
    db: Database, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = born(db, 2, State.PENDING)

    def ends(seconds: float) -> None:
        store = Requests(db=db, lease_ms=1_000)
        claim = store.claim(Queue.DECIDE)
        assert claim is not None
        ended = made.model_copy(update={"state": State.DENIED, "outcome": Outcome(code="denied")})
        store.save(claim, Saving(request=ended))

    monkeypatch.setattr(cli_stored.time, "sleep", ends)
    done = run("show", made.id, "--follow")
    assert f"{made.id} pending, 0 of 1 approvals\n{made.id} denied, denied\n" in done.stdout
    assert "asked" in done.stdout
    done = run("show", made.id, "--follow", "--json")
    assert done.stdout.startswith("{")
    assert f"{made.id} denied" in done.stderr
