"""Makes from the settings the parts that the bot, `check` and the tests have in common."""

from __future__ import annotations

from bot import __version__
from bot.appliance.budget import Budget
from bot.appliance.client import Appliance
from bot.appliance.transport import OnCall
from bot.appliance.trust import Trust
from bot.request.policy import Policy, SiteTerms
from bot.settings import ApplianceSettings, Settings


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
