"""One fault each: what is broken, which line says it, and what it says and advises."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox.appliance import Answer
from tests.operate.check.conftest import ALAN, ANNA, CHANNEL, PAIRING, SECRET_CHANNEL, Stage


@dataclass(frozen=True)
class Fault:
    """`line` is the one that fails; `says` stand in its words or its next step."""

    name: str
    breaks: Callable[[Stage], Any]
    line: str
    says: tuple[str, ...]


def sets(**settings: str) -> Callable[[Stage], None]:
    return lambda stage: stage.environment.update(settings)


def _without(setting: str) -> Callable[[Stage], None]:
    return lambda stage: stage.environment.pop(setting) and None


def _garbage(stage: Stage) -> None:
    for file in stage.folder.glob("bot.db*"):
        file.unlink()
    stage.database.write_bytes(b"this is no database at all, " * 200)


def _schema(statement: str) -> Callable[[Stage], None]:
    def change(stage: Stage) -> None:
        with sqlite3.connect(stage.database) as conn:
            conn.execute(statement)
        conn.close()

    return change


def _lacks(scope: str) -> Callable[[Stage], None]:
    return lambda stage: stage.slack.workspace.scopes.discard(scope)


def _joins(user: str, **how: Any) -> Callable[[Stage], None]:
    """A third approver, of a kind that never counts."""

    def join(stage: Stage) -> None:
        stage.slack.add_person("Third", id=user, **how)
        stage.environment["APPROVERS"] += f",{user}"

    return join


def _wrong_pin(stage: Stage) -> None:
    del stage.environment["VR_CA_FILE"]
    stage.environment["VR_FINGERPRINT"] = "ab" * 32


def _fails(method: str, path: str, answer: Answer) -> Callable[[Stage], None]:
    return lambda stage: stage.appliance.fail(method, path, answer, times=None)


NEW_PROGRAM = "UPDATE schema_info SET oldest_program = '99.0.0'"

FAULTS = (
    # ---- settings, way in -------------------------------------------------------------------
    Fault(
        "no way in",
        _without("SLACK_APP_TOKEN"),
        "way-in",
        ("Neither", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"),
    ),
    Fault(
        "two ways in",
        sets(SLACK_SIGNING_SECRET="not-a-real-one"),
        "way-in",
        ("both set", "keep the first"),
    ),
    Fault("no host", _without("VR_HOST"), "settings VR_HOST", ("VR_HOST is not set", "name the")),
    Fault("a slip", sets(VR_HOTS="vr"), "settings VR_HOTS", ("did you mean VR_HOST",)),
    # ---- database ---------------------------------------------------------------------------
    Fault(
        "no folder",
        sets(DATABASE_URL="sqlite:////nowhere/at/all/bot.db"),
        "database",
        ("/nowhere/at/all", "cannot be opened", "make its folder", "DATABASE_URL"),
    ),
    Fault("no database", _garbage, "database", ("is no database", "restore the backup")),
    Fault("newer schema", _schema(NEW_PROGRAM), "schema", ("99.0.0", "restore the backup")),
    # ---- Slack ------------------------------------------------------------------------------
    Fault(
        "token refused",
        sets(SLACK_BOT_TOKEN="xoxb-wrong"),
        "slack-token",
        ("SLACK_BOT_TOKEN", "invalid_auth", "xoxb-"),
    ),
    Fault(
        "account inactive",
        lambda stage: stage.slack.fail("auth.test", error="account_inactive", times=None),
        "slack-token",
        ("account_inactive", "copy the bot token"),
    ),
    Fault(
        "Slack away", lambda stage: stage.slack.down(), "slack-token", ("refused", "HTTPS_PROXY")
    ),
    Fault(
        "Slack broken",
        lambda stage: stage.slack.down(status=503),
        "slack-token",
        ("HTTP 503", "SLACK_API_URL"),
    ),
    *(
        Fault(
            f"a page with {status} in Slack's place",
            lambda stage, status=status: stage.slack.fail("auth.test", status=status, times=None),
            "slack-token",
            (f"HTTP {status}", "not by Slack's API", "SLACK_API_URL", "proxy"),
        )
        for status in (200, 404)
    ),
    Fault(
        "Slack limits",
        lambda stage: stage.slack.fail("auth.test", retry_after=17),
        "slack-token",
        ("17 s",),
    ),
    *(
        Fault(f"no {scope}", _lacks(scope), f"slack-scope {scope}", ("lacks", "install the app"))
        for scope in (
            "commands",
            "chat:write",
            "users:read",
            "usergroups:read",
            "channels:read",
            "groups:read",
        )
    ),
    Fault(
        "app token refused",
        sets(SLACK_APP_TOKEN="xapp-wrong"),
        "slack-app-token",
        ("SLACK_APP_TOKEN", "xapp-", "connections:write"),
    ),
    Fault(
        "not in the channel",
        lambda stage: stage.slack.set_channel(CHANNEL, bot_is_member=False),
        f"slack-channel {CHANNEL}",
        ("not in #open", "/invite @vr-unpair"),
    ),
    Fault(
        "not in the private channel",
        lambda stage: stage.slack.set_channel(SECRET_CHANNEL, bot_is_member=False),
        f"slack-channel {SECRET_CHANNEL}",
        ("private", "/invite @vr-unpair"),
    ),
    Fault(
        "channel archived",
        lambda stage: stage.slack.set_channel(CHANNEL, archived=True),
        f"slack-channel {CHANNEL}",
        ("#open", "archived", "CHANNELS"),
    ),
    Fault(
        "no such channel",
        sets(CHANNELS=f"{CHANNEL},C0NONE"),
        "slack-channel C0NONE",
        ("does not exist",),
    ),
    Fault(
        "channels limited",
        lambda stage: stage.slack.fail("conversations.info", retry_after=9, times=None),
        f"slack-channel {CHANNEL}",
        ("9 s",),
    ),
    # ---- people -----------------------------------------------------------------------------
    Fault(
        "nobody of that id",
        sets(APPROVERS=f"{ALAN},{ANNA},U0NONE"),
        "slack-person U0NONE",
        ("nobody", "APPROVERS"),
    ),
    Fault(
        "a requester nobody knows",
        sets(REQUESTERS="U0NONE"),
        "slack-person U0NONE",
        ("nobody", "REQUESTERS"),
    ),
    Fault("closed", _joins("U0C", deleted=True), "slack-person U0C", ("closed", "APPROVERS")),
    Fault("a bot", _joins("U0B", bot=True), "slack-person U0B", ("bot",)),
    Fault("a guest", _joins("U0G", guest=True), "slack-person U0G", ("guest",)),
    Fault(
        "a stranger", _joins("U0S", team_id="T0ELSE"), "slack-person U0S", ("another workspace",)
    ),
    Fault(
        "the only approver is closed",
        lambda stage: [
            stage.environment.update(APPROVERS=ALAN),
            stage.slack.deactivate(ALAN),
        ],
        f"slack-person {ALAN}",
        ("closed",),
    ),
    Fault(
        "too few approvers",
        sets(APPROVALS_REQUIRED="3"),
        "approvers APPROVALS_REQUIRED",
        ("2 of the 3", "APPROVERS"),
    ),
    Fault(
        "too few approvers for a one-sided break",
        sets(FORCE_APPROVALS_REQUIRED="3"),
        "approvers FORCE_APPROVALS_REQUIRED",
        ("2 of the 3", "FORCE_APPROVALS_REQUIRED"),
    ),
    # ---- appliance --------------------------------------------------------------------------
    Fault(
        "nobody listens",
        lambda stage: stage.appliance.refuse_connections(),
        "appliance-reachable",
        ("No connection", "refused", "VR_HOST"),
    ),
    Fault(
        "another certificate",
        lambda stage: stage.appliance.new_certificate(same_authority=False),
        "appliance-trusted",
        ("SHA-256", "console", "VR_FINGERPRINT"),
    ),
    Fault("another pin", _wrong_pin, "appliance-trusted", ("SHA-256", "console")),
    Fault(
        "another name in the certificate",
        lambda stage: stage.appliance.new_certificate(host_names=["vr.example.net"]),
        "appliance-trusted",
        ("mismatch", "SHA-256"),
    ),
    Fault(
        "no TLS there",
        lambda stage: stage.environment.update(
            VR_HOST=stage.slack.base_url.removeprefix("http://")
        ),
        "appliance-trusted",
        ("No certificate", "VR_HOST"),
    ),
    Fault(
        "wrong password",
        lambda stage: stage.appliance.set_password("other"),
        "appliance-login",
        ("401", "VR_PASSWORD", "locks"),
    ),
    Fault(
        "log-in forbidden",
        _fails("POST", "/session", Answer(403, message="No role.", op_id="op-77")),
        "appliance-login",
        ("No role.", "op-77"),
    ),
    Fault(
        "no answer to the log-in",
        _fails("POST", "/session", Answer(wire="cut_before")),
        "appliance-login",
        ("ended before", "vr-unpair check"),
    ),
    Fault(
        "another base path",
        sets(VR_BASE_PATH="/api/other"),
        "appliance-login",
        ("nothing at /session", "VR_HOST", "VR_BASE_PATH"),
    ),
    Fault(
        "a proxy's page for the log-in",
        _fails("POST", "/session", Answer(502)),
        "appliance-login",
        ("502", "VR_HOST", "VR_BASE_PATH"),
    ),
    Fault(
        "log-in not understood",
        _fails("POST", "/session", Answer(400, message="No realm.", op_id="op-78")),
        "appliance-login",
        ("No realm.", "op-78", "own log"),
    ),
    Fault(
        "log-in not yet",
        _fails("POST", "/session", Answer(503, headers={"Retry-After": "30"})),
        "appliance-login",
        ("30 s", "after that time"),
    ),
    Fault(
        "a proxy's page for the version",
        _fails("GET", "/info", Answer(502)),
        "appliance-version",
        ("502", "VR_BASE_PATH"),
    ),
    Fault(
        "the session is refused at once",
        _fails("GET", "/info", Answer(401)),
        "appliance-version",
        ("not authorised",),
    ),
    Fault(
        "pairings refused",
        _fails("GET", "/pairings", Answer(403, error_code="NO_PERMISSION", op_id="op-9")),
        "appliance-pairings",
        ("NO_PERMISSION", "op-9", "right"),
    ),
    Fault(
        "remote password",
        sets(VR_REMOTE_PASSWORD="other"),
        f"appliance-remote {PAIRING}",
        ("remote user", "VR_REMOTE_PASSWORD"),
    ),
    Fault(
        "remote site away",
        lambda stage: stage.appliance.set_remote_down(PAIRING),
        f"appliance-remote {PAIRING}",
        ("berlin", "prague", "--force"),
    ),
)

HINTS = (
    Fault(
        "no database yet",
        lambda stage: sets(DATABASE_URL=f"sqlite:///{stage.folder}/new.db")(stage),
        "database",
        ("new.db", "`run` makes it"),
    ),
    Fault(
        "older schema",
        _schema("UPDATE alembic_version SET version_num = '0000'"),
        "schema",
        ("older", "up to date"),
    ),
    Fault("any channel", _without("CHANNELS"), "slack-channel", ("every channel", "/invite")),
    Fault(
        "nobody is left for an approver's own request",
        sets(APPROVALS_REQUIRED="2"),
        "approvers APPROVALS_REQUIRED",
        ("exactly 2", "one more"),
    ),
    Fault(
        "no pairings",
        lambda stage: stage.appliance.remove_pairing(stage.appliance.pairings[0]),
        "appliance-pairings",
        ("none", "right appliance"),
    ),
)
"""What is worth reading and no failure."""
