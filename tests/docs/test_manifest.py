"""The app manifest: one source, Slack's own schema, and scopes that the code needs."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from slack_sdk import WebClient

from bot.slack.manifest import SCOPES, AddressWrong, as_yaml, events_url, manifest
from tests.support.console import Console

ROOT = Path(__file__).parents[2]
TEMPLATE_URL = "https://vr-unpair.example.com"
SCHEMA_NAME = "SLACK_MANIFEST_SCHEMA"

# Slack docs, the page of each method: the bot scopes that it needs.
SCOPES_OF_METHODS: dict[str, set[str]] = {
    "apps_connections_open": set(),  # an app-level token's own: connections:write
    "auth_test": set(),
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_members": {"channels:read", "groups:read"},
    "usergroups_list": {"usergroups:read"},
    "usergroups_users_list": {"usergroups:read"},
    "users_info": {"users:read"},
    "views_open": set(),
    "views_publish": set(),
    "views_update": set(),
}
FOR_THE_COMMAND = {"commands"}
CONTRACT = {
    "commands",
    "chat:write",
    "users:read",
    "usergroups:read",
    "channels:read",
    "groups:read",
}
DEPLOYMENTS = [
    {"command": "/vr-unpair", "label": "", "url": TEMPLATE_URL},
    {"command": "/vr-unpair", "label": "", "url": None},
    {"command": "/vr-" + "x" * 28, "label": "l" * 80, "url": "https://a.example/x/"},
    {"command": "/vr-test", "label": "prod: \"quoted\" # ü 😀 'x'", "url": None},
]


def methods_called() -> dict[str, set[str]]:
    """Web API methods that the bot's own code names, with the files: attributes that are methods
    of the client, and names given to `api_call`."""
    known = {name for name in dir(WebClient) if "_" in name.strip("_") and name[0] != "_"}
    known -= {"api_call"}
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = None
            if isinstance(node, ast.Attribute) and node.attr in known:
                name = node.attr
            elif isinstance(node, ast.Call) and _is_api_call(node):
                assert isinstance(node.args[0], ast.Constant), f"{path}: a name that is computed"
                name = str(node.args[0].value).replace(".", "_")
            if name is not None:
                found.setdefault(name, set()).add(path.name)
    return found


def _is_api_call(node: ast.Call) -> bool:
    """Not `super().api_call`: that is the client, which passes on what it was given."""
    func = node.func
    if not isinstance(func, ast.Attribute) or func.attr != "api_call":
        return False
    return not isinstance(func.value, ast.Call)


def test_the_file_is_what_the_command_prints() -> None:
    generated = manifest(command="/vr-unpair", label="", url=TEMPLATE_URL)
    written = (ROOT / "manifest.yml").read_text(encoding="utf-8")
    assert written == as_yaml(generated), "make it anew: vr-unpair manifest --url " + TEMPLATE_URL


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_the_yaml_means_what_it_was_made_from(deployment: dict[str, Any]) -> None:
    made = manifest(**deployment)
    assert yaml.safe_load(as_yaml(made)) == made


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_slacks_schema_takes_it(deployment: dict[str, Any]) -> None:
    schema = Path(
        os.environ.get(SCHEMA_NAME)
        or ROOT.parent / "shared" / "reference" / "slack-manifest-v1.schema.json"
    )
    if not schema.is_file():
        pytest.skip(f"Slack's manifest schema is not here; {SCHEMA_NAME} may name its file")
    validator = Draft7Validator(json.loads(schema.read_text(encoding="utf-8")))
    assert [e.message for e in validator.iter_errors(manifest(**deployment))] == []
    broken = {**manifest(**deployment), "no_such_field": 1}
    assert list(validator.iter_errors(broken)), "the schema checks nothing"


def test_over_http_everything_goes_to_one_address_and_in_socket_mode_there_is_none() -> None:
    made = manifest(command="/vr-unpair", label="", url=TEMPLATE_URL)
    events = f"{TEMPLATE_URL}/slack/events"
    assert re.findall(r'"(\w*url)": "([^"]*)"', json.dumps(made)) == [
        ("url", events),
        ("request_url", events),
        ("request_url", events),
        ("message_menu_options_url", events),
    ]
    assert made["settings"]["socket_mode_enabled"] is False
    made = manifest(command="/vr-test", label="test site", url=None)
    assert made["settings"]["socket_mode_enabled"] is True
    assert "url" not in json.dumps(made)
    # Two deployments can be told apart.
    assert made["display_information"]["name"] == "vr-test (test site)"
    assert made["features"]["bot_user"]["display_name"] == "vr-test"
    assert made["features"]["slash_commands"][0]["command"] == "/vr-test"


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        ("https://a.example", "https://a.example/slack/events"),
        ("https://a.example/", "https://a.example/slack/events"),
        ("https://a.example:8443/slack/events", "https://a.example:8443/slack/events"),
        (" https://a.example/bot ", "https://a.example/bot/slack/events"),
    ],
)
def test_the_host_is_enough_of_an_address(given: str, whole: str) -> None:
    assert events_url(given) == whole


@pytest.mark.parametrize(
    "given",
    [
        "",
        "a.example",
        "http://a.example",
        "https://",
        "https://a:b@c.example",
        "https://a.x?y=1",
        "https://a b",
    ],
)
def test_an_address_that_slack_cannot_call_is_a_sentence(given: str) -> None:
    with pytest.raises(AddressWrong, match="--url must be an address such as"):
        events_url(given)


def test_the_scopes_are_those_of_the_contract_and_of_the_methods_that_are_called() -> None:
    called = methods_called()
    assert {"chat_postMessage", "users_info", "views_open", "views_update"} <= called.keys()
    unknown = called.keys() - SCOPES_OF_METHODS.keys()
    assert not unknown, f"no scopes known of {unknown}: add them from the method's page"
    needed = set().union(*(SCOPES_OF_METHODS[name] for name in called))
    assert set(SCOPES) == needed | FOR_THE_COMMAND == CONTRACT, "none reads messages"
    made = manifest(command="/vr-unpair", label="", url=None)
    assert made["oauth_config"] == {"scopes": {"bot": list(SCOPES)}}


def run(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return Console({"PATH": os.environ["PATH"], **environ}, folder).run("manifest", *words)


def test_the_command_prints_yaml_and_json_and_needs_no_token(tmp_path: Path) -> None:
    done = run(tmp_path, SLACK_COMMAND="/vr-test", DEPLOYMENT_LABEL="größer", PORT="wrong")
    expected = manifest(command="/vr-test", label="größer", url=None)
    assert (done.returncode, yaml.safe_load(done.stdout)) == (0, expected)
    done = run(tmp_path, "--json", "--url", TEMPLATE_URL)
    assert json.loads(done.stdout) == manifest(command="/vr-unpair", label="", url=TEMPLATE_URL)
    for words, command, named in (
        (["--url", "http://a.example"], "/vr-unpair", "--url"),
        ([], "no slash", "SLACK_COMMAND"),
    ):
        done = run(tmp_path, *words, SLACK_COMMAND=command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(named)
        assert len(done.stderr.splitlines()) == 1


def test_the_slack_cli_is_given_the_same() -> None:
    hooks = json.loads((ROOT / ".slack" / "hooks.json").read_text(encoding="utf-8"))["hooks"]
    program, *words = hooks["get-manifest"].split()
    assert (program, words) == (".venv/bin/vr-unpair", ["manifest", "--json"])
    assert hooks["start"].split() == [".venv/bin/vr-unpair", "run"]


def test_the_procfile_has_both_modes() -> None:
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    kinds = dict(line.split(": ", 1) for line in lines)
    start = "env MALLOC_ARENA_MAX=1 python -m bot run"
    assert kinds == {"web": start, "worker": start}
