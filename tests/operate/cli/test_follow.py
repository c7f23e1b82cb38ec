"""`show --follow`: it goes on until the request has ended, in a terminal and in a log."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from bot import cli
from bot.operate.tables import LOOK_SECONDS, follow, share
from bot.request.model import Outcome, Request, State, TaskView
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


def played(console: Console) -> tuple[Request, list[float]]:
    rows, waits = iter(STORY), []
    ended = follow(lambda: next(rows), waits.append, console)
    assert next(rows, None) is None, "it looked at all of them"
    return ended, waits


def test_in_a_log_each_change_is_one_line() -> None:
    out = io.StringIO()
    ended, waits = played(Console(file=out, width=40))
    assert ended is STORY[-1]
    assert waits == [LOOK_SECONDS] * (len(STORY) - 1)
    assert out.getvalue().splitlines() == [
        "AAAA-0002 checking",
        "AAAA-0002 pending, 0 of 1 approvals",
        "AAAA-0002 approved",
        "AAAA-0002 deleting",
        "AAAA-0002 following",
        "AAAA-0002 following, task RUNNING 40 %",
        "AAAA-0002 following, task RUNNING 100 %",
        "AAAA-0002 succeeded, proved",
    ]


def test_in_a_terminal_there_is_a_bar_that_ends_full() -> None:
    out = io.StringIO()
    played(Console(file=out, force_terminal=True, width=100, color_system=None))
    last = [line for line in out.getvalue().splitlines() if "AAAA-0002" in line][-1]
    assert "succeeded, proved" in last
    assert "━" * 40 in last


def test_the_bar_only_ever_grows() -> None:
    shares = [share(row) for row in STORY]
    assert shares == sorted(shares)
    assert shares[-1] == 100
    assert shares[-2] < 100, "full only when it has ended"


@pytest.mark.parametrize("state", [s for s in State if not s.open])
def test_every_end_ends_it(state: State) -> None:
    rows = iter([request(2, state)])
    assert follow(lambda: next(rows), _never, Console(file=io.StringIO())).state is state


def _never(seconds: float) -> None:
    raise AssertionError("nothing to wait for")


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

    monkeypatch.setattr(cli.time, "sleep", ends)
    done = run("show", made.id, "--follow")
    assert f"{made.id} pending, 0 of 1 approvals\n{made.id} denied, denied\n" in done.stdout
    assert "asked" in done.stdout
    done = run("show", made.id, "--follow", "--json")
    assert done.stdout.startswith("{")
    assert f"{made.id} denied" in done.stderr
