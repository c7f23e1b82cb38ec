"""The life of one request through the real worker and the real store."""

from __future__ import annotations

import json
from hashlib import sha256

from bot.request.events import CallFailed
from bot.request.model import Readings, State
from bot.store import audit_trail as trail
from bot.store.verify_audit_trail import verify_trail
from tests.support.world import ASKER, FIRST, PAIRING, World


def test_asked_approved_sent_followed_and_proved(world: World) -> None:
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert world.state() is State.FOLLOWING
    assert world.appliance.deletes == [(PAIRING, False)]
    world.appliance.end_task()
    world.wait(5_000)
    request = world.get()
    assert request.state is State.SUCCEEDED
    assert request.outcome is not None
    assert request.outcome.code == "proved"
    posts = [slot for _, slot, how in world.posted if how == "post"]
    assert posts == ["card", "progress", "final"]
    broken, head = verify_trail(world.db)
    assert broken is None
    assert head.count == len(world.actions())


def test_readings_that_are_as_they_should_be_are_not_stored(world: World) -> None:
    """They count within their claim alone, and each would be a commit before the DELETE."""
    request_id = world.pending()
    stored = []
    prepare = world.appliance.prepare_delete

    def looking(pairing_id: str, by: float) -> CallFailed | None:
        stored.append(world.get(request_id).readings)
        return prepare(pairing_id, by)

    world.appliance.prepare_delete = looking  # type: ignore[method-assign]
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert stored == [Readings()]
    assert len(world.appliance.deletes) == 1


def test_the_requesters_own_approval_never_counts(world: World) -> None:
    request_id = world.pending()
    world.click(request_id, "approve", ASKER)
    world.settle()
    assert world.state() is State.PENDING
    assert world.appliance.deletes == []
    assert world.answers == [(ASKER, "own_request_approve")]


def test_the_trail_says_what_was_agreed_to(world: World) -> None:
    """The fingerprint that each approval names can be made anew from the trail alone."""
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)
    world.settle()
    details = {record.action: record.detail for record in trail.export(world.db)}
    asked, checked = details["asked"], details["checked"]
    made_of = {
        **checked["compared"],
        "force": asked["force"],
        "dry run": asked["dry_run"],
        "not before": checked.get("scheduled_at"),
    }
    canonical = json.dumps(made_of, sort_keys=True, separators=(",", ":"))
    assert details["approved_by"]["fingerprint"] == sha256(canonical.encode()).hexdigest()[:16]
    assert details["intent"]["fingerprint"] == checked["fingerprint"]
    assert {"in_recovery_plans", "open_issues", "remote_down"} <= set(checked)
