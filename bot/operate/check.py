"""`vr-unpair check`, and what the running bot checks by itself: one line for each thing needed.
The latter is done at the start and repeated until it is clean. What it finds wrong are the hints of
`/readyz`; what can never become right ends the process.

Here are the lines about the settings; those about the database are in `check_database`, about Slack
in `check_slack`, about an appliance in `check_appliance`. Nothing is created, changed or migrated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import structlog

from bot.appliance import tls
from bot.appliance.appliance import Appliance
from bot.appliance.budget import MemoryBudget
from bot.operate import check_appliance, check_audit, check_database, check_slack
from bot.operate.check_line import Check, Line, Result, fine, lines_of, note, skipped, wrong
from bot.secrets_now import appliance_of, trust_of
from bot.settings import DEFAULT_SITE, Settings, SettingsError, site_prefix
from bot.slack.people import Myself
from bot.slack.send.web_api import SecretNow, proxy_for
from bot.threads import Threads

log = structlog.get_logger(__name__)

NAMES = (
    *("settings", "proxy", "database", "schema", "audit-key", "audit-collector"),
    *("slack-token", "slack-scope", "slack-channel", "slack-app-token", "slack-group"),
    *("slack-person", "approvers"),
    *("appliance-reachable", "appliance-trusted", "appliance-login", "appliance-version"),
    *("appliance-pairings", "appliance-privilege", "appliance-remote"),
)
"""Every line, in order; the runbook has an entry for each."""

AGAIN_SECONDS = 300.0
"""The running bot checks again this often while something is wrong. Otherwise a fault that has
passed would stay in `/readyz` until a restart."""

STOP_SECONDS = 1.0
"""The thread may be waiting for a server that hangs. It can be left behind: it holds nothing that
has to be released."""


def check(load: Callable[[], Settings], exposed: Callable[[], list[Path]]) -> Iterator[Line]:
    """Checks everything; lines come as they are found, in the order of NAMES. `exposed` gives the
    files with settings that everybody on the machine can read."""
    try:
        settings = load()
    except SettingsError as error:
        for problem in error.problems:
            said = problem.sentence.removeprefix(f"{problem.setting} ").rstrip(".")
            what, _, step = said.partition(": ")
            yield replace(wrong(what, step), name="settings", about=problem.setting)
        yield from (replace(skipped("settings"), name=name) for name in NAMES[1:])
        return
    secrets = settings.secrets()
    yield from lines_of(_own(settings, exposed()), secrets)
    yield from lines_of(check_slack.everything(check_slack.slack_of(settings)), secrets)
    url = settings.database_url.get_secret_value()
    for name, site in settings.sites.items():
        # With calls of its own, but a login rest of the bot's is kept.
        kept = check_database.stored_budget(url, name)
        budget = MemoryBudget(site.calls_per_minute, now=_now_ms, state=kept)
        with closing(appliance_of(site, budget, _now_ms)) as appliance:
            place = _site(settings, name, appliance)
            yield from lines_of(check_appliance.everything(place), secrets, place=place.about)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _own(settings: Settings, exposed: list[Path]) -> Iterator[Check]:
    yield Check("settings", _way_in(settings))
    if settings.dry_run:
        words, step = "DRY_RUN is on, so no DELETE is sent", "switch it off to do it for real"
        yield Check("settings", note(words, step))
    for path in exposed:
        words = f"everybody on this machine can read {path}, which may hold secrets"
        yield Check("settings", note(words, f"chmod o-rwx {path}"), about=path.name)
    for name, value in _kept_whole(settings):
        if value != value.strip():
            words, step = "it begins or ends with a blank", "take it out, unless it belongs there"
            yield Check("settings", note(words, step), about=name)
    url = settings.database_url.get_secret_value()
    yield Check("proxy", partial(proxy, settings))
    yield Check("database", partial(check_database.database, url))
    yield Check("schema", partial(check_database.schema, url), ("database",))
    yield Check("audit-key", partial(check_audit.key, settings), ("database", "schema"))
    yield Check("audit-collector", partial(check_audit.collector, settings))


def _kept_whole(settings: Settings) -> Iterator[tuple[str, str]]:
    """The settings whose readers take nothing off, with their names."""
    yield "REASON_PATTERN", settings.reason_pattern or ""
    for name, site in settings.sites.items():
        prefix = "VR_" if _single(settings, name) else site_prefix(name)
        for field, secret in (("", site.password), ("REMOTE_", site.remote_password)):
            yield f"{prefix}{field}PASSWORD", secret.get_secret_value() if secret else ""


def _single(settings: Settings, name: str) -> bool:
    return name == DEFAULT_SITE and len(settings.sites) == 1


def _site(settings: Settings, name: str, appliance: Appliance) -> check_appliance.Site:
    single = _single(settings, name)
    site = settings.sites[name]
    return check_appliance.Site(
        appliance=appliance,
        settings=site,
        trusted_by=trust_of(site).how,
        about="" if single else name,
        prefix="VR_" if single else site_prefix(name),
    )


def at_start(
    settings: Settings,
    appliances: Mapping[str, Appliance],
    on_identity: Callable[[Myself], None],
    bot_token: SecretNow,
) -> Callable[[], Iterator[Line]]:
    """What the running bot checks by itself, each time the returned function is called.
    `on_identity` gets who the bot is in Slack, so that the first request need not ask. The log-in
    uses the bot's own client, session and budget, so it is the one that the first request would
    make anyway."""
    secrets = set(settings.secrets())
    sites = [_site(settings, name, a) for name, a in appliances.items()]

    def found() -> Iterator[Line]:
        slack = check_slack.slack_of(settings, bot_token)
        slack.on_identity = on_identity
        yield from lines_of(check_slack.at_start(slack), secrets)
        secrets.add(bot_token(False))
        for site in sites:
            yield from lines_of(check_appliance.at_start(site), secrets, place=site.about)

    return found


class BackgroundCheck:
    """A fault that can pass is a warning in the log, once, and a hint as long as it lasts. A fault
    that cannot ends the process: `end` is called with a sentence. A refused token is one, although
    a supervisor will start the bot again and again. A bot without Slack can neither be asked nor
    answer, every supervisor shows to people that a process ended, and a rolling deployment stops
    there while the old copies still work. A loop of such restarts does no harm: each asks Slack one
    question, and ends before a log-in to any appliance.

    This is so only until this process has seen the token accepted. If it is revoked later, that is
    a hint, because tasks of the appliance are still being followed.
    """

    def __init__(
        self,
        found: Callable[[], Iterable[Line]],
        end: Callable[[str], None],
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self._found = found
        self._end = end
        self._again_seconds = again_seconds
        self._threads = Threads()
        self._hints: dict[str, str] = {}
        self._once_fine: set[str] = set()

    def start(self) -> None:
        """Returns at once; the checks run in a thread."""
        self._threads.start("check", self._run)

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Whether the thread ended in this time."""
        return self._threads.stop(seconds)

    def hints(self) -> dict[str, str]:
        """What was wrong at the last check: the key of each line, and what it says."""
        return self._hints.copy()

    def _run(self) -> None:
        while self.once() and self._hints:
            if self._threads.stopping.wait(self._again_seconds):
                return

    def once(self) -> bool:
        """One round of checks. False if no other may follow, since the bot stops."""
        for line in self._found():
            if self._threads.stopping.is_set():
                return False
            if line.final and line.key not in self._once_fine:
                self._end(f"{line.sentence}.")
                return False
            if line.result is Result.WRONG:
                if line.key not in self._hints:
                    words, step = line.words, line.next_step
                    log.warning("check_failed", line=line.key, words=words, next_step=step)
                self._hints[line.key] = line.sentence
            elif line.ok:  # a skipped line says nothing new, so an older hint about it stays
                self._once_fine.add(line.key)
                if self._hints.pop(line.key, None):
                    log.info("check_fine_again", line=line.key)
        return True


# --- The settings


def _way_in(settings: Settings) -> Line:
    count = len(settings.sites)
    words = f"{count} {'appliance' if count == 1 else 'appliances'}, "
    if settings.mode() == "socket":
        return fine(f"{words}Socket Mode")
    return fine(
        f"{words}HTTP mode; whether SLACK_SIGNING_SECRET is right shows at Slack's first request"
    )


def proxy(settings: Settings) -> Line:
    """The proxy that the environment sets for Slack and each appliance, without its credentials."""
    to_slack = proxy_for(settings.slack_api_url)
    ways = {"Slack": urlsplit(to_slack).netloc.rpartition("@")[2] if to_slack else None}
    ways |= {site.host: tls.proxy_of(site.host) for site in settings.sites.values()}
    shown = ", ".join(
        f"{name} {f'through {at}' if at else 'directly'}" for name, at in ways.items()
    )
    around = getproxies().get("no", "")
    return fine(shown + (f"; NO_PROXY is {around}" if around else ""))
