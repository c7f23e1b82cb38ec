"""What the core is told: of answers that are not whole, and of the end of a task."""

from __future__ import annotations

import pytest

from bot.appliance.models import Issue, Listing, MetaError, Replication, Task
from bot.appliance.snapshots import meta_words, snapshot, task_view
from bot.core.pairing import Pairing
from bot.core.snapshot import Server

AWAY = MetaError(
    code="REMOTE_SITE_UNREACHABLE", message="The remote site cannot be reached.", field="$.list"
)
FOUND = Pairing(
    id="p1", local_vc=Server(), remote_vc=Server(), local_vrms=Server(), remote_vrms=Server()
)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AWAY, "The remote site cannot be reached (REMOTE_SITE_UNREACHABLE)"),
        (MetaError(message="It is away."), "It is away."),
        (MetaError(code="a.b.CODE."), "a.b.CODE."),
        (MetaError(), "part of the answer is missing"),
    ],
)
def test_a_gap_is_one_line_with_the_code_as_it_came(error: MetaError, words: str) -> None:
    assert meta_words(error) == words


def test_one_cause_in_two_lists_is_said_once() -> None:
    replications, issues = Listing[Replication](errors=(AWAY,)), Listing[Issue](errors=(AWAY,))
    made = snapshot(FOUND, 0, replications, issues, (), now=1)
    assert made.partial == (meta_words(AWAY),)
    assert not made.complete


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("QUEUED", False),
        ("RUNNING", False),
        ("SUCCESS", True),
        ("ERROR", True),
        ("CANCELLED", True),
        ("SUCCESSFUL", False),
        ("success", False),
    ],
)
def test_which_tasks_have_ended(status: str, ended: bool) -> None:
    assert task_view(Task.model_validate({"id": "t", "status": status})).ended is ended
