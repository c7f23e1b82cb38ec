"""Slack's lines: user groups, approvers, and one cause that fails once."""

from __future__ import annotations

from typing import Any

import pytest

from bot.operate.check_line import Result
from bot.operate.check_slack import scope, slack_of
from bot.request.pools import ALL
from bot.settings.defaults import PoolSettings
from tests.operate.check.conftest import GROUP, Stage, one, wrong_lines
from tests.support.stage import ALAN

OTHER = "S0OTHER"
GROUPS = f"slack-group {GROUP}"
NEEDED = "approvers APPROVALS_REQUIRED"


def pool_of(*who: str) -> dict[str, PoolSettings]:
    return {ALL: PoolSettings(approvers=",".join(who))}


def test_members_of_groups_count_and_one_call_reads_all_groups(stage: Stage) -> None:
    stage.slack.add_group("others", [ALAN], id=OTHER)
    found = stage.check(pools=pool_of(GROUP), requesters=(OTHER,), notify=(GROUP, OTHER))
    assert wrong_lines(found) == []
    assert one(found, GROUPS).words == "@approvers, 2 people, in APPROVERS and NOTIFY"
    assert one(found, f"slack-group {OTHER}").words.endswith("in REQUESTERS and NOTIFY")
    assert one(found, NEEDED).result is Result.OK
    assert len(stage.slack.calls_of("usergroups.list")) == 1


@pytest.mark.parametrize("setting", ["approvers", "break_glass", "requesters", "notify"])
def test_who_edits_a_group_that_gives_a_right_is_worth_a_note(stage: Stage, setting: str) -> None:
    stage.slack.add_group("others", [ALAN], id=OTHER)
    given = {setting: (OTHER, ALAN)} if setting != "approvers" else {"pools": pool_of(OTHER, ALAN)}
    line = one(stage.check(**given), f"slack-group {OTHER}")
    assert ("may edit it" in line.next_step) is (setting != "notify")
    assert (line.result is Result.NOTE) is (setting != "notify")


def test_no_more_people_are_asked_about_than_are_needed(stage: Stage) -> None:
    crowd = [stage.slack.add_person(f"p{number}") for number in range(50)]
    stage.slack.set_group(GROUP, crowd)
    assert wrong_lines(stage.check(pools=pool_of(GROUP))) == []
    assert len(stage.slack.calls_of("users.info")) == 2


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


def test_each_pool_is_counted_and_all_of_them_together(stage: Stage) -> None:
    """Alan alone is in both: each pool has somebody, and yet not all can be filled."""
    pools = {name: PoolSettings(approvers=ALAN) for name in ("disks", "guards")}
    found = stage.check(pools=pools)
    assert one(found, "approvers APPROVALS_REQUIRED__DISKS").result is Result.NOTE
    together = one(found, "approvers pools")
    assert together.result is Result.WRONG
    assert "guards" in together.words
    stage.slack.set_group(GROUP, [stage.slack.add_person("Gil"), ALAN])
    pools = {"disks": PoolSettings(approvers=ALAN), "guards": PoolSettings(approvers=GROUP)}
    assert one(stage.check(pools=pools), "approvers pools").result is Result.OK


@pytest.mark.parametrize(
    "shown",
    [{"name": "Alan"}, {"name": "A. Admin", "display_name": "alan "}],
    ids=["real", "shown"],
)
def test_accounts_that_show_one_name_are_noted(stage: Stage, shown: dict[str, str]) -> None:
    twin = stage.slack.add_person(**shown)
    found = one(stage.check(pools=pool_of(ALAN, twin)), "approvers SAME_PERSON")
    assert found.result is Result.NOTE
    assert ALAN in found.words
    assert twin in found.words
    known = ((ALAN, twin),)
    found = one(stage.check(pools=pool_of(ALAN, twin), same_person=known), "approvers SAME_PERSON")
    assert found.result is Result.OK
