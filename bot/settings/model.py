"""All settings of the bot, checked and immutable."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from bot.settings import forms
from bot.settings.appliance import ApplianceSettings
from bot.settings.durations import DurationMs, DurationOrZeroMs
from bot.settings.problems import Problem, SettingsError

Mode = Literal["http", "socket"]
"""How Slack reaches the bot: it calls our port, or we keep a socket to Slack open."""

_People = Annotated[tuple[str, ...], BeforeValidator(forms.people)]
_Approvals = Annotated[int, BeforeValidator(forms.whole_number(1, 100))]
_Level = Literal["debug", "info", "warning", "error", "critical"]
_LEVELS = forms.one_of("debug", "info", "warning", "error", "critical")


class Settings(BaseModel):
    """The settings, named like the documented variables in lower case. Only `loading.load` reads
    the environment, so an object made in a test takes nothing from the machine.

    Durations are whole milliseconds. `sites` has one entry for each appliance; a single one set by
    the `VR_*` variables is named `default`. An empty `requesters` means anybody in the workspace,
    an empty `channels` any channel, an empty `break_glass` nobody.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    slack_bot_token: SecretStr = Field(
        description="give the bot token of the Slack app, it begins with xoxb-"
    )
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_api_url: Annotated[str, BeforeValidator(forms.slack_api_url)] = "https://slack.com/api/"
    slack_command: Annotated[str, BeforeValidator(forms.slack_command)] = "/vr-unpair"
    deployment_label: Annotated[str, BeforeValidator(forms.label)] = ""
    sites: dict[str, ApplianceSettings] = Field(min_length=1)
    approvers: _People = Field(
        min_length=1,
        description="list who may approve, as user ids (U…, W…) and user group ids (S…) "
        "separated by commas",
    )
    approvals_required: _Approvals = 1
    force_approvals_required: _Approvals | None = None
    notify: Annotated[tuple[str, ...], BeforeValidator(forms.people_or_none)] | None = None
    break_glass: _People = ()
    requesters: _People = ()
    channels: Annotated[tuple[str, ...], BeforeValidator(forms.channels)] = ()
    require_reason: Annotated[bool, BeforeValidator(forms.switch)] = False
    reason_pattern: Annotated[str, BeforeValidator(forms.regular_expression)] | None = None
    approval_ttl: DurationMs = 3_600_000
    execution_ttl: DurationMs = 600_000
    follow_ttl: DurationMs = 86_400_000
    remind_after: DurationOrZeroMs = 900_000
    database_url: Annotated[SecretStr, BeforeValidator(forms.database_url)] = SecretStr(
        "sqlite:///vr-unpair.db"
    )
    host: Annotated[str, BeforeValidator(forms.listen_address)] = "0.0.0.0"  # noqa: S104 - contract
    port: Annotated[int, BeforeValidator(forms.whole_number(0, 65535))] = 3000
    operate_port: Annotated[int, BeforeValidator(forms.whole_number(0, 65535))] | None = None
    """Where health and metrics are served alone; None: on `port`, with what Slack sends."""
    dry_run: Annotated[bool, BeforeValidator(forms.switch)] = False
    log_level: Annotated[_Level, BeforeValidator(_LEVELS)] = "info"
    log_format: Annotated[
        Literal["console", "json"], BeforeValidator(forms.one_of("console", "json"))
    ] = "console"

    @field_validator("slack_bot_token", "slack_signing_secret", "slack_app_token")
    @classmethod
    def _sendable(cls, value: SecretStr | None) -> SecretStr | None:
        # It goes into an HTTP header. A copied line end would fail there, with an error that quotes
        # the secret.
        if value is not None and not re.fullmatch(r"[!-~]+", value.get_secret_value()):
            raise ValueError("holds a space, a line end or another odd character: copy it again")
        return value

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value().startswith(("xapp-", "xoxp-")):
            raise ValueError("is not a bot token: give the one that begins with xoxb-")
        return value

    @field_validator("slack_app_token")
    @classmethod
    def _app_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and value.get_secret_value().startswith(("xoxb-", "xoxp-")):
            raise ValueError("is not an app-level token: give the one that begins with xapp-")
        return value

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

    def problems_for_run(self) -> list[Problem]:
        """What keeps `run` from starting, although other commands work with these settings."""
        return way_in_problems(
            self.slack_signing_secret is not None, self.slack_app_token is not None
        )

    def mode(self) -> Mode:
        """How Slack reaches the bot. Raises SettingsError when no way or both ways are set."""
        if problems := self.problems_for_run():
            raise SettingsError(problems)
        return "http" if self.slack_app_token is None else "socket"


def way_in_problems(signing_secret: bool, app_token: bool) -> list[Problem]:
    """Slack must reach the bot in exactly one way. The arguments say which settings are given."""
    if not signing_secret and not app_token:
        return [
            Problem(
                "SLACK_SIGNING_SECRET",
                "Neither SLACK_SIGNING_SECRET nor SLACK_APP_TOKEN is set: set the first for "
                "HTTP mode or the second for Socket Mode.",
            )
        ]
    if signing_secret and app_token:
        return [
            Problem(
                "SLACK_APP_TOKEN",
                "SLACK_SIGNING_SECRET and SLACK_APP_TOKEN are both set: keep the first for "
                "HTTP mode or the second for Socket Mode.",
            )
        ]
    return []
