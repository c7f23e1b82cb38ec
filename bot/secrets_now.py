"""Secrets as they are set now: a password, a token or a trusted certificate that has changed in
`.env` or SECRETS_DIR is used without a restart. All other settings stay as they were at the start.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import structlog

from bot import __version__
from bot.appliance.appliance import Appliance
from bot.appliance.budget import Budget
from bot.appliance.http_call import OnCall, Transport
from bot.appliance.session import SECRETS_FRESH_SECONDS, Credentials, Secrets, Sessions
from bot.appliance.tls import Trust
from bot.operate import logs
from bot.settings import ApplianceSettings, Settings, SettingsError

log = structlog.get_logger(__name__)

REFUSED_FRESH_SECONDS = 1.0
"""How often at most a secret that was refused is read again: anybody can send a wrong signature."""


def settings_now(settings: Settings, again: Callable[[], Settings]) -> Callable[[], Settings]:
    """A function that gives the settings as `again` reads them, or as they were where they cannot
    be read. What has become secret is masked in the log, and what was so stays masked."""
    last = settings

    def read() -> Settings:
        nonlocal last
        try:
            last = again()
        except SettingsError as error:
            wrong = sorted({problem.setting for problem in error.problems})
            log.warning("settings_not_read_again", settings=wrong)
        logs.mask_too(last.secrets())
        return last

    return read


def trust_of(site: ApplianceSettings) -> Trust:
    if site.fingerprint:
        return Trust.fingerprint(site.fingerprint)
    if site.ca_file:
        return Trust.ca_file(site.ca_file)
    return Trust.system()


class ApplianceSecrets:
    """What an appliance is told of its secrets each time that it asks. `now` gives the site as it
    is set now. At another address it is another appliance, which must not get this one's password.
    Thread-safe, since the appliance asks under a lock or replaces what it had by the same."""

    def __init__(
        self, site: ApplianceSettings, now: Callable[[], ApplianceSettings | None] = lambda: None
    ) -> None:
        self._site = site
        self._now = now
        self._trusted: tuple[object, Trust] | None = None

    def __call__(self) -> Secrets:
        """Raises OSError where what to trust cannot be read, unless it once could."""
        now = self._now()
        if now is not None and now.host == self._site.host:
            self._site = now
        site, remote = self._site, None
        if site.remote_username and site.remote_password:
            remote = Credentials(site.remote_username, site.remote_password)
        try:
            told = (site.fingerprint, site.ca_file and site.ca_file.read_bytes())
            if self._trusted is None or self._trusted[0] != told:
                self._trusted = told, trust_of(site)
        except OSError as error:
            if self._trusted is None:
                raise
            # It may be in the middle of being replaced.
            log.warning("trust_not_read_again", appliance=site.host, words=str(error))
        return Secrets(Credentials(site.username, site.password), remote, self._trusted[1])


def appliance_of(
    site: ApplianceSettings,
    budget: Budget,
    now: Callable[[], int],
    on_call: OnCall = lambda *_: None,
    label: str | None = None,
    site_now: Callable[[], ApplianceSettings | None] = lambda: None,
) -> Appliance:
    """A client of one appliance; `now` in ms epoch. `label`: what people may call its pairing. The
    caller has to close it."""
    secrets = ApplianceSecrets(site, site_now)
    transport = Transport(
        host=site.host,
        base_path=site.base_path,
        trust=secrets().trust,
        timeout_seconds=site.timeout_seconds,
        user_agent=f"vr-unpair/{__version__}",
        on_call=on_call,
    )
    return Appliance(Sessions(transport, budget, secrets, now), label)


class SlackSecrets:
    """Slack's secrets by their settings. They are read again once a minute, and where Slack has
    refused one. What is not set any more stays. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], Settings],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = now
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._secrets = _of_slack(settings)
        self._looked_at, self._refused_at = monotonic(), -math.inf

    def get(self, name: str, refused: bool) -> str:
        """KeyError for one that was never set."""
        with self._lock:
            now = self._monotonic()
            again = refused and now >= self._refused_at + REFUSED_FRESH_SECONDS
            if again or now >= self._looked_at + SECRETS_FRESH_SECONDS:
                self._looked_at = now
                self._refused_at = now if refused else self._refused_at
                found = _of_slack(self._read())
                changed = sorted(key for key in found if found[key] != self._secrets.get(key))
                if changed:
                    log.info("slack_secrets_changed", settings=changed)
                self._secrets |= found
            return self._secrets[name]


def _of_slack(settings: Settings) -> dict[str, str]:
    found = {
        "SLACK_BOT_TOKEN": settings.slack_bot_token,
        "SLACK_SIGNING_SECRET": settings.slack_signing_secret,
        "SLACK_APP_TOKEN": settings.slack_app_token,
        "AUDIT_TOKEN": settings.audit_token,
    }
    return {name: secret.get_secret_value() for name, secret in found.items() if secret}
