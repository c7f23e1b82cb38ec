"""`users.info` and `auth.test`: who somebody is, and what happens when Slack does not say."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from bot.request.who_may import GROUP_UNREADABLE, UNREADABLE, Home, Person, Reason, Verdict, counts
from bot.slack.people import Identity, IdentityUnread, People
from bot.slack.send.client import api_client
from tests.slack.listeners.fake_web_api import Answer, FakeWebApi, error, limited

NOW_MS = 1_700_000_000_000


def _people(api: FakeWebApi, timeout_s: int = 2) -> People:
    client = api_client("xoxb-t", base_url=api.api_url, timeout_s=timeout_s)
    return People(client, Identity(client), lambda: NOW_MS)


def _user(**changes: Any) -> Answer:
    return Answer({"ok": True, "user": {"id": "U1", "team_id": "T1", **changes}})


def test_an_ordinary_colleague(api: FakeWebApi) -> None:
    people = _people(api)
    api.script("users.info", _user(deleted=False, is_bot=False, is_stranger=False))
    person = people.person("U1")
    assert person == Person(id="U1", team="T1")
    assert counts(person, people.home()) is Reason.YES


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deleted": True}, Reason.DEACTIVATED),
        ({"is_bot": True}, Reason.BOT),
        ({"is_restricted": True}, Reason.GUEST),
        ({"is_restricted": True, "is_ultra_restricted": True}, Reason.GUEST),
        ({"is_ultra_restricted": True}, Reason.GUEST),
        ({"is_stranger": True}, Reason.OTHER_WORKSPACE),
        ({"team_id": "T2"}, Reason.OTHER_WORKSPACE),
        ({"team_id": None}, Reason.OTHER_WORKSPACE),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}}, Reason.YES),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2"}}, Reason.OTHER_WORKSPACE),
        ({"team_id": "T2", "enterprise_user": "E1"}, Reason.OTHER_WORKSPACE),
    ],
)
def test_who_does_not_count(api: FakeWebApi, changes: dict[str, Any], reason: Reason) -> None:
    people = _people(api)
    api.script("auth.test", Answer({"ok": True, "team_id": "T1", "enterprise_id": "E1"}))
    api.script("users.info", _user(**changes))
    person = people.person("U1")
    assert isinstance(person, Person)
    assert counts(person, people.home()) is reason


def test_slackbot_is_a_bot(api: FakeWebApi) -> None:
    api.script("users.info", _user(id="USLACKBOT", is_bot=False))
    person = _people(api).person("USLACKBOT")
    assert isinstance(person, Person)
    assert person.bot


def test_nothing_of_a_person_is_remembered(api: FakeWebApi) -> None:
    people = _people(api)
    api.script("users.info", _user(), _user(deleted=True))
    first, second = people.person("U1"), people.person("U1")
    assert isinstance(first, Person)
    assert isinstance(second, Person)
    assert (first.deleted, second.deleted) == (False, True)


def test_home_is_read_once_and_not_before_it_is_needed(api: FakeWebApi) -> None:
    people = _people(api)
    assert api.calls == []
    assert people.home() == Home(team="T1")
    assert people.home() == Home(team="T1")
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer({"ok": False, "error": "user_not_found"}, status=500),
        error("invalid_auth"),
        error("missing_scope"),
        Answer(status=500),
        Answer(cut=True),
        Answer(b"<html>maintenance</html>"),
        Answer([1, 2]),
        Answer({"ok": True}),
        Answer({"ok": True, "user": []}),
        Answer({"ok": True, "user": {"id": "U2", "team_id": "T1"}}),
    ],
    ids=["unknown500", "auth", "scope", "500", "cut", "html", "array", "none", "list", "another"],
)
def test_whatever_else_comes_is_unreadable(api: FakeWebApi, answer: Answer) -> None:
    api.script("users.info", answer)
    assert _people(api).person("U1") == UNREADABLE
    assert len(api.of("users.info")) == 1


@pytest.mark.parametrize("word", ["user_not_found", "user_not_visible"])
def test_whom_slack_does_not_know_is_nobody_of_ours(api: FakeWebApi, word: str) -> None:
    """Not a matter of asking again: a slip in the list, or somebody of another workspace."""
    api.script("users.info", error(word))
    assert _people(api).person("U1") == Verdict(reason=Reason.OTHER_WORKSPACE)


@pytest.mark.parametrize(("named", "seconds"), [(7, 7), (None, 30), (10**9, 900), (0, 1)])
def test_a_limit_says_when_to_ask_again(api: FakeWebApi, named: int | None, seconds: int) -> None:
    api.script("users.info", limited(named))
    expected = Verdict(reason=Reason.UNREADABLE, retry_at=NOW_MS + seconds * 1000)
    assert _people(api).person("U1") == expected


def test_a_hanging_slack_is_unreadable_after_the_timeout(api: FakeWebApi) -> None:
    api.script("users.info", Answer(hang=True))
    assert _people(api, timeout_s=1).person("U1") == UNREADABLE


def test_without_our_own_workspace_nobody_can_be_compared(api: FakeWebApi) -> None:
    people = _people(api)
    api.script("auth.test", limited(9), error("internal_error"), Answer({"ok": True}))
    assert people.person("U1") == Verdict(reason=Reason.UNREADABLE, retry_at=NOW_MS + 9000)
    assert people.person("U1") == UNREADABLE
    with pytest.raises(IdentityUnread):
        people.home()
    assert api.of("users.info") == []
    api.script("users.info", _user())
    assert isinstance(people.person("U1"), Person)


def test_a_crowd_does_not_queue_behind_a_hanging_slack(api: FakeWebApi) -> None:
    api.script("auth.test", Answer(hang=True))
    client = api_client("xoxb-t", base_url=api.api_url, timeout_s=1)
    identity = Identity(client)
    failures: list[str] = []

    def first() -> None:
        with pytest.raises(IdentityUnread):
            identity.read()

    thread = threading.Thread(target=first)
    thread.start()
    api.wait_for("auth.test")
    with pytest.raises(IdentityUnread) as caught:
        identity.read(queue_s=0)
    failures.append(str(caught.value))
    thread.join()
    assert failures == ["auth_test_hangs"]
    assert identity.read().team == "T1"


# ---- user groups -----------------------------------------------------------------------------


def _members(*users: Any) -> Answer:
    return Answer({"ok": True, "users": list(users)})


def test_the_members_of_a_group(api: FakeWebApi) -> None:
    people = _people(api)
    api.script("usergroups.users.list", _members("U1", "W2", "U1"))
    assert people.members("S1") == frozenset({"U1", "W2"})
    (call,) = api.of("usergroups.users.list")
    assert (call.body["usergroup"], call.body["team_id"]) == ("S1", "T1")
    assert "include_disabled" not in call.body


def test_a_disabled_or_unknown_group_is_nobody(api: FakeWebApi) -> None:
    api.script("usergroups.users.list", error("no_such_subteam"))
    assert _people(api).members("S1") == frozenset()


def test_nothing_of_a_group_is_remembered(api: FakeWebApi) -> None:
    people = _people(api)
    api.script("usergroups.users.list", _members("U1"), error("fatal_error"), _members())
    assert [people.members("S1") for _ in range(3)] == [
        frozenset({"U1"}),
        GROUP_UNREADABLE,
        frozenset(),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        error("missing_scope"),
        error("plan_upgrade_required"),
        error("missing_argument"),
        Answer({"ok": False, "error": "no_such_subteam"}, status=503),
        Answer(status=500),
        Answer(cut=True),
        Answer(b"<html>maintenance</html>"),
        Answer([1, 2]),
        Answer({"ok": True}),
        Answer({"ok": True, "users": "U1"}),
        Answer({"ok": True, "users": {"U1": True}}),
        Answer({"ok": True, "users": ["U1", None]}),
    ],
    ids=[
        "scope",
        "plan",
        "argument",
        "unknown503",
        "500",
        "cut",
        "html",
        "array",
        "none",
        "text",
        "object",
        "null",
    ],
)
def test_a_group_that_cannot_be_read_is_a_no(api: FakeWebApi, answer: Answer) -> None:
    api.script("usergroups.users.list", answer)
    assert _people(api).members("S1") == GROUP_UNREADABLE
    assert len(api.of("usergroups.users.list")) == 1


def test_a_limit_on_groups_says_when_to_ask_again(api: FakeWebApi) -> None:
    api.script("usergroups.users.list", limited(7))
    expected = Verdict(reason=Reason.GROUP_UNREADABLE, retry_at=NOW_MS + 7000)
    assert _people(api).members("S1") == expected


def test_without_our_own_workspace_no_group_is_read(api: FakeWebApi) -> None:
    api.script("auth.test", limited(9))
    expected = Verdict(reason=Reason.GROUP_UNREADABLE, retry_at=NOW_MS + 9000)
    assert _people(api).members("S1") == expected
    assert api.of("usergroups.users.list") == []
