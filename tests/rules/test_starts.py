"""What a start writes down: all of the policy, nothing else, and what is other than before."""

from __future__ import annotations

import json

from bot.request.audit_chain import started
from bot.request.who_may import Policy
from tests.rules.samples import running


def test_every_part_of_the_policy_is_named() -> None:
    entry = started(running(), None, 7)
    assert (entry.action, entry.actor, entry.at) == ("started", "vr-unpair", 7)
    assert set(entry.detail) == {"version", "mode", "command", *Policy.model_fields}
    assert entry.detail["approvers"] == ["S1", "U1", "U2"]
    assert entry.detail["sites"]["east"]["appliance"] == "vr.example.net"
    json.dumps(entry.detail)


def test_what_differs_from_the_start_before_is_named() -> None:
    before = started(running(), None, 1).detail
    assert started(running(), before, 2).detail["changed"] == {}
    after = started(running(dry_run=False, approvers=frozenset({"U1"})), before, 3).detail
    assert after["changed"] == {
        "approvers": {"before": ["S1", "U1", "U2"], "after": ["U1"]},
        "dry_run": {"before": True, "after": False},
    }
    again = started(running(dry_run=False, approvers=frozenset({"U1"})), after, 4).detail
    assert again["changed"] == {}, "what changed at the start before is not compared"


def test_what_another_version_did_not_know_is_a_change() -> None:
    before = started(running(), None, 1).detail
    del before["label"]
    changed = started(running(), before, 2).detail["changed"]
    assert changed == {"label": {"before": None, "after": "production"}}
