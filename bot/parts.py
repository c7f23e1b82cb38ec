"""Makes from the settings the parts that the bot, `check` and the tests have in common.

The adapters know nothing about metrics: here each gets a small callable instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from bot import __version__
from bot.appliance.budget import Budget, BudgetState, Change, rest_seconds
from bot.appliance.client import Appliance
from bot.appliance.http import OnCall
from bot.appliance.tls import Trust
from bot.operate import logs
from bot.operate.metrics import Metrics
from bot.request.audit import Entry
from bot.request.model import Figures, Request
from bot.request.who_may import Policy, SiteTerms
from bot.settings import ApplianceSettings, Settings
from bot.store import queries, shared
from bot.store.database import Database
from bot.store.requests import OnSaved

log = structlog.get_logger(__name__)


def appliance_of(
    site: ApplianceSettings, budget: Budget, on_call: OnCall | None = None
) -> Appliance:
    """A client of one appliance. The caller has to close it."""
    return Appliance(
        host=site.host,
        username=site.username,
        password=site.password,
        remote_username=site.remote_username,
        remote_password=site.remote_password,
        trust=trust_of(site),
        base_path=site.base_path,
        timeout_seconds=site.timeout_seconds,
        budget=budget,
        user_agent=f"vr-unpair/{__version__}",
        on_call=on_call,
    )


def trust_of(site: ApplianceSettings) -> Trust:
    if site.fingerprint:
        return Trust.fingerprint(site.fingerprint)
    if site.ca_file:
        return Trust.ca_file(site.ca_file)
    return Trust.system()


def secrets_of(settings: Settings) -> list[str]:
    """Every value that must never be shown."""
    mine = (settings.slack_bot_token, settings.slack_signing_secret, settings.slack_app_token)
    sites = settings.sites.values()
    passwords = [p for site in sites for p in (site.password, site.remote_password)]
    return [s.get_secret_value() for s in (*mine, *passwords) if s]


def policy_of(settings: Settings) -> Policy:
    return Policy(
        approvers=frozenset(settings.approvers),
        approvals_required=settings.approvals_required,
        force_approvals_required=settings.effective_force_approvals_required,
        notify=settings.effective_notify,
        requesters=frozenset(settings.requesters) or None,
        channels=frozenset(settings.channels) or None,
        require_reason=settings.require_reason,
        reason_pattern=settings.reason_pattern,
        approval_ttl_ms=settings.approval_ttl,
        execution_ttl_ms=settings.execution_ttl,
        follow_ttl_ms=settings.follow_ttl,
        remind_after_ms=settings.remind_after,
        dry_run=settings.dry_run,
        label=settings.deployment_label,
        break_glass=frozenset(settings.break_glass),
        sites={
            name: SiteTerms(
                appliance=site.host,
                poll_ms=int(site.poll_seconds * 1000),
                calls_per_minute=site.calls_per_minute,
                timeout_ms=int(site.timeout_seconds * 1000),
            )
            for name, site in settings.sites.items()
        },
    )


def budget_key(site: str) -> str:
    """The key under which the copies of the bot share an appliance's calls and log-ins."""
    return f"budget:{site}"


# --- With the budget that all copies share, and with the metrics


def appliances(settings: Settings, db: Database, metrics: Metrics) -> dict[str, Appliance]:
    """The appliances by site. Each uses the budget and the log-ins that all copies share."""
    made = {}
    for name, site in settings.sites.items():
        observers = metrics.of_site(name)
        budget = Budget(
            site.calls_per_minute,
            _shared(db, name),
            on_wait=observers.waited,
            on_login=observers.logged_in,
        )
        made[name] = appliance_of(site, budget, observers.called)
    return made


def saved(metrics: Metrics) -> OnSaved:
    """Puts each step of a request into the log and the metrics."""

    def told(request: Request | None, entries: Sequence[Entry]) -> None:
        try:
            logs.steps(request, entries)
            metrics.saved(request, entries)
        except Exception:
            # The step is committed. An error raised here would look to the caller as if it was not.
            log.exception("step_not_told")

    return told


def read_figures(db: Database, sites: Sequence[str]) -> Callable[[], Figures]:
    return lambda: queries.figures(db, [budget_key(site) for site in sites])


def login_rests(sites: Sequence[str]) -> Callable[[Figures], dict[str, float]]:
    """A function from the figures to the seconds for which each site is not logged in to."""

    def seconds(found: Figures) -> dict[str, float]:
        states = {site: _state(found.shared.get(budget_key(site))) for site in sites}
        return {site: rest_seconds(state, found.at) for site, state in states.items()}

    return seconds


def _shared(db: Database, site: str) -> Change:
    """Changes the budget of one appliance, which all copies of the bot share."""

    def change(how: Callable[[BudgetState, int], BudgetState]) -> None:
        def apply(value: str | None, now: int) -> str:
            return how(_state(value), now).model_dump_json()

        shared.change(db, budget_key(site), apply)

    return change


def _state(value: str | None) -> BudgetState:
    return BudgetState.model_validate_json(value) if value else BudgetState()
