"""`vr-unpair check` and the checks at a start: the tables of lines, and what each line examines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.request import getproxies

from bot.appliance import looking as appliance_looking
from bot.appliance import reach_check, session_check, way
from bot.appliance.budget import BudgetState, MemoryBudget, Priority
from bot.appliance.client import Appliance
from bot.core.finding import Finding, fine, note, skipped, wrong
from bot.core.who_may import is_group
from bot.operate.check import Line, look, masked
from bot.parts import appliance_of, budget_key, secrets_of, trust_of
from bot.settings import DEFAULT_SITE, ApplianceSettings, Settings, SettingsError, site_prefix
from bot.slack import channel_check, people_check, token_check
from bot.slack import looking as slack_looking
from bot.slack.client import api_client
from bot.slack.identity import Myself
from bot.store import check as store_check

APPLIANCES_AT_ONCE = 8

VENDOR_CALLS = 50
"""Per minute and session. Above it the appliance refuses calls, and the vendor speaks of a
temporary ban (vendor's REST API guide). An appliance may be set to another limit, so a higher
setting is only a note."""


def _settings(settings: Settings) -> Iterator[Finding]:
    count = len(settings.sites)
    yield fine("settings", f"{count} {'appliance' if count == 1 else 'appliances'}")
    if settings.dry_run:
        yield note(
            "settings", "DRY_RUN is on, so no DELETE is sent", "switch it off to do it for real"
        )
    for site in settings.sites.values():
        if site.calls_per_minute > VENDOR_CALLS:
            words = f"{site.calls_per_minute} calls a minute, and a session has {VENDOR_CALLS}"
            yield note("settings", words, "lower VR_CALLS_PER_MINUTE", about=site.host)


def _way_in(settings: Settings) -> Iterator[Finding]:
    for problem in settings.problems_for_run():
        what, _, step = problem.sentence.rstrip(".").partition(": ")
        yield wrong("way-in", what, step)
        return
    if settings.mode() == "http":
        words = "HTTP mode; whether SLACK_SIGNING_SECRET is right shows at Slack's first request"
        yield fine("way-in", words)
    else:
        yield fine("way-in", "Socket Mode")


def _proxy(settings: Settings) -> Iterator[Finding]:
    """The proxy that the environment sets for Slack and each appliance, without its credentials."""
    ways = {"Slack": slack_looking.proxy_of(settings.slack_api_url)}
    ways |= {site.host: way.proxy_of(site.host) for site in settings.sites.values()}
    shown = [f"{name} {f'through {at}' if at else 'directly'}" for name, at in ways.items()]
    around = getproxies().get("no", "")
    yield fine("proxy", ", ".join(shown) + (f"; NO_PROXY is {around}" if around else ""))


OWN: tuple[Line[Settings], ...] = (
    Line("settings", (), _settings),
    Line("way-in", (), _way_in),
    Line("proxy", (), _proxy),
)

DATABASE: tuple[Line[str], ...] = (
    Line("database", (), store_check.database),
    Line("schema", ("database",), store_check.schema),
)

SLACK: tuple[Line[slack_looking.Slack], ...] = (
    Line("slack-token", (), token_check.token),
    Line("slack-scope", ("slack-token",), token_check.scopes),
    Line("slack-app-token", (), token_check.app_token),
    Line("slack-channel", ("slack-token",), channel_check.channels),
    Line("slack-group", ("slack-token",), people_check.groups),
    Line("slack-person", ("slack-token",), people_check.people),
    Line("approvers", ("slack-token",), people_check.approvers),
)

APPLIANCE: tuple[Line[appliance_looking.Site], ...] = (
    Line("appliance-name", (), reach_check.name),
    Line("appliance-reachable", ("appliance-name",), reach_check.reachable),
    Line("appliance-trusted", ("appliance-reachable",), reach_check.trusted),
    Line("appliance-login", ("appliance-trusted",), session_check.login),
    Line("appliance-version", ("appliance-login",), session_check.version),
    Line("appliance-clock", ("appliance-version",), session_check.clock),
    Line("appliance-pairings", ("appliance-version",), session_check.pairings),
    Line("appliance-privilege", ("appliance-version",), session_check.privilege),
    Line("appliance-remote", ("appliance-pairings",), session_check.remote),
)

AT_START_SLACK = tuple(
    line for line in SLACK if line.name in ("slack-token", "slack-scope", "slack-channel")
)
AT_START_APPLIANCE: tuple[Line[appliance_looking.Site], ...] = (
    # No lines about the way there: the log-in takes it too, and its error says what is wrong.
    Line("appliance-login", (), session_check.login),
    Line("appliance-version", ("appliance-login",), session_check.version),
)

NAMES = tuple(line.name for table in (OWN, DATABASE, SLACK, APPLIANCE) for line in table)
"""The names of all lines; the runbook has an entry for each."""


def check(load: Callable[[], Settings]) -> Iterator[Finding]:
    """Checks everything; findings come in the order of the tables. Appliances are checked at the
    same time, so that one that does not answer does not delay the others."""
    try:
        settings = load()
    except SettingsError as error:
        for problem in error.problems:
            what, _, step = problem.sentence.rstrip(".").partition(": ")
            yield wrong("settings", what, step, about=problem.setting)
        yield from (skipped(name, "settings") for name in NAMES if name != "settings")
        return
    secrets = secrets_of(settings)
    yield from (masked(finding, secrets) for finding in _check(settings))


def _check(settings: Settings) -> Iterator[Finding]:
    database = settings.database_url.get_secret_value()
    with ThreadPoolExecutor(APPLIANCES_AT_ONCE + 1) as pool:
        slack = pool.submit(lambda: list(look(SLACK, _slack(settings))))
        sites = [pool.submit(_site, settings, name) for name in settings.sites]
        yield from look(OWN, settings)
        yield from look(DATABASE, database)
        yield from slack.result()
        for site in sites:
            yield from site.result()


def _site(settings: Settings, name: str) -> list[Finding]:
    stored = store_check.shared_value(settings.database_url.get_secret_value(), budget_key(name))
    # The rest that the copies of the bot keep is kept here too: if `check` tried the same wrong
    # password besides them, SSO would lock the account sooner. Its session has calls of its own.
    seen = BudgetState.model_validate_json(stored) if stored else BudgetState()
    budget = MemoryBudget(
        VENDOR_CALLS,
        now=lambda: time.time_ns() // 1_000_000,
        state=seen.model_copy(update={"calls_ms": ()}),
    )
    site = settings.sites[name]
    with closing(appliance_of(site, budget)) as appliance:
        place = _place(settings, name, site, appliance, Priority.ACT)
        return list(look(APPLIANCE, place, about=place.about))


def at_start(
    settings: Settings,
    appliances: Mapping[str, Appliance],
    on_identity: Callable[[Myself], None],
) -> Callable[[], Iterator[Finding]]:
    """What the running bot checks by itself, each time the returned function is called; see
    `StartLook`. `on_identity` gets who the bot is in Slack, so that the first request need not ask.

    People and groups are not checked: Slack counts those calls together with the ones that a click
    needs, and there a 429 means no. Nor is the app token: the socket itself shows in `/readyz`
    whether it works, and needs the few calls of that method to connect again. The log-in uses the
    bot's own client, session and budget, so it is the one that the first request would make anyway.
    Remote sites are never logged in to: their refusals are kept in memory only, so a loop of
    restarts would lock that account.
    """
    secrets = secrets_of(settings)
    places = [
        _place(settings, name, settings.sites[name], appliance, Priority.LOOKUP)
        for name, appliance in appliances.items()
    ]

    def found() -> Iterator[Finding]:
        slack = _slack(settings)
        slack.on_identity = on_identity
        yield from look(AT_START_SLACK, slack)
        for place in places:
            yield from look(AT_START_APPLIANCE, place, about=place.about)

    return lambda: (masked(finding, secrets) for finding in found())


def _slack(settings: Settings) -> slack_looking.Slack:
    url, timeout_s = settings.slack_api_url, slack_looking.TIMEOUT_S
    token, app_token = settings.slack_bot_token, settings.slack_app_token
    return slack_looking.Slack(
        client=api_client(token.get_secret_value(), base_url=url, timeout_s=timeout_s),
        app=api_client(app_token.get_secret_value(), base_url=url, timeout_s=timeout_s)
        if app_token
        else None,
        wanted=_wanted(settings),
    )


def _wanted(settings: Settings) -> slack_looking.Wanted:
    lists = {
        "APPROVERS": settings.approvers,
        "REQUESTERS": settings.requesters,
        "NOTIFY": settings.notify or (),
        "BREAK_GLASS": settings.break_glass,
    }
    everybody = dict.fromkeys(who for ids in lists.values() for who in ids)
    listed = {who: tuple(s for s, ids in lists.items() if who in ids) for who in everybody}
    approvals = {"APPROVALS_REQUIRED": settings.approvals_required}
    if settings.effective_force_approvals_required != settings.approvals_required:
        approvals["FORCE_APPROVALS_REQUIRED"] = settings.effective_force_approvals_required
    return slack_looking.Wanted(
        channels=settings.channels,
        people={who: names for who, names in listed.items() if not is_group(who)},
        groups={who: names for who, names in listed.items() if is_group(who)},
        approvers=settings.approvers,
        approvals=approvals,
        break_glass=bool(settings.break_glass),
    )


def _place(
    settings: Settings,
    name: str,
    site: ApplianceSettings,
    appliance: Appliance,
    priority: Priority,
) -> appliance_looking.Site:
    single = name == DEFAULT_SITE and len(settings.sites) == 1
    return appliance_looking.Site(
        appliance=appliance,
        trust=trust_of(site),
        timeout_seconds=site.timeout_seconds,
        about="" if single else name,
        prefix="VR_" if single else site_prefix(name),
        remote=site.remote_username is not None,
        priority=priority,
    )
