"""`check` against each fault with the sandbox servers: the right line says it, and only that."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from bot.operate import check
from bot.operate.check_line import Result
from bot.slack.manifest import SCOPES
from sandbox.appliance import Answer
from tests.operate.check.conftest import CHANNEL, GROUP, PAIRING, SECRET_CHANNEL, Stage, one
from tests.operate.check.conftest import wrong_lines as wrong
from tests.support.stage import ALAN, ANNA

Break = Callable[[Stage], Any]

LOGIN, VERSION = ("POST", "/session"), ("GET", "/info")
BOTH = f"{ALAN},{ANNA}"
FORCE, NEEDED = "FORCE_APPROVALS_REQUIRED", "approvers APPROVALS_REQUIRED"


def each(*breaks: Break) -> Break:
    return lambda stage: [breaks_it(stage) for breaks_it in breaks]


def sets(**settings: str) -> Break:
    return lambda stage: stage.environment.update(settings)


def without(*settings: str) -> Break:
    return lambda stage: [stage.environment.pop(setting) for setting in settings]


def appliance(does: str, *args: Any, **how: Any) -> Break:
    return lambda stage: getattr(stage.appliance, does)(*args, **how)


def slack(does: str, *args: Any, **how: Any) -> Break:
    return lambda stage: getattr(stage.slack, does)(*args, **how)


def auth_test(**how: Any) -> Break:
    return slack("fail", "auth.test", times=None, **how)


def answers(call: tuple[str, str], status: int = 200, **more: Any) -> Break:
    return lambda stage: stage.appliance.fail(*call, Answer(status, **more), times=None)


def lacks(scope: str) -> Break:
    return lambda stage: stage.slack.workspace.scopes.discard(scope)


def no_database_yet(stage: Stage) -> None:
    stage.environment["DATABASE_URL"] = f"sqlite:///{stage.folder}/new.db"


def joins(**how: Any) -> Break:
    """A third approver, of a kind that never counts."""
    return each(slack("add_person", "Third", id="U0X", **how), sets(APPROVERS=f"{BOTH},U0X"))


def garbage(stage: Stage) -> None:
    for file in stage.folder.glob("bot.db*"):
        file.unlink()
    stage.database.write_bytes(b"this is no database at all, " * 200)


def sql(statement: str) -> Break:
    def change(stage: Stage) -> None:
        with sqlite3.connect(stage.database) as conn:
            conn.execute(statement)
        conn.close()

    return change


def password_in_a_file(stage: Stage) -> None:
    """Which everybody on the machine can read."""
    (stage.folder / "VR_PASSWORD").write_text(stage.environment.pop("VR_PASSWORD"))
    (stage.folder / "VR_PASSWORD").chmod(0o604)
    stage.environment["SECRETS_DIR"] = str(stage.folder)


def ends_with_a_blank(stage: Stage) -> None:
    stage.environment["VR_PASSWORD"] += " "
    stage.appliance.set_password(stage.environment["VR_PASSWORD"])


def no_paid_plan(stage: Stage) -> None:
    stage.slack.workspace.paid_plan = False


def slack_in_its_place(stage: Stage) -> None:
    stage.environment["VR_HOST"] = stage.slack.base_url.removeprefix("http://")


MORE, ALONE = sets(APPROVERS=f"{BOTH},{GROUP}"), sets(APPROVERS=GROUP)
TWICE, LEFT = sets(APPROVERS=f"{ANNA},{GROUP}"), slack("deactivate", ALAN)
DISABLED = slack("set_group", GROUP, [ALAN], disabled=True)
REMOTE_USER = ("VR_REMOTE_USERNAME", "VR_REMOTE_PASSWORD")
NOT_MEMBER = slack("set_channel", CHANNEL, bot_is_member=False)
NOT_PRIVATE = slack("set_channel", SECRET_CHANNEL, bot_is_member=False)
WAITS = {"headers": {"Retry-After": "30"}}
NO_ROLE = {"message": "No role.", "op_id": "op-77"}
NO_RIGHT = answers(("GET", "/pairings"), 403, error_code="NO_PERMISSION", op_id="op-9")

FAULTS: dict[str, tuple[Break, str, str]] = {
    "no way in": (without("SLACK_APP_TOKEN"), "settings SLACK_SIGNING_SECRET", "Socket Mode"),
    "two ways in": (sets(SLACK_SIGNING_SECRET="x"), "settings SLACK_APP_TOKEN", "is set beside"),
    "no host": (without("VR_HOST"), "settings VR_HOST", "is not set; name the"),
    "a slip": (sets(VR_HOTS="vr"), "settings VR_HOTS", "did you mean VR_HOST"),
    "no folder": (sets(DATABASE_URL="sqlite:////no/at/bot.db"), "database", "/no/at"),
    "no database": (garbage, "database", "restore the backup"),
    "newer schema": (sql("UPDATE schema_info SET oldest_program = '99.0.0'"), "schema", "99.0.0"),
    "token refused": (sets(SLACK_BOT_TOKEN="xoxb-no"), "slack-token", "invalid_auth"),
    "Slack away": (slack("down"), "slack-token", "HTTPS_PROXY"),
    "Slack broken": (auth_test(status=503), "slack-token", "HTTP 503"),
    "a page": (auth_test(status=200), "slack-token", "HTTP 200"),
    "Slack limits": (auth_test(retry_after=17), "slack-token", "17 s"),
    "app token": (sets(SLACK_APP_TOKEN="xapp-no"), "slack-app-token", "connections:write"),
    "not in": (NOT_MEMBER, f"slack-channel {CHANNEL}", "/invite @vr-unpair"),
    "not in a private one": (NOT_PRIVATE, f"slack-channel {SECRET_CHANNEL}", "private"),
    "archived": (
        slack("set_channel", CHANNEL, archived=True),
        f"slack-channel {CHANNEL}",
        "#open is archived",
    ),
    "no channel": (sets(CHANNELS=f"{CHANNEL},C0NO"), "slack-channel C0NO", "does not exist"),
    "nobody": (sets(APPROVERS=f"{BOTH},U0NO"), "slack-person U0NO", "APPROVERS"),
    "no requester": (sets(REQUESTERS="U0NO"), "slack-person U0NO", "REQUESTERS"),
    "closed": (joins(deleted=True), "slack-person U0X", "closed"),
    "a bot": (joins(bot=True), "slack-person U0X", "bot"),
    "a guest": (joins(guest=True), "slack-person U0X", "guest"),
    "a stranger": (joins(team_id="T0ELSE"), "slack-person U0X", "another workspace"),
    "the only one": (each(sets(APPROVERS=ALAN), LEFT), f"slack-person {ALAN}", "closed"),
    "too few": (sets(APPROVALS_REQUIRED="3"), NEEDED, "2 of the 3"),
    "for force": (sets(FORCE_APPROVALS_REQUIRED="3"), f"approvers {FORCE}", "2 of the 3"),
    "disabled group": (each(MORE, DISABLED), f"slack-group {GROUP}", "disabled"),
    "empty group": (each(MORE, slack("set_group", GROUP, [])), f"slack-group {GROUP}", "nobody is"),
    "no group": (sets(APPROVERS="S0NO"), "slack-group S0NO", "no user group has this id"),
    "no groups": (each(ALONE, no_paid_plan), f"slack-group {GROUP}", "no user groups"),
    "left it": (each(ALONE, LEFT, sets(APPROVALS_REQUIRED="2")), NEEDED, "1 of the 2"),
    "counts once": (each(TWICE, LEFT, sets(APPROVALS_REQUIRED="3")), NEEDED, "1 of the 3"),
    "nobody listens": (appliance("refuse_connections"), "appliance-reachable", "VR_HOST"),
    "pin": (
        each(without("VR_CA_FILE"), sets(VR_FINGERPRINT="ab" * 32)),
        "appliance-trusted",
        "console",
    ),
    "another name": (
        appliance("new_certificate", host_names=["vr.example.net"]),
        "appliance-trusted",
        "mismatch",
    ),
    "no such name": (sets(VR_HOST="vr.invalid"), "appliance-reachable", "this machine's DNS"),
    "no such Slack": (
        sets(SLACK_API_URL="https://slack.invalid/api/"),
        "slack-token",
        "Slack cannot be reached (",
    ),
    "no TLS": (slack_in_its_place, "appliance-trusted", "No certificate"),
    "password": (appliance("set_password", "other"), "appliance-login", "VR_PASSWORD"),
    "forbidden": (answers(LOGIN, 403, **NO_ROLE), "appliance-login", "op-77"),
    "cut": (answers(LOGIN, wire="cut_before"), "appliance-login", "vr-unpair check"),
    "base path": (sets(VR_BASE_PATH="/api/other"), "appliance-login", "VR_BASE_PATH"),
    "a proxy's page": (answers(LOGIN, 502), "appliance-login", "VR_HOST"),
    "not yet": (answers(LOGIN, 503, **WAITS), "appliance-login", "30 s"),
    "a page for the version": (answers(VERSION, 502), "appliance-version", "VR_BASE_PATH"),
    "refused at once": (answers(VERSION, 401), "appliance-version", "not authorised"),
    "no right": (NO_RIGHT, "appliance-pairings", "NO_PERMISSION"),
    "no remote user": (without(*REMOTE_USER), "appliance-remote", "VR_REMOTE_USERNAME"),
    "remote away": (appliance("set_remote_down", PAIRING), "appliance-remote", "--force"),
    **{each: (lacks(each), f"slack-scope {each}", "install the app") for each in SCOPES},
}
"""What is broken, the line that fails, and one thing that it has to name."""

NOTES: dict[str, tuple[Break, str, str]] = {
    "no database yet": (no_database_yet, "database", "`run` makes it"),
    "older": (sql("UPDATE alembic_version SET version_num = '0000'"), "schema", "up to date"),
    "any channel": (without("CHANNELS"), "slack-channel", "/invite"),
    "nobody left": (sets(APPROVALS_REQUIRED="2"), NEEDED, "exactly 2"),
    "glass left": (sets(APPROVALS_REQUIRED="3", BREAK_GLASS=ANNA), NEEDED, "only BREAK_GLASS"),
    "no pairings": (appliance("remove_pairing", PAIRING), "appliance-pairings", "right appliance"),
    "dry run": (sets(DRY_RUN="true"), "settings", "DRY_RUN"),
    "a blank": (ends_with_a_blank, "settings VR_PASSWORD", "ends with a blank"),
    "readable": (password_in_a_file, "settings VR_PASSWORD", "chmod o-rwx"),
}
"""What is worth reading and no failure."""


@pytest.mark.parametrize("fault", FAULTS)
def test_the_right_line_fails_and_only_that(stage: Stage, fault: str) -> None:
    breaks, key, says = FAULTS[fault]
    breaks(stage)
    found = stage.check()
    assert wrong(found) == [key]
    line = one(found, key)
    assert key.removeprefix("settings ") not in line.sentence or line.name != "settings"
    assert says in line.sentence
    assert line.words
    assert line.next_step
    skipped = {other.words for other in found if other.result is Result.SKIPPED}
    assert all(words.startswith(f"needs {line.name}") for words in skipped)


@pytest.mark.parametrize("fault", NOTES)
def test_a_note_is_no_failure(stage: Stage, fault: str) -> None:
    breaks, name, says = NOTES[fault]
    breaks(stage)
    found = stage.check()
    assert wrong(found) == []
    notes = [f"{line.key} {line.sentence}" for line in found if line.result is Result.NOTE]
    assert [text for text in notes if text.startswith(name) and says in text]


def test_two_faults_are_both_told(stage: Stage) -> None:
    stage.slack.down()
    stage.appliance.refuse_connections()
    assert wrong(stage.check()) == ["slack-token", "appliance-reachable"]


def test_an_empty_folder_is_told_all_that_is_needed_at_once(stage: Stage) -> None:
    stage.environment.clear()
    found = stage.check()
    assert wrong(found) == [
        "settings VR_HOST",
        "settings VR_USERNAME",
        "settings VR_PASSWORD",
        "settings APPROVERS",
        "settings SLACK_BOT_TOKEN",
        "settings SLACK_SIGNING_SECRET",
    ]
    assert {line.name for line in found} == set(check.NAMES)
