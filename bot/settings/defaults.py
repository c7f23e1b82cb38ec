"""All settings of the bot, checked and immutable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import quote
from urllib.request import getproxies_environment

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

from bot.audit_key import AuditKey, audit_key, read_key_file
from bot.request.pools import Pool
from bot.request.who_may import Policy, SiteTerms
from bot.settings import audit_values, values

_DurationMs = Annotated[int, BeforeValidator(values.duration("1s"))]
_DurationOrZeroMs = Annotated[int, BeforeValidator(values.duration("0"))]
_People = Annotated[tuple[str, ...], BeforeValidator(values.people)]
_Approvals = Annotated[int, BeforeValidator(values.whole_number(1, 100))]
_Port = Annotated[int, BeforeValidator(values.whole_number(0, 65535))]
_Switch = Annotated[bool, BeforeValidator(values.switch)]
_Level = Literal["debug", "info", "warning", "error", "critical"]
_Format = Literal["console", "json"]
_BeforeAct = Literal["off", "log", "http"]
_Username = Annotated[str, BeforeValidator(values.username)]
_Password = Annotated[SecretStr, BeforeValidator(values.password)]
_BOT_TOKEN = values.token_of("a bot token", "xoxb-", ("xapp-", "xoxp-"))
_APP_TOKEN = values.token_of("an app-level token", "xapp-", ("xoxb-", "xoxp-"))

_STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True)
class Problem:
    """One wrong or missing setting.

    `setting` is its name as people write it (`VR_HOST`), or `.env` for the file and `.env:4` for a
    line of it. `sentence` names the setting, says what is wrong and what to do; it holds no secret.
    """

    setting: str
    sentence: str


class SettingsError(Exception):
    """The settings cannot be used. `problems` has the first one of each wrong setting."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        first: dict[str, Problem] = {}
        for problem in problems:
            first.setdefault(problem.setting, problem)
        self.problems = tuple(first.values())
        super().__init__("\n".join(problem.sentence for problem in self.problems))


class ApplianceSettings(BaseModel):
    """One vSphere Replication appliance.

    At most one of `ca_file` and `fingerprint` is set; with neither, the system's certificate store
    decides. A remote user has a password.
    """

    model_config = _STRICT

    host: Annotated[str, BeforeValidator(values.host)] = Field(
        description="name the vSphere Replication appliance, host or host:port"
    )
    username: _Username = Field(description="name the local SSO user that the bot logs in as")
    password: _Password = Field(description="give the password of the local SSO user")
    remote_username: _Username | None = None
    remote_password: _Password | None = None
    ca_file: Annotated[Path, BeforeValidator(values.ca_file)] | None = None
    fingerprint: Annotated[str, BeforeValidator(values.fingerprint)] | None = None
    base_path: Annotated[
        str, BeforeValidator(values.base_path), AfterValidator(lambda path: path.rstrip("/"))
    ] = "/api/rest/vr/v2"
    poll_seconds: Annotated[float, BeforeValidator(values.seconds(0.1, 3600))] = 5.0
    timeout_seconds: Annotated[float, BeforeValidator(values.seconds(0.1, 300))] = 10.0
    # With fewer, following running tasks leaves too few calls for checks of new requests.
    calls_per_minute: Annotated[int, BeforeValidator(values.whole_number(20, 100_000))] = 40


class PoolSettings(BaseModel):
    """One pool of approvers: APPROVERS__<NAME> and its two numbers, of which the second falls back
    to the first."""

    model_config = _STRICT

    approvers: _People = Field(
        min_length=1,
        description="list who may approve, as user ids (U…, W…) and user group ids (S…) "
        "separated by commas",
    )
    approvals_required: _Approvals = 1
    force_approvals_required: _Approvals | None = None

    def pool(self, name: str, *, force: bool = False) -> Pool:
        needed = self.approvals_required
        if force:
            needed = self.force_approvals_required or needed
        return Pool(name=name, needed=needed, listed=tuple(sorted(set(self.approvers))))


class Settings(BaseModel):
    """The settings, named like the documented variables in lower case. Only `load` reads the
    environment, so an object made in a test takes nothing from the machine.

    Durations are whole milliseconds. `sites` has one entry for each appliance; a single one set by
    the `VR_*` variables is named `default`. An empty `requesters` means anybody in the workspace,
    an empty `channels` any channel, an empty `break_glass` nobody. `pools` has one entry for each
    pool of approvers; the only one that APPROVERS makes has the name "".
    """

    model_config = _STRICT

    slack_bot_token: Annotated[SecretStr, BeforeValidator(_BOT_TOKEN)] = Field(
        description="give the bot token of the Slack app, it begins with xoxb-"
    )
    slack_signing_secret: Annotated[SecretStr, BeforeValidator(values.token)] | None = None
    slack_app_token: Annotated[SecretStr, BeforeValidator(_APP_TOKEN)] | None = None
    slack_api_url: Annotated[str, BeforeValidator(values.slack_api_url)] = "https://slack.com/api/"
    slack_command: Annotated[str, BeforeValidator(values.slack_command)] = "/vr-unpair"
    deployment_label: Annotated[str, BeforeValidator(values.label)] = ""
    sites: dict[str, ApplianceSettings] = Field(min_length=1)
    pools: dict[str, PoolSettings] = Field(min_length=1)
    same_person: Annotated[tuple[tuple[str, ...], ...], BeforeValidator(values.same_person)] = ()
    notify: Annotated[tuple[str, ...], BeforeValidator(values.people_or_none)] | None = None
    break_glass: _People = ()
    requesters: _People = ()
    channels: Annotated[tuple[str, ...], BeforeValidator(values.channels)] = ()
    require_reason: _Switch = False
    reason_pattern: Annotated[str, BeforeValidator(values.regular_expression)] | None = None
    approval_ttl: _DurationMs = 3_600_000
    execution_ttl: _DurationMs = 600_000
    follow_ttl: _DurationMs = 86_400_000
    remind_after: _DurationOrZeroMs = 900_000
    schedule_max: _DurationOrZeroMs = 604_800_000
    database_url: Annotated[SecretStr, BeforeValidator(values.database_url)] = SecretStr(
        "sqlite:///vr-unpair.db"
    )
    keep_for: Annotated[int, BeforeValidator(values.duration("1d"))] = 180 * 86_400_000
    """How long what is over and only serves the bot is kept; Slack repeats nothing after a day."""
    # In Socket Mode nobody calls but what watches the bot, and that is on its machine.
    host: Annotated[str, BeforeValidator(values.listen_address)] = Field(
        default_factory=lambda data: "127.0.0.1" if data.get("slack_app_token") else "0.0.0.0"  # noqa: S104
    )
    port: _Port = 3000
    operate_port: _Port | None = None
    """Where health and metrics are served alone; None: on `port`, with what Slack sends."""
    dry_run: _Switch = False
    audit_key_file: Annotated[Path, BeforeValidator(audit_values.key_file)] | None = None
    audit_key: Annotated[SecretStr, BeforeValidator(audit_values.key)] | None = None
    audit_before_act: Annotated[
        _BeforeAct, BeforeValidator(values.one_of(*get_args(_BeforeAct)))
    ] = "off"
    audit_url: Annotated[str, BeforeValidator(audit_values.url)] | None = None
    audit_token: Annotated[SecretStr, BeforeValidator(values.token)] | None = None
    log_level: Annotated[_Level, BeforeValidator(values.one_of(*get_args(_Level)))] = "info"
    log_format: Annotated[_Format, BeforeValidator(values.one_of(*get_args(_Format)))] = "console"

    @field_validator("operate_port")
    @classmethod
    def _the_default_written_down(cls, value: int | None, info: ValidationInfo) -> int | None:
        # 0 is a free port, so two of them are never the same.
        return None if value and value == info.data.get("port") else value

    @property
    def approvers(self) -> tuple[str, ...]:
        """All who may approve, whatever the pool, each once."""
        return tuple(dict.fromkeys(who for pool in self.pools.values() for who in pool.approvers))

    @property
    def effective_notify(self) -> tuple[str, ...]:
        """Who is mentioned on a new card and in reminders; empty for nobody."""
        return self.approvers if self.notify is None else self.notify

    def secrets(self) -> list[str]:
        """Every value that must never be shown, also as it stands in an address, and the passwords
        in DATABASE_URL and in the proxies of the environment."""
        mine = [self.slack_bot_token, self.slack_signing_secret, self.slack_app_token]
        mine += [self.audit_key, self.audit_token]
        passwords = [p for s in self.sites.values() for p in (s.password, s.remote_password)]
        found = [secret.get_secret_value() for secret in (*mine, *passwords) if secret]
        for address in (self.database_url.get_secret_value(), *getproxies_environment().values()):
            found += values.passwords_in(address)
        return list(dict.fromkeys(form for s in found for form in (s, quote(s, safe=""))))

    def signer(self) -> AuditKey | None:
        """The key that signs the audit trail. Raises ValueError where its file has changed."""
        if self.audit_key_file is not None:
            return audit_key(read_key_file(self.audit_key_file))
        return audit_key(self.audit_key.get_secret_value()) if self.audit_key else None

    def policy(self) -> Policy:
        """What requests need to know of the settings."""
        return Policy(
            pools=tuple(pool.pool(name) for name, pool in self.pools.items()),
            force_pools=tuple(pool.pool(name, force=True) for name, pool in self.pools.items()),
            same_person=self.same_person,
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

    def mode(self) -> Literal["http", "socket"]:
        """How Slack reaches the bot: it calls our port, or we keep a socket to Slack open."""
        return "socket" if self.slack_app_token else "http"
