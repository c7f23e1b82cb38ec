"""All settings of the bot, checked and immutable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from bot.request.who_may import Policy, SiteTerms
from bot.settings import values

Mode = Literal["http", "socket"]
"""How Slack reaches the bot: it calls our port, or we keep a socket to Slack open."""

DurationMs: TypeAlias = Annotated[int, BeforeValidator(values.parse_duration)]
"""Whole milliseconds, more than 0. Read from text (`15m`) or from an int of milliseconds."""

_DurationOrZero = Annotated[int, BeforeValidator(partial(values.parse_duration, zero_allowed=True))]
_People = Annotated[tuple[str, ...], BeforeValidator(values.people)]
_OR_NOBODY = partial(values.people, nobody_allowed=True)
_ONE_DAY = partial(values.parse_duration, least="1d")
_Approvals = Annotated[int, BeforeValidator(values.whole_number(1, 100))]
_Port = Annotated[int, BeforeValidator(values.whole_number(0, 65535))]
_Switch = Annotated[bool, BeforeValidator(values.switch)]
_Level = Literal["debug", "info", "warning", "error", "critical"]
_LEVELS = values.one_of("debug", "info", "warning", "error", "critical")
_Username = Annotated[str, BeforeValidator(values.username)]
_Password = Annotated[SecretStr, AfterValidator(values.password)]
_FORMATS = values.one_of("console", "json")
_BOT_TOKEN = values.token_of("a bot token", "xoxb-", ("xapp-", "xoxp-"))
_APP_TOKEN = values.token_of("an app-level token", "xapp-", ("xoxb-", "xoxp-"))

_STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True)
class Problem:
    """One wrong or missing setting.

    `setting` is its name as people write it (`VR_HOST`), or `.env` for the file itself.
    `sentence` names the setting, says what is wrong and what to do, and holds no secret.
    """

    setting: str
    sentence: str


class SettingsError(Exception):
    """The settings cannot be used. `problems` has one entry for each wrong setting, so at least
    one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(problem.sentence for problem in problems))
        self.problems: tuple[Problem, ...] = tuple(problems)


class ApplianceSettings(BaseModel):
    """One vSphere Replication appliance.

    At most one of `ca_file` and `fingerprint` is set; with neither, the system's certificate store
    decides.
    """

    model_config = _STRICT

    host: Annotated[str, BeforeValidator(values.host)] = Field(
        description="name the vSphere Replication appliance, host or host:port"
    )
    username: _Username = Field(description="name the local SSO user that the bot logs in as")
    password: _Password = Field(description="give the password of the local SSO user")
    remote_username: _Username | None = None
    remote_password: _Password | None = Field(default=None, validate_default=True)
    ca_file: Annotated[Path, BeforeValidator(values.ca_file)] | None = None
    fingerprint: Annotated[str, BeforeValidator(values.fingerprint)] | None = Field(
        default=None, validate_default=True
    )
    base_path: Annotated[
        str, BeforeValidator(values.base_path), AfterValidator(lambda path: path.rstrip("/"))
    ] = "/api/rest/vr/v2"
    poll_seconds: Annotated[float, BeforeValidator(values.seconds(0.1, 3600))] = 5.0
    timeout_seconds: Annotated[float, BeforeValidator(values.seconds(0.1, 300))] = 10.0
    # With fewer, following running tasks leaves too few calls for checks of new requests.
    calls_per_minute: Annotated[int, BeforeValidator(values.whole_number(20, 100_000))] = 40

    @field_validator("remote_password")
    @classmethod
    def _both_or_neither(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if "remote_username" not in info.data:
            return value
        if value is None and info.data["remote_username"] is not None:
            raise ValueError("is not set although {remote_username} is: set both or neither")
        if value is not None and info.data["remote_username"] is None:
            raise ValueError("is set although {remote_username} is not: set both or neither")
        return value

    @field_validator("fingerprint")
    @classmethod
    def _one_trust(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("ca_file") is not None:
            raise ValueError("and {ca_file} are both set: keep the one to trust")
        return value


class Settings(BaseModel):
    """The settings, named like the documented variables in lower case. Only `load` reads the
    environment, so an object made in a test takes nothing from the machine.

    Durations are whole milliseconds. `sites` has one entry for each appliance; a single one set by
    the `VR_*` variables is named `default`. An empty `requesters` means anybody in the workspace,
    an empty `channels` any channel, an empty `break_glass` nobody.
    """

    model_config = _STRICT

    slack_bot_token: Annotated[SecretStr, AfterValidator(_BOT_TOKEN)] = Field(
        description="give the bot token of the Slack app, it begins with xoxb-"
    )
    slack_signing_secret: Annotated[SecretStr, AfterValidator(values.token)] | None = None
    slack_app_token: Annotated[SecretStr, AfterValidator(_APP_TOKEN)] | None = None
    slack_api_url: Annotated[str, BeforeValidator(values.slack_api_url)] = "https://slack.com/api/"
    slack_command: Annotated[str, BeforeValidator(values.slack_command)] = "/vr-unpair"
    deployment_label: Annotated[str, BeforeValidator(values.label)] = ""
    sites: dict[str, ApplianceSettings] = Field(min_length=1)
    approvers: _People = Field(
        min_length=1,
        description="list who may approve, as user ids (U…, W…) and user group ids (S…) "
        "separated by commas",
    )
    approvals_required: _Approvals = 1
    force_approvals_required: _Approvals | None = None
    notify: Annotated[tuple[str, ...], BeforeValidator(_OR_NOBODY)] | None = None
    break_glass: _People = ()
    requesters: _People = ()
    channels: Annotated[tuple[str, ...], BeforeValidator(values.channels)] = ()
    require_reason: _Switch = False
    reason_pattern: Annotated[str, BeforeValidator(values.regular_expression)] | None = None
    approval_ttl: DurationMs = 3_600_000
    execution_ttl: DurationMs = 600_000
    follow_ttl: DurationMs = 86_400_000
    remind_after: _DurationOrZero = 900_000
    schedule_max: _DurationOrZero = 604_800_000
    database_url: Annotated[SecretStr, BeforeValidator(values.database_url)] = SecretStr(
        "sqlite:///vr-unpair.db"
    )
    keep_for: Annotated[int, BeforeValidator(_ONE_DAY)] = 180 * 86_400_000
    """How long what is over and only serves the bot is kept; Slack repeats nothing after a day."""
    host: Annotated[str, BeforeValidator(values.listen_address)] = "0.0.0.0"  # noqa: S104 - contract
    port: _Port = 3000
    operate_port: _Port | None = None
    """Where health and metrics are served alone; None: on `port`, with what Slack sends."""
    dry_run: _Switch = False
    log_level: Annotated[_Level, BeforeValidator(_LEVELS)] = "info"
    log_format: Annotated[Literal["console", "json"], BeforeValidator(_FORMATS)] = "console"

    @field_validator("operate_port")
    @classmethod
    def _the_default_written_down(cls, value: int | None, info: ValidationInfo) -> int | None:
        # 0 is a free port, so two of them are never the same.
        return None if value and value == info.data.get("port") else value

    @property
    def effective_force_approvals_required(self) -> int:
        """How many different people must approve a one-sided break."""
        return self.force_approvals_required or self.approvals_required

    @property
    def effective_notify(self) -> tuple[str, ...]:
        """Who is mentioned on a new card and in reminders; empty for nobody."""
        return self.approvers if self.notify is None else self.notify

    def secrets(self) -> list[str]:
        """Every value that must never be shown."""
        mine = (self.slack_bot_token, self.slack_signing_secret, self.slack_app_token)
        passwords = [p for s in self.sites.values() for p in (s.password, s.remote_password)]
        return [secret.get_secret_value() for secret in (*mine, *passwords) if secret]

    def policy(self) -> Policy:
        """What requests need to know of the settings."""
        return Policy(
            approvers=frozenset(self.approvers),
            approvals_required=self.approvals_required,
            force_approvals_required=self.effective_force_approvals_required,
            notify=self.effective_notify,
            requesters=frozenset(self.requesters) or None,
            channels=frozenset(self.channels) or None,
            require_reason=self.require_reason,
            reason_pattern=self.reason_pattern,
            approval_ttl_ms=self.approval_ttl,
            execution_ttl_ms=self.execution_ttl,
            follow_ttl_ms=self.follow_ttl,
            remind_after_ms=self.remind_after,
            schedule_max_ms=self.schedule_max,
            dry_run=self.dry_run,
            label=self.deployment_label,
            break_glass=frozenset(self.break_glass),
            sites={
                name: SiteTerms(
                    appliance=site.host,
                    poll_ms=int(site.poll_seconds * 1000),
                    calls_per_minute=site.calls_per_minute,
                    timeout_ms=int(site.timeout_seconds * 1000),
                )
                for name, site in self.sites.items()
            },
        )

    def mode(self) -> Mode:
        """How Slack reaches the bot. Raises SettingsError when no way or both ways are set: that
        keeps `run` from starting, although other commands work with these settings."""
        return way_in(self.slack_signing_secret is not None, self.slack_app_token is not None)


def way_in(signing_secret: bool, app_token: bool) -> Mode:
    """The one way in which Slack reaches the bot. The arguments say which settings are given."""
    ways = "the first for HTTP mode or the second for Socket Mode."
    if signing_secret and app_token:
        sentence = f"SLACK_SIGNING_SECRET and SLACK_APP_TOKEN are both set: keep {ways}"
        raise SettingsError([Problem("SLACK_APP_TOKEN", sentence)])
    if not signing_secret and not app_token:
        sentence = f"Neither SLACK_SIGNING_SECRET nor SLACK_APP_TOKEN is set: set {ways}"
        raise SettingsError([Problem("SLACK_SIGNING_SECRET", sentence)])
    return "socket" if app_token else "http"
