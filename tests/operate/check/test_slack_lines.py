"""Slack's lines: user groups, approvers, and one cause that fails once."""

from __future__ import annotations

from typing import Any

import pytest

from bot.operate import check_slack
from bot.operate.health import Line, Result
from tests.operate.check.conftest import ALAN, ANNA, Stage, one, wrong_lines

GROUP, OTHER = "S0GROUP", "S0OTHER"
NEEDED = "approvers APPROVALS_REQUIRED"


@pytest.fixture
def grouped(stage: Stage) -> Stage:
    """Alan and Anna are approvers through a group."""
    stage.slack.add_group("approvers", [ALAN, ANNA], id=GROUP)
    return stage


def check(stage: Stage, **fields: Any) -> list[Line]:
    return stage.check(**{"approvers": (GROUP,), **fields})


def test_members_of_a_group_count(grouped: Stage) -> None:
    found = check(grouped)
    assert wrong_lines(found) == []
    assert one(found, f"slack-group {GROUP}").words == "@approvers, 2 people, in APPROVERS"
    assert one(found, NEEDED).result is Result.OK


def test_one_call_for_all_groups(grouped: Stage) -> None:
    grouped.slack.add_group("others", [ALAN], id=OTHER)
    found = check(grouped, requesters=(OTHER,), notify=(GROUP, OTHER))
    assert wrong_lines(found) == []
    assert one(found, f"slack-group {OTHER}").words.endswith("in REQUESTERS and NOTIFY")
    assert len(grouped.slack.calls_of("usergroups.list")) == 1


@pytest.mark.parametrize(
    ("members", "disabled", "says"),
    [([ALAN], True, "disabled"), ([], False, "nobody is in @approvers")],
)
def test_a_group_that_lets_nobody_approve(
    grouped: Stage, members: list[str], disabled: bool, says: str
) -> None:
    grouped.slack.set_group(GROUP, members, disabled=disabled)
    found = check(grouped, approvers=(ALAN, ANNA, GROUP))
    assert wrong_lines(found) == [f"slack-group {GROUP}"]
    assert says in one(found, f"slack-group {GROUP}").words


def test_no_such_group_alone_fails_once(grouped: Stage) -> None:
    found = check(grouped, approvers=(OTHER,))
    assert wrong_lines(found) == [f"slack-group {OTHER}"]
    assert one(found, NEEDED).words.startswith(f"needs slack-group {OTHER}")


def test_a_workspace_without_groups(grouped: Stage) -> None:
    grouped.slack.workspace.paid_plan = False
    found = check(grouped, requesters=(OTHER,))
    assert wrong_lines(found) == [f"slack-group {GROUP}"]
    assert "by their ids" in one(found, f"slack-group {GROUP}").next_step
    assert one(found, f"slack-group {OTHER}").result is Result.SKIPPED


def test_groups_without_the_scope_fail_at_the_scope(grouped: Stage) -> None:
    grouped.slack.workspace.scopes.discard("usergroups:read")
    found = check(grouped, requesters=(OTHER,))
    assert wrong_lines(found) == ["slack-scope usergroups:read"]
    for group in (GROUP, OTHER):
        assert one(found, f"slack-group {group}").words == "needs slack-scope usergroups:read"


def test_closed_accounts_in_a_group_do_not_count(grouped: Stage) -> None:
    grouped.slack.deactivate(ALAN)
    found = check(grouped, approvals_required=2)
    assert wrong_lines(found) == [NEEDED]
    assert one(found, NEEDED).words == "1 of the 2 who are needed may approve"


def test_who_is_listed_twice_counts_once(grouped: Stage) -> None:
    found = check(grouped, approvers=(ALAN, GROUP), approvals_required=3)
    assert one(found, NEEDED).words == "2 of the 3 who are needed may approve"


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


def test_a_limit_is_told_once_and_asked_no_further(stage: Stage) -> None:
    stage.slack.fail("users.info", retry_after=20, times=None)
    found = stage.check(requesters=("U0A", "U0B", "U0C"))
    assert wrong_lines(found) == [f"slack-person {ALAN}"]
    assert len(stage.slack.calls_of("users.info")) == 1
    assert one(found, NEEDED).words.startswith(f"needs slack-person {ALAN}")


def test_slack_going_away_half_way_is_told_once(stage: Stage) -> None:
    stage.slack.fail("conversations.info", lost=True, times=None)
    found = stage.check()
    assert len(wrong_lines(found)) == 1
    assert wrong_lines(found)[0].startswith("slack-channel")
    assert not stage.slack.calls_of("users.info")


@pytest.mark.parametrize(
    ("word", "final"),
    [
        ("invalid_auth", True),
        ("account_inactive", True),
        ("token_revoked", True),
        ("internal_error", False),
        ("missing_scope", False),
        ("team_access_not_granted", False),
        ("a_word_of_tomorrow", False),
    ],
)
def test_only_a_token_that_is_refused_for_good_ends_a_start(
    stage: Stage, word: str, final: bool
) -> None:
    stage.slack.fail("auth.test", error=word, times=None)
    found = stage.check()
    assert wrong_lines(found) == ["slack-token"]
    assert one(found, "slack-token").final is final
    assert word in one(found, "slack-token").words


def test_scopes_that_slack_does_not_tell_are_no_failure(stage: Stage) -> None:
    slack = check_slack.slack_of(stage.settings())
    assert [line.result for line in check_slack.scopes(slack)] == [Result.NOTE]


def test_http_mode_needs_no_app_token(stage: Stage) -> None:
    del stage.environment["SLACK_APP_TOKEN"]
    stage.environment["SLACK_SIGNING_SECRET"] = stage.slack.signing_secret
    found = stage.check()
    assert wrong_lines(found) == []
    assert not [finding for finding in found if finding.name == "slack-app-token"]
    assert "HTTP mode" in one(found, "way-in").words


def test_nothing_is_connected_to_look_at_the_app_token(stage: Stage) -> None:
    stage.check()
    assert len(stage.slack.calls_of("apps.connections.open")) == 1
    assert not stage.slack.sockets.usable
