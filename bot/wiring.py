"""Connects the parts with the budget that all copies share, and with the metrics.

The adapters know nothing about metrics: here each gets a small callable instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from bot.appliance.budget import Budget, BudgetState, Change, rest_seconds
from bot.appliance.client import Appliance
from bot.operate import logs
from bot.operate.metrics import Metrics
from bot.parts import appliance_of, budget_key
from bot.request.entries import Entry
from bot.request.figures import Figures
from bot.request.model import Request
from bot.settings import Settings
from bot.store import figures, shared
from bot.store.database import Database
from bot.store.saving import OnSaved

log = structlog.get_logger(__name__)


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
    return lambda: figures.read(db, [budget_key(site) for site in sites])


def resting(sites: Sequence[str]) -> Callable[[Figures], dict[str, float]]:
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
