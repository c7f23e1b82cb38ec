"""`--json`: one document on stdout, of the same truth as the words."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from bot.request.events import OperatorCancelled
from bot.request.model import State
from bot.store.database import Database
from bot.store.queues import Queue
from bot.store.requests import Requests
from bot.store.saving import Claim
from tests.store.samples import born

Run = Callable[..., Any]


def test_cancel_says_what_is_stored(db: Database, run_json: Run) -> None:
    made = born(db, 2, State.PENDING)
    assert run_json("cancel", made.id) == {
        "id": made.id,
        "state": "pending",
        "cancellation": "stored",
    }


def test_a_system_user_without_an_account_is_named_by_its_number(
    db: Database, run_json: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As containers run on OpenShift."""

    def no_account() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", no_account)
    made = born(db, 2, State.PENDING)
    run_json("cancel", made.id)
    _, (stored,) = Requests(db, lease_ms=0).events(Claim(made, 1, 0, Queue.DECIDE))
    assert isinstance(stored.event, OperatorCancelled)
    assert stored.event.operator == f"uid {os.getuid()}"


@pytest.mark.parametrize("state", [State.DELETING, State.SUCCEEDED])
def test_what_is_sent_cannot_be_cancelled(db: Database, run: Run, state: State) -> None:
    made = born(db, 2, state)
    done = run("cancel", made.id, "--json", code=1)
    assert done.stdout == ""
    assert state.value in done.stderr


@pytest.mark.parametrize("command", ["show", "cancel"])
def test_an_unknown_request_is_a_sentence(db: Database, run: Run, command: str) -> None:
    done = run(command, "ZZZZ-ZZZZ", "--json", code=1)
    assert done.stdout == ""
    assert "There is no request ZZZZ-ZZZZ." in done.stderr


def test_requests_and_show_agree(db: Database, run_json: Run) -> None:
    made = born(db, 2, State.PENDING)
    (row,) = run_json("requests")
    shown = run_json("show", made.id)
    assert row.items() <= shown.items()
    assert [event["action"] for event in shown["events"]] == ["asked"]


@pytest.mark.parametrize("limit", ["0", str(2**63)])
def test_a_limit_that_no_database_takes_is_wrong_usage(db: Database, run: Run, limit: str) -> None:
    assert "--limit" in run("requests", "--limit", limit, code=2).stderr
