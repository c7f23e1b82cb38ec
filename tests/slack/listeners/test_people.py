"""Who somebody is, who is in a group, who we are; and what happens when Slack does not say."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackRequestError

from bot.request.who_may import GROUP_UNREADABLE, UNREADABLE, Home, Person, Reason, Verdict, counts
from bot.slack.people import Identity, People
from bot.slack.send.web_api import api_client
from tests.slack.listeners.fake_web_api import Answer, FakeWebApi, error, limited

NOW_MS = 1_700_000_000_000


def _people(api: FakeWebApi, timeout_s: int = 2) -> People:
    client = api_client("xoxb-t", base_url=api.api_url, timeout_s=timeout_s)
    return People(client, Identity(client), lambda: NOW_MS)


def _user(**changes: Any) -> Answer:
    return Answer({"ok": True, "user": {"id": "U1", "team_id": "T1", **changes}})


def _members(*users: Any) -> Answer:
    return Answer({"ok": True, "users": list(users)})


def test_an_ordinary_colleague_and_our_own_workspace_read_once(api: FakeWebApi) -> None:
    people = _people(api)
    assert api.calls == []
    api.script("users.info", *[_user(deleted=False, is_bot=False, is_stranger=False)] * 2)
    for _ in range(2):
        person = people.person("U1")
        assert person == Person(id="U1", team="T1")
        assert people.home() == Home(team="T1")
        assert counts(person, people.home()) is Reason.YES
    assert len(api.of("auth.test")) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deleted": True}, Reason.DEACTIVATED),
        ({"is_bot": True}, Reason.BOT),
        ({"is_restricted": True}, Reason.GUEST),
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


def test_nothing_is_remembered(api: FakeWebApi) -> None:
    people = _people(api)
    api.script("users.info", _user(), _user(deleted=True))
    read = [people.person("U1") for _ in range(2)]
    assert [person.deleted for person in read if isinstance(person, Person)] == [False, True]
    api.script("usergroups.users.list", _members("U1"), error("fatal_error"), _members())
    groups = [people.members("S1") for _ in range(3)]
    assert groups == [frozenset({"U1"}), GROUP_UNREADABLE, frozenset()]


NOT_READ = {
    "auth": error("invalid_auth"),
    "scope": error("missing_scope"),
    "500": Answer(status=500),
    "cut": Answer(cut=True),
    "html": Answer(b"<html>maintenance</html>"),
    "array": Answer([1, 2]),
    "none": Answer({"ok": True}),
}
NO_PERSON = {
    "unknown500": Answer({"ok": False, "error": "user_not_found"}, status=500),
    "list": Answer({"ok": True, "user": []}),
    "another": Answer({"ok": True, "user": {"id": "U2", "team_id": "T1"}}),
}
NO_GROUP = {
    "unknown503": Answer({"ok": False, "error": "no_such_subteam"}, status=503),
    "plan": error("plan_upgrade_required"),
    "text": Answer({"ok": True, "users": "U1"}),
    "object": Answer({"ok": True, "users": {"U1": True}}),
    "null": Answer({"ok": True, "users": ["U1", None]}),
}


@pytest.mark.parametrize("answer", [*NOT_READ.values(), *NO_PERSON.values()])
def test_whatever_else_comes_is_unreadable(api: FakeWebApi, answer: Answer) -> None:
    api.script("users.info", answer)
    assert _people(api).person("U1") == UNREADABLE
    assert len(api.of("users.info")) == 1


@pytest.mark.parametrize("answer", [*NOT_READ.values(), *NO_GROUP.values()])
def test_a_group_that_cannot_be_read_is_a_no(api: FakeWebApi, answer: Answer) -> None:
    api.script("usergroups.users.list", answer)
    assert _people(api).members("S1") == GROUP_UNREADABLE
    assert len(api.of("usergroups.users.list")) == 1


@pytest.mark.parametrize("word", ["user_not_found", "user_not_visible"])
def test_whom_slack_does_not_know_is_nobody_of_ours(api: FakeWebApi, word: str) -> None:
    """Not a matter of asking again: a slip in the list, or somebody of another workspace."""
    api.script("users.info", error(word))
    assert _people(api).person("U1") == Verdict(reason=Reason.OTHER_WORKSPACE)


def test_the_members_of_a_group(api: FakeWebApi) -> None:
    people = _people(api)
    api.script("usergroups.users.list", _members("U1", "W2", "U1"), error("no_such_subteam"))
    assert people.members("S1") == frozenset({"U1", "W2"})
    (call,) = api.of("usergroups.users.list")
    assert (call.body["usergroup"], call.body["team_id"]) == ("S1", "T1")
    assert "include_disabled" not in call.body
    assert people.members("S1") == frozenset(), "a disabled or unknown one is nobody"


@pytest.mark.parametrize(("named", "seconds"), [(7, 7), (None, 30), (10**9, 900), (0, 1)])
def test_a_limit_says_when_to_ask_again(api: FakeWebApi, named: int | None, seconds: int) -> None:
    people, retry_at = _people(api), NOW_MS + seconds * 1000
    api.script("users.info", limited(named))
    assert people.person("U1") == Verdict(reason=Reason.UNREADABLE, retry_at=retry_at)
    api.script("usergroups.users.list", limited(named))
    assert people.members("S1") == Verdict(reason=Reason.GROUP_UNREADABLE, retry_at=retry_at)


def test_without_our_own_workspace_nobody_can_be_compared(api: FakeWebApi) -> None:
    people = _people(api)
    api.script("auth.test", limited(9), limited(9), error("internal_error"), Answer({"ok": True}))
    again_at = NOW_MS + 9000
    assert people.person("U1") == Verdict(reason=Reason.UNREADABLE, retry_at=again_at)
    assert people.members("S1") == Verdict(reason=Reason.GROUP_UNREADABLE, retry_at=again_at)
    assert people.person("U1") == UNREADABLE
    with pytest.raises(SlackRequestError):
        people.home()
    assert {c.method for c in api.calls} == {"auth.test"}
    api.script("users.info", _user())
    assert isinstance(people.person("U1"), Person)


# ---- who is in a channel ---------------------------------------------------------------------


def _channel(**changes: Any) -> Answer:
    return Answer({"ok": True, "channel": {"id": "C1", **changes}})


def _page(*members: Any, cursor: str = "") -> Answer:
    body = {"ok": True, "members": list(members), "response_metadata": {"next_cursor": cursor}}
    return Answer(body)


def test_a_private_channel_is_read_page_by_page_and_a_public_one_not(api: FakeWebApi) -> None:
    people = _people(api)
    api.script("conversations.info", _channel(is_private=False), _channel(is_private=True))
    assert people.who_sees("C1") is None
    assert api.of("conversations.members") == []
    api.script("conversations.members", _page("U1", "U2", cursor="abc"), _page("U3"))
    assert people.who_sees("C1") == frozenset({"U1", "U2", "U3"})
    first, second = api.of("conversations.members")
    assert (first.body["channel"], first.body.get("cursor", "")) == ("C1", "")
    assert second.body["cursor"] == "abc"


def test_a_channel_without_an_end_is_read_so_far(api: FakeWebApi) -> None:
    api.script("conversations.info", _channel(is_private=True))
    api.script("conversations.members", *[_page(f"U{n}", cursor="on") for n in range(9)])
    assert _people(api).who_sees("C1") == frozenset({"U0", "U1", "U2", "U3"})


@pytest.mark.parametrize(
    "answer", [*NOT_READ.values(), limited(7), _page("U1", None), error("channel_not_found")]
)
@pytest.mark.parametrize("method", ["conversations.info", "conversations.members"])
def test_a_channel_that_cannot_be_read_is_unreadable(
    api: FakeWebApi, method: str, answer: Answer
) -> None:
    api.script(
        "conversations.info", *[_channel(is_private=True)] * (method != "conversations.info")
    )
    api.script(method, answer)
    seeing = _people(api).who_sees("C1")
    assert isinstance(seeing, Verdict)
    assert seeing.reason is Reason.UNREADABLE
