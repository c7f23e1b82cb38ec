"""A name that is nearly a setting is refused: a guard whose name is misspelt would be off, and
nothing would say so. Names of others are left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.settings import SettingsError, load_database

SITES = "VR_SITES__<NAME>__HOST and its like"


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("APPROVALS_REQURED", "APPROVALS_REQUIRED"),
        ("APPROVER", "APPROVERS"),
        ("APPROVAL_COUNT", "APPROVAL_TTL"),
        ("FORCED_APPROVAL_REQUIRED", "FORCE_APPROVALS_REQUIRED"),
        ("REQUESTER", "REQUESTERS"),
        ("REQEUSTERS", "REQUESTERS"),
        ("CHANNEL", "CHANNELS"),
        ("CHANELS", "CHANNELS"),
        ("BREAK_GLAS", "BREAK_GLASS"),
        ("REASON_PATERN", "REASON_PATTERN"),
        ("REQUIRE_REASONS", "REQUIRE_REASON"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("SECRET_DIR", "SECRETS_DIR"),
        ("DRY_RUNS", "DRY_RUN"),
        ("DRYRUN", "DRY_RUN"),
        ("dry_run", "DRY_RUN"),
        ("DRY", "DRY_RUN"),
        ("VRFINGERPRINT", "VR_FINGERPRINT"),
        ("VR_USER", "VR_USERNAME"),
        ("VR_POLL", "VR_POLL_SECONDS"),
        ("VR_CA", "VR_CA_FILE"),
        ("VR_PORT", "VR_HOST"),
        ("vr_timeout_seconds", "VR_TIMEOUT_SECONDS"),
        ("VR_SITE__A__HOST", SITES),
        ("VR_SITES_A_HOST", SITES),
        ("SLACK_APP_TOKENS", "SLACK_APP_TOKEN"),
        ("SLACK_APPTOKEN", "SLACK_APP_TOKEN"),
        ("SLACK_WEBHOOK_URL", "SLACK_API_URL"),
    ],
)
def test_a_slip_is_refused_in_the_environment_and_in_the_file(
    sentences_with: Any, tmp_path: Path, slip: str, meant: str
) -> None:
    (sentence,) = sentences_with(**{slip: "x"}).values()
    assert sentence.startswith(f"{slip} is not a setting: did you mean {meant}?")
    (tmp_path / ".env").write_text(f"{slip}=x\n")
    assert sentences_with() == {slip: sentence}


def test_also_beside_the_right_one(sentences_with: Any) -> None:
    assert list(sentences_with(REQUESTER="U1", REQUESTERS="U2")) == ["REQUESTER"]


def test_the_file_is_ours_so_less_alike_is_enough_there(
    sentences_with: Any, load_with: Any, tmp_path: Path
) -> None:
    assert load_with(DEPLOY_LABEL="x") == load_with()
    (tmp_path / ".env").write_text("DEPLOY_LABEL=x\nSOMEBODY_ELSES=1\n")
    assert list(sentences_with()) == ["DEPLOY_LABEL"]


def test_one_that_was_meant_so_is_named(load_with: Any, sentences_with: Any) -> None:
    given = {"CHANNEL": "stable", "VR_SHADERS": "1"}
    assert set(sentences_with(**given)) == set(given)
    assert load_with(**given, NOT_SETTINGS="VR_SHADERS, CHANNEL").channels == ()
    # It takes no setting away.
    assert load_with(CHANNELS="C1", NOT_SETTINGS="CHANNELS").channels == ("C1",)


def test_an_empty_one_sets_nothing(load_with: Any) -> None:
    assert load_with(VR_USER="", REQUESTER="") == load_with()


def test_a_command_for_the_database_minds_that_name_alone(tmp_path: Path) -> None:
    assert load_database({"CHANNEL": "x"}, tmp_path) == "sqlite:///vr-unpair.db"
    with pytest.raises(SettingsError, match="did you mean DATABASE_URL"):
        load_database({"DATABASE_URI": "x"}, tmp_path)


# ---- names of others -----------------------------------------------------------------------------

SLACK_CLI = """
SLACK_AUTO_REQUEST_AAA SLACK_CLI_APP_ICON_PATH SLACK_CLI_XAPP SLACK_CLI_XOXB SLACK_CONFIG_DIR
SLACK_DISABLE_TELEMETRY SLACK_SERVICE_TOKEN SLACK_SKIP_UPDATE SLACK_TEST_TRACE SLACK_TEST_VERSION
SLACK_USER_TOKEN
"""

KUBERNETES = """
KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT KUBERNETES_SERVICE_PORT_HTTPS KUBERNETES_PORT
KUBERNETES_PORT_443_TCP KUBERNETES_PORT_443_TCP_PROTO KUBERNETES_PORT_443_TCP_PORT
VR_UNPAIR_SERVICE_HOST VR_UNPAIR_SERVICE_PORT VR_UNPAIR_SERVICE_PORT_HTTP VR_UNPAIR_PORT
VR_UNPAIR_PORT_3000_TCP VR_UNPAIR_PORT_3000_TCP_PROTO VR_UNPAIR_PORT_3000_TCP_PORT
VR_UNPAIR_PORT_3000_TCP_ADDR
VR_PORT_SERVICE_HOST VR_PORT_SERVICE_PORT VR_PORT_PORT VR_PORT_PORT_1_UDP
SLACK_BOT_SERVICE_HOST SLACK_BOT_SERVICE_PORT SLACK_BOT_PORT_3000_TCP
"""

SHELLS = """
PATH HOME PWD OLDPWD SHELL SHLVL TERM TERM_PROGRAM COLORTERM COLUMNS LINES USER USERNAME LOGNAME UID
MAIL MANPATH EDITOR VISUAL PAGER LESS LS_COLORS LANG LANGUAGE LC_ALL LC_CTYPE TZ TMPDIR TEMP TMP
HOSTNAME HOSTTYPE HOSTS MACHTYPE OSTYPE PORTS PORT0 PORT_HTTP PS1 PROMPT_COMMAND HISTFILE HISTSIZE
DISPLAY XAUTHORITY WAYLAND_DISPLAY XDG_RUNTIME_DIR XDG_SESSION_ID DBUS_SESSION_BUS_ADDRESS
SSH_AUTH_SOCK SSH_CLIENT SSH_CONNECTION SSH_TTY SUDO_USER SUDO_UID SUDO_GID SUDO_COMMAND TMUX
VIRTUAL_ENV PYTHONPATH PYTHONUNBUFFERED PYTHON_VERSION NO_COLOR CLICOLOR FORCE_COLOR DEBUG VERBOSE
HTTP_PROXY http_proxy https_proxy ALL_PROXY all_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR
REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GPG_TTY INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET WATCHDOG_USEC
WATCHDOG_PID CREDENTIALS_DIRECTORY STATE_DIRECTORY RUNTIME_DIRECTORY LOGS_DIRECTORY MALLOC_ARENA_MAX
LISTEN_FDS LISTEN_PID MAINPID SYSTEMD_EXEC_PID container
"""

CI_AND_PLATFORMS = """
CI CI_JOB_ID CI_COMMIT_SHA CI_PIPELINE_SOURCE CI_ENVIRONMENT_NAME CI_REGISTRY BUILD_ID BUILD_NUMBER
BUILD_URL JOB_NAME NODE_NAME EXECUTOR_NUMBER WORKSPACE JENKINS_URL CHANGE_ID BRANCH_NAME GIT_BRANCH
GITHUB_ACTIONS GITHUB_ACTOR GITHUB_REF GITHUB_SHA GITHUB_TOKEN RUNNER_OS RUNNER_TEMP RELEASE
RELEASE_CHANNEL CHANNEL_ID CHANNEL_NAME NOTIFICATION_CHANNEL RUSTUP_CHANNEL ALERT_CHANNEL
TRAVIS CIRCLECI BUILDKITE TF_BUILD SYSTEM_TEAMPROJECT AGENT_ID DEPLOYMENT_ID DEPLOYMENT_NAME
DEPLOYMENT_GROUP_NAME DEPLOYMENT_ENVIRONMENT ENVIRONMENT ENV APP_ENV STAGE REGION RELEASE_LABEL
POD_NAME POD_IP POD_NAMESPACE NAMESPACE HOST_IP HOST_NAME NODE_IP SERVICE_NAME SERVICE_PORT
OPERATOR_NAME DYNO_RAM WEB_CONCURRENCY AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
GOOGLE_CLOUD_PROJECT AZURE_CLIENT_ID SECRET SECRETS SECRET_KEY SECRETS_PATH SECRET_KEY_BASE
DATABASE DATABASE_HOST DATABASE_NAME DATABASE_PASSWORD DATABASE_PORT DATABASE_USER DB_URL DB_HOST
PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGSSLMODE PGSSLROOTCERT POSTGRES_DB POSTGRES_USER
REDIS_URL LOG LOGS LOGFILE LOG_FILE LOG_DIR LOG_PATH LOG_LINES LOG_JSON LOGGING_LEVEL NODE_ENV
OTEL_SERVICE_NAME OTEL_EXPORTER_OTLP_ENDPOINT SENTRY_DSN NOTIFIER NOTIFY_EMAIL NOTIFY_URL
NOTIFICATIONS AUDIT AUDIT_LOG AUDIT_USER REASON REASONS REQUEST REQUESTS REQUEST_ID REQUIRE
REMIND SCHEDULE SCHEDULE_CRON KEEP KEEP_DAYS FOLLOW TTL EXECUTION_ID EXECUTION_MODE
APP_PORT METRICS_PORT VCENTER_HOST VSPHERE_SERVER VSPHERE_USER VIRTUAL_HOST VRRP_PRIORITY
TEAM_CHANNELS
"""


def test_names_of_others_are_left_alone(load_with: Any) -> None:
    others = f"{SLACK_CLI} {KUBERNETES} {SHELLS} {CI_AND_PLATFORMS}".split()
    proxies = {name: "" for name in others if name.lower() == "https_proxy"}
    assert load_with(**dict.fromkeys(others, "x") | proxies) == load_with()


def test_a_port_alone_is_none_of_a_service(sentences_with: Any) -> None:
    given = {"VR_UNPAIR_SERVICE_HOST": "x", "VR_UNPAIR_SERVICE_PORT": "x", "VR_PORT": "443"}
    assert list(sentences_with(**given)) == ["VR_PORT"]
    assert list(sentences_with(VR_UNPAIR_PORT="tcp://192.0.2.1:1")) == ["VR_UNPAIR_PORT"]
