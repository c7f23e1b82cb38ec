"""Who is who: auth.test, users, user groups, channels, tokens and scopes."""

from __future__ import annotations

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import LocalSlack
from tests.sandbox.slack.slack_kit import ANN, OPS, error_of


def test_tokens(slack: LocalSlack, client: WebClient) -> None:
    wrong = WebClient(token="xoxb-wrong", base_url=slack.api_url, retry_handlers=[])
    assert error_of(wrong.auth_test) == "invalid_auth"
    answer = requests.post(f"{slack.api_url}auth.test", timeout=5)
    assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": "not_authed"})
    assert "x-oauth-scopes" not in answer.headers
    assert error_of(client.api_call, api_method="no.such") == "unknown_method"


def test_scopes_are_named_and_kept(slack: LocalSlack, client: WebClient) -> None:
    scopes = client.auth_test().headers["x-oauth-scopes"]
    assert set(scopes.split(",")) == slack.workspace.scopes
    slack.workspace.scopes -= {"users:read"}
    with pytest.raises(SlackApiError) as caught:
        client.users_info(user=ANN)
    answer = caught.value.response
    assert (answer["error"], answer["needed"]) == ("missing_scope", "users:read")
    assert "chat:write" in answer["provided"].split(",")
    slack.workspace.scopes = {"users:read"}
    assert client.users_info(user=ANN)["ok"]
    assert error_of(client.chat_postMessage, channel=OPS, text="x") == "missing_scope"
    # A modal needs no scope.
    assert error_of(client.views_open, trigger_id="1.2.3", view={}) == "invalid_arguments"


def test_users_info_tells_who_must_not_count(slack: LocalSlack, client: WebClient) -> None:
    slack.workspace.enterprise_id = "E0GRID"
    people = {
        "member": slack.add_person("Ann Ash", id="W0ANN"),
        "guest": slack.add_person("Guest", guest=True),
        "ultra": slack.add_person("Ultra", ultra_guest=True),
        "gone": slack.add_person("Gone", deleted=True),
        "bot": slack.add_person("Other bot", bot=True),
        "stranger": slack.add_person("Stranger", team_id="T0OTHER"),
        "colleague": slack.add_person("Colleague", team_id="T0SISTER", enterprise_id="E0GRID"),
    }
    shown = {key: client.users_info(user=user)["user"] for key, user in people.items()}
    assert shown["member"]["id"] == "W0ANN"
    assert shown["member"]["team_id"] == slack.team_id
    assert shown["member"]["enterprise_user"]["enterprise_id"] == "E0GRID"
    assert (shown["member"]["is_restricted"], shown["member"]["deleted"]) == (False, False)
    assert (shown["guest"]["is_restricted"], shown["guest"]["is_ultra_restricted"]) == (True, False)
    assert (shown["ultra"]["is_restricted"], shown["ultra"]["is_ultra_restricted"]) == (True, True)
    assert shown["gone"]["deleted"] is True
    assert "is_restricted" not in shown["gone"]
    assert shown["bot"]["is_bot"] is True
    assert (shown["stranger"]["team_id"], shown["stranger"]["is_stranger"]) == ("T0OTHER", True)
    assert "enterprise_user" not in shown["stranger"]
    assert shown["colleague"]["team_id"] == "T0SISTER"
    assert shown["colleague"]["enterprise_user"]["enterprise_id"] == "E0GRID"
    assert "is_stranger" not in shown["colleague"]
    assert error_of(client.users_info, user="U0NOBODY") == "user_not_found"


def test_user_groups(slack: LocalSlack, client: WebClient) -> None:
    ann, bob = ANN, slack.add_person("Bob")
    group = slack.add_group("sre", [ann])
    assert group.startswith("S")
    assert client.usergroups_users_list(usergroup=group)["users"] == [ann]
    (shown,) = client.usergroups_list(include_users=True)["usergroups"]
    assert (shown["id"], shown["handle"], shown["users"]) == (group, "sre", [ann])
    assert "users" not in client.usergroups_list()["usergroups"][0]
    slack.set_group(group, [bob])
    assert client.usergroups_users_list(usergroup=group)["users"] == [bob]
    slack.set_group(group, [bob], disabled=True)
    assert error_of(client.usergroups_users_list, usergroup=group) == "no_such_subteam"
    assert client.usergroups_list()["usergroups"] == []
    assert error_of(client.usergroups_users_list, usergroup="S0NONE") == "no_such_subteam"
    slack.workspace.paid_plan = False
    assert error_of(client.usergroups_users_list, usergroup=group) == "paid_teams_only"


def test_channels(slack: LocalSlack, client: WebClient) -> None:
    open_one = OPS
    private = slack.add_channel("secret", private=True)
    hidden = slack.add_channel("hidden", private=True, bot_is_member=False)
    outside = slack.add_channel("all", bot_is_member=False, archived=True)
    shown = client.conversations_info(channel=open_one)["channel"]
    assert (shown["name"], shown["is_member"], shown["is_private"]) == ("ops", True, False)
    assert client.conversations_info(channel=private)["channel"]["is_private"] is True
    shown = client.conversations_info(channel=outside)["channel"]
    assert (shown["is_member"], shown["is_archived"]) == (False, True)
    assert error_of(client.conversations_info, channel=hidden) == "channel_not_found"
    assert error_of(client.conversations_info, channel="C0NONE") == "channel_not_found"
    slack.workspace.scopes -= {"groups:read"}
    assert error_of(client.conversations_info, channel=private) == "missing_scope"
    assert client.conversations_info(channel=open_one)["ok"]
