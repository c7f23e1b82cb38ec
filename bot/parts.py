"""Makes from the settings the parts that the bot, `check` and the tests have in common.

The adapters know nothing about metrics: here each gets a small callable instead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from bot import __version__
from bot.appliance.budget import Budget, BudgetState
from bot.appliance.client import Appliance
from bot.appliance.credentials import Credentials, Secrets
from bot.appliance.http import OnCall
from bot.appliance.refused_login import rest_of
from bot.appliance.session import SECRETS_FRESH_SECONDS
from bot.appliance.tls import Trust
from bot.operate import logs
from bot.operate.metrics import Metrics
from bot.request.audit_chain import Entry
from bot.request.model import Figures, Request
from bot.settings import ApplianceSettings, Settings, SettingsError
from bot.store import queries, shared
from bot.store.database import Database

log = structlog.get_logger(__name__)


def appliance_of(
    site: ApplianceSettings,
    budget: Budget,
    now: Callable[[], int],
    on_call: OnCall = lambda *_: None,
    label: str | None = None,
    site_now: Callable[[], ApplianceSettings] | None = None,
) -> Appliance:
    """A client of one appliance; `now` in ms epoch. `label`: what people may call its pairing.
    `site_now` gives the site as it is set now. The caller has to close it."""
    return Appliance(
        host=site.host,
        secrets=SecretsNow(site_now or (lambda: site)),
        base_path=site.base_path,
        timeout_seconds=site.timeout_seconds,
        budget=budget,
        user_agent=f"vr-unpair/{__version__}",
        now=now,
        label=label,
        on_call=on_call,
    )


def trust_of(site: ApplianceSettings) -> Trust:
    if site.fingerprint:
        return Trust.fingerprint(site.fingerprint)
    if site.ca_file:
        return Trust.ca_file(site.ca_file)
    return Trust.system()


class SecretsNow:
    """What an appliance is told of its secrets each time that it asks. Thread-safe, since the
    appliance asks under a lock or replaces what it had by the same."""

    def __init__(self, site: Callable[[], ApplianceSettings]) -> None:
        self._site = site
        self._trusted: tuple[object, Trust] | None = None

    def __call__(self) -> Secrets:
        """Raises ValueError or OSError where what to trust cannot be read, unless it once could."""
        site = self._site()
        local = Credentials(site.username, site.password)
        remote = None
        if site.remote_username and site.remote_password:
            remote = Credentials(site.remote_username, site.remote_password)
        try:
            told = (site.fingerprint, site.ca_file and site.ca_file.read_bytes())
            if self._trusted is None or self._trusted[0] != told:
                self._trusted = told, trust_of(site)
        except (OSError, ValueError) as error:
            if self._trusted is None:
                raise
            # It may be in the middle of being replaced.
            log.warning("trust_not_read_again", appliance=site.host, words=str(error))
        return Secrets(local, remote, self._trusted[1])


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


class SlackSecrets:
    """Slack's secrets as they are set now, by their settings. They are read again once a minute,
    and at once where Slack has refused one. What is not set any more stays. Thread-safe."""

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
        self._looked_at = monotonic()

    def get(self, name: str, refused: bool) -> str:
        """KeyError for one that was never set."""
        with self._lock:
            if refused or self._monotonic() >= self._looked_at + SECRETS_FRESH_SECONDS:
                self._looked_at = self._monotonic()
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
    }
    return {name: secret.get_secret_value() for name, secret in found.items() if secret}


def site_now(
    name: str, settings: Settings, now: Callable[[], Settings]
) -> Callable[[], ApplianceSettings]:
    """A function that gives this site with its secrets as `now` reads them; all else, such as the
    address, stays as it was."""
    last = settings.sites[name]

    def read() -> ApplianceSettings:
        nonlocal last
        site = now().sites.get(name)
        if site is not None and site.host == last.host:
            last = site
        return last

    return read


def budget_key(site: str) -> str:
    """The key under which the copies of the bot share an appliance's calls and log-ins."""
    return f"budget:{site}"


# --- With the budget that all copies share, and with the metrics


def appliances(
    settings: Settings, db: Database, metrics: Metrics, now: Callable[[], Settings]
) -> dict[str, Appliance]:
    """The appliances by site. Each uses the budget and the log-ins that all copies share, and the
    secrets that `now` reads."""
    made = {}
    for name, site in settings.sites.items():
        budget = Budget(
            site.calls_per_minute,
            partial(change_budget, db, name),
            on_wait=partial(metrics.budget_waited, name),
            on_login=partial(metrics.logged_in, name),
        )
        label = name if len(settings.sites) > 1 else None  # nobody has named a single appliance
        of_now = site_now(name, settings, now)
        called = partial(metrics.appliance_called, name)
        made[name] = appliance_of(site, budget, db.about_now, called, label, of_now)
    return made


def saved(metrics: Metrics, request: Request | None, entries: Sequence[Entry]) -> None:
    """Puts a step of a request into the log and the metrics."""
    try:
        logs.steps(request, entries)
        metrics.saved(request, entries)
    except Exception:
        # The step is committed. An error raised here would look to the caller as if it was not.
        log.exception("step_not_told")


def read_figures(db: Database, sites: Sequence[str]) -> Figures:
    return queries.figures(db, [budget_key(site) for site in sites])


def login_rests(sites: Sequence[str], found: Figures) -> dict[str, tuple[float, float]]:
    """Since when each site is not logged in to, in epoch seconds, and for how many seconds more;
    both are 0 where it may be."""
    states = {site: _state(found.shared.get(budget_key(site))) for site in sites}
    rests = {site: rest_of(state, found.at) for site, state in states.items()}
    return {
        site: (rest.since_ms / 1000, (rest.until_ms - found.at) / 1000) if rest else (0.0, 0.0)
        for site, rest in rests.items()
    }


def certificate_ends(appliances: Mapping[str, Appliance]) -> dict[str, float]:
    """In epoch seconds, by site, where a connection has shown it."""
    ends = {site: each.certificate_end for site, each in appliances.items()}
    return {site: end.timestamp() for site, end in ends.items() if end}


def change_budget(db: Database, site: str, how: Callable[[BudgetState, int], BudgetState]) -> None:
    """Changes the budget of one appliance, which all copies of the bot share."""
    shared.change(
        db, budget_key(site), lambda value, now: how(_state(value), now).model_dump_json()
    )


def _state(value: str | None) -> BudgetState:
    return BudgetState.model_validate_json(value) if value else BudgetState()
