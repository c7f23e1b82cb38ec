"""Slack's lines: user groups, approvers, and one cause that fails once."""

from __future__ import annotations

from typing import Any

import pytest

from bot.operate.check_line import Line, Result
from bot.operate.check_slack import scope, slack_of
from tests.operate.check.conftest import Stage, one, wrong_lines
from tests.support.stage import ALAN, ANNA

GROUP, OTHER = "S0GROUP", "S0OTHER"
GROUPS = f"slack-group {GROUP}"
NEEDED = "approvers APPROVALS_REQUIRED"


@pytest.fixture
def grouped(stage: Stage) -> Stage:
    """Alan and Anna are approvers through a group."""
    stage.slack.add_group("approvers", [ALAN, ANNA], id=GROUP)
    return stage


def check(stage: Stage, **fields: Any) -> list[Line]:
    return stage.check(**{"approvers": (GROUP,), **fields})


def test_members_of_groups_count_and_one_call_reads_all_groups(grouped: Stage) -> None:
    grouped.slack.add_group("others", [ALAN], id=OTHER)
    found = check(grouped, requesters=(OTHER,), notify=(GROUP, OTHER))
    assert wrong_lines(found) == []
    assert one(found, GROUPS).words == "@approvers, 2 people, in APPROVERS and NOTIFY"
    assert one(found, f"slack-group {OTHER}").words.endswith("in REQUESTERS and NOTIFY")
    assert one(found, NEEDED).result is Result.OK
    assert len(grouped.slack.calls_of("usergroups.list")) == 1


@pytest.mark.parametrize("disabled", [True, False])
def test_a_group_that_lets_nobody_approve(grouped: Stage, disabled: bool) -> None:
    grouped.slack.set_group(GROUP, [ALAN] if disabled else [], disabled=disabled)
    found = check(grouped, approvers=(ALAN, ANNA, GROUP))
    assert wrong_lines(found) == [GROUPS]
    assert ("disabled" in one(found, GROUPS).words) is disabled


def test_no_such_group_alone_fails_once(grouped: Stage) -> None:
    found = check(grouped, approvers=(OTHER,))
    assert wrong_lines(found) == [f"slack-group {OTHER}"]
    assert one(found, "approvers").words == "needs slack-group"


def test_a_workspace_without_groups(grouped: Stage) -> None:
    grouped.slack.workspace.paid_plan = False
    assert wrong_lines(check(grouped)) == [GROUPS]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        # Alan has left.
        ({"approvals_required": 2}, "1 of the 2 who are needed may approve"),
        ({"approvers": (ANNA, GROUP), "approvals_required": 3}, "1 of the 3"),  # counts once
    ],
)
def test_who_counts_of_a_group(grouped: Stage, fields: dict[str, Any], words: str) -> None:
    grouped.slack.deactivate(ALAN)
    found = check(grouped, **fields)
    assert wrong_lines(found) == [NEEDED]
    assert one(found, NEEDED).words.startswith(words)


def test_break_glass_is_left_where_too_few_may_approve(grouped: Stage) -> None:
    found = check(grouped, approvals_required=3, break_glass=(ANNA,))
    assert wrong_lines(found) == []
    assert "BREAK_GLASS" in one(found, NEEDED).words
    assert one(found, f"slack-person {ANNA}").words == "in BREAK_GLASS"


def test_no_more_people_are_asked_about_than_are_needed(grouped: Stage) -> None:
    crowd = [grouped.slack.add_person(f"p{number}") for number in range(50)]
    grouped.slack.set_group(GROUP, crowd)
    assert wrong_lines(check(grouped)) == []
    assert len(grouped.slack.calls_of("users.info")) == 2


@pytest.mark.parametrize("how", [{"retry_after": 20}, {"lost": True}])
def test_a_slack_that_is_away_half_way_is_told_once_and_asked_no_further(
    stage: Stage, how: dict[str, Any]
) -> None:
    stage.slack.fail("users.info", times=None, **how)
    found = stage.check(requesters=("U0A", "U0B", "U0C"))
    assert wrong_lines(found) == [f"slack-person {ALAN}"]
    assert len(stage.slack.calls_of("users.info")) == 1
    assert one(found, "approvers").words == f"needs slack-person {ALAN}"


@pytest.mark.parametrize(
    ("word", "final"),
    [("token_revoked", True), ("missing_scope", False), ("a_word_of_tomorrow", False)],
)
def test_only_a_token_that_is_refused_for_good_ends_a_start(
    stage: Stage, word: str, final: bool
) -> None:
    stage.slack.fail("auth.test", error=word, times=None)
    line = one(stage.check(), "slack-token")
    assert (line.result, line.final) == (Result.WRONG, final)
    assert word in line.words


def test_scopes_that_slack_does_not_tell_are_no_failure(stage: Stage) -> None:
    assert scope(slack_of(stage.loaded()), "").result is Result.NOTE


def test_http_mode_needs_no_app_token_and_socket_mode_connects_nothing(stage: Stage) -> None:
    stage.check()
    assert len(stage.slack.calls_of("apps.connections.open")) == 1
    assert not stage.slack.sockets.usable
    del stage.environment["SLACK_APP_TOKEN"]
    stage.environment["SLACK_SIGNING_SECRET"] = stage.slack.signing_secret
    found = stage.check()
    assert wrong_lines(found) == []
    assert "slack-app-token" not in {line.name for line in found}
