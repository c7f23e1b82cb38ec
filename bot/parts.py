"""Makes from the settings the parts that the bot, `check` and the tests have in common.

The adapters know nothing about metrics: here each gets a small callable instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import structlog

from bot import __version__
from bot.appliance.budget import Budget, BudgetState, login_rest_seconds
from bot.appliance.client import Appliance
from bot.appliance.http import OnCall
from bot.appliance.tls import Trust
from bot.operate import logs
from bot.operate.metrics import Metrics
from bot.request.audit import Entry
from bot.request.model import Figures, Request
from bot.settings import ApplianceSettings, Settings
from bot.store import queries, shared
from bot.store.database import Database

log = structlog.get_logger(__name__)


def appliance_of(
    site: ApplianceSettings,
    budget: Budget,
    now: Callable[[], int],
    on_call: OnCall = lambda *_: None,
    label: str | None = None,
) -> Appliance:
    """A client of one appliance; `now` in ms epoch. `label`: what people may call its pairing.
    The caller has to close it."""
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
            partial(change_budget, db, name),
            on_wait=observers.waited,
            on_login=observers.logged_in,
        )
        label = name if len(settings.sites) > 1 else None  # nobody has named a single appliance
        made[name] = appliance_of(site, budget, db.about_now, observers.called, label)
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


def login_rests(sites: Sequence[str], found: Figures) -> dict[str, float]:
    """For how many seconds each site is not logged in to."""
    states = {site: _state(found.shared.get(budget_key(site))) for site in sites}
    return {site: login_rest_seconds(state, found.at) for site, state in states.items()}


def change_budget(db: Database, site: str, how: Callable[[BudgetState, int], BudgetState]) -> None:
    """Changes the budget of one appliance, which all copies of the bot share."""
    shared.change(
        db, budget_key(site), lambda value, now: how(_state(value), now).model_dump_json()
    )


def _state(value: str | None) -> BudgetState:
    return BudgetState.model_validate_json(value) if value else BudgetState()
