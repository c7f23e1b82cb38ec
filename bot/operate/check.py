"""`vr-unpair check`, and what the running bot checks by itself: one line for each thing needed.

The lines about Slack and the appliances are in files of their own. Nothing is created, changed or
migrated.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import getproxies

import structlog
from sqlalchemy import Connection, NullPool, create_engine, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.appliance import way
from bot.appliance.budget import BudgetState, MemoryBudget, Priority
from bot.appliance.client import Appliance
from bot.operate.check_appliance import Site
from bot.operate.check_lines import Check, Line, Result, fine, lines_of, note, skipped, wrong
from bot.operate.check_slack import proxy_of, slack_of
from bot.parts import appliance_of, budget_key, secrets_of, trust_of
from bot.settings import DEFAULT_SITE, Settings, SettingsError, site_prefix
from bot.slack.identity import Myself
from bot.store.faults import NAMES_IT, fault_of, shown_place
from bot.store.migrate import SchemaTooNew, may_work
from bot.store.schema import shared

log = structlog.get_logger(__name__)

NAMES = (
    *("settings", "way-in", "proxy", "database", "schema"),
    *("slack-token", "slack-scope", "slack-app-token", "slack-channel", "slack-group"),
    *("slack-person", "approvers"),
    *("appliance-reachable", "appliance-trusted", "appliance-login", "appliance-version"),
    *("appliance-pairings", "appliance-privilege", "appliance-remote"),
)
"""Every line, in order; the runbook has an entry for each."""

APPLIANCES_AT_ONCE = 8

VENDOR_CALLS = 50
"""Per minute and session. Above it the appliance refuses calls, and the vendor speaks of a
temporary ban (vendor's REST API guide). An appliance may be set to another limit, so a higher
setting is only a note."""

BUSY_SECONDS = 5
"""A running bot holds the write lock for milliseconds only. If it is held for longer, it is held by
another program."""

CONNECT_SECONDS = 10
"""To connect to a database server; whole seconds (libpq docs, connect_timeout)."""

AGAIN_SECONDS = 300.0
"""The running bot checks again this often while something is wrong. Otherwise a fault that has
passed would stay in `/readyz` until a restart."""

STOP_SECONDS = 1.0
"""The thread may be waiting for a server that hangs. It can be left behind: it holds nothing that
has to be released."""


def check(load: Callable[[], Settings], exposed: Callable[[], list[Path]]) -> Iterator[Line]:
    """Checks everything; lines come in the order of NAMES. Appliances are checked at the same time,
    so that one that does not answer does not delay the others.

    `exposed` gives the files with settings that everybody on the machine can read.
    """
    try:
        settings = load()
    except SettingsError as error:
        for problem in error.problems:
            what, _, step = problem.sentence.rstrip(".").partition(": ")
            yield wrong("settings", what, step, about=problem.setting)
        yield from (skipped(name, "settings") for name in NAMES if name != "settings")
        return
    url = settings.database_url.get_secret_value()
    own: tuple[Check, ...] = (
        ("settings", "", lambda: of_settings(settings, exposed())),
        ("way-in", "", lambda: [way_in(settings)]),
        ("proxy", "", lambda: [proxy(settings)]),
        ("database", "", lambda: [database(url)]),
        ("schema", "database", lambda: [schema(url)]),
    )
    secrets = secrets_of(settings)
    with ThreadPoolExecutor(APPLIANCES_AT_ONCE + 1) as pool:
        slack = pool.submit(lambda: list(lines_of(slack_of(settings).all())))
        sites = [pool.submit(_appliance, settings, name) for name in settings.sites]
        yield from (line.masked(secrets) for line in lines_of(own))
        for others in (slack, *sites):
            yield from (line.masked(secrets) for line in others.result())


def _appliance(settings: Settings, name: str) -> list[Line]:
    """With calls of its own, but a log-in rest of the bot's is kept."""
    site = settings.sites[name]
    budget = MemoryBudget(
        site.calls_per_minute,
        now=lambda: time.time_ns() // 1_000_000,
        state=stored_budget(settings.database_url.get_secret_value(), name),
    )
    with closing(appliance_of(site, budget)) as appliance:
        place = _site(settings, name, appliance, Priority.ACT)
        return list(lines_of(place.all(), about=place.about))


def _site(settings: Settings, name: str, appliance: Appliance, priority: Priority) -> Site:
    single = name == DEFAULT_SITE and len(settings.sites) == 1
    return Site(
        appliance=appliance,
        settings=settings.sites[name],
        trust=trust_of(settings.sites[name]),
        about="" if single else name,
        prefix="VR_" if single else site_prefix(name),
        priority=priority,
    )


# --- The settings


def of_settings(settings: Settings, exposed: Iterable[Path]) -> Iterator[Line]:
    count = len(settings.sites)
    yield fine("settings", f"{count} {'appliance' if count == 1 else 'appliances'}")
    if settings.dry_run:
        step = "switch it off to do it for real"
        yield note("settings", "DRY_RUN is on, so no DELETE is sent", step)
    for site in settings.sites.values():
        if site.calls_per_minute > VENDOR_CALLS:
            words = f"{site.calls_per_minute} calls a minute, and a session has {VENDOR_CALLS}"
            yield note("settings", words, "lower VR_CALLS_PER_MINUTE", about=site.host)
    for path in exposed:
        words = f"everybody on this machine can read {path}, which may hold secrets"
        yield note("settings", words, f"chmod o-rwx {path}", about=path.name)


def way_in(settings: Settings) -> Line:
    for problem in settings.problems_for_run():
        what, _, step = problem.sentence.rstrip(".").partition(": ")
        return wrong("way-in", what, step)
    if settings.mode() == "socket":
        return fine("way-in", "Socket Mode")
    words = "HTTP mode; whether SLACK_SIGNING_SECRET is right shows at Slack's first request"
    return fine("way-in", words)


def proxy(settings: Settings) -> Line:
    """The proxy that the environment sets for Slack and each appliance, without its credentials."""
    ways = {"Slack": proxy_of(settings.slack_api_url)}
    ways |= {site.host: way.proxy_of(site.host) for site in settings.sites.values()}
    shown = ", ".join(
        f"{name} {f'through {at}' if at else 'directly'}" for name, at in ways.items()
    )
    around = getproxies().get("no", "")
    return fine("proxy", shown + (f"; NO_PROXY is {around}" if around else ""))


# --- The database


def database(url: str) -> Line:
    """Whether it can be written: the write lock is taken and released again."""
    place = make_url(url)
    file = _file(place)
    if file and file.parent.is_dir() and not file.exists():
        return note("database", f"there is no file {place.database} yet", "`run` makes it")
    try:
        with _reading(place) as conn:
            if file:
                conn.exec_driver_sql("BEGIN IMMEDIATE")
            elif conn.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on":
                # A standby or a read-only database. Reads work there, as if all was well.
                words = f"{shown_place(place)} takes reads only"
                return wrong("database", words, f"name the one that takes writes: {NAMES_IT}")
    except SQLAlchemyError as error:
        fault = fault_of(error, place)
        words, step = (fault.what, fault.step) if fault else (str(error), "Report this")
        return wrong("database", words.rstrip("."), f"{step[0].lower()}{step[1:]}: {NAMES_IT}")
    return fine("database", f"{shown_place(place)} can be written")


def schema(url: str) -> Line:
    """Whether there is a schema, of a version that this program may work on."""
    place = make_url(url)
    file = _file(place)
    none_yet = note("schema", "there is none yet", "`run` makes it")
    if file and not file.exists():
        return none_yet
    with _reading(place) as conn:
        if not inspect(conn).has_table("alembic_version"):
            return none_yet
        try:
            current = may_work(conn)
        except SchemaTooNew as error:
            step = "install the version that it names, or restore the backup"
            return wrong("schema", str(error).rstrip("."), step, final=True)
    if not current:
        return note("schema", "it is an older version's", "`run` brings it up to date")
    return fine("schema", "it is this version's")


def stored_budget(url: str, site: str) -> BudgetState | None:
    """The log-in rest that the copies of the bot share; None if there is none to be read: the lines
    of the database say what is wrong with it. Its calls are not counted here."""
    place = make_url(url)
    file = _file(place)
    if file and not file.exists():
        return None
    try:
        with _reading(place) as conn:
            wanted = select(shared.c.value).where(shared.c.key == budget_key(site))
            value = conn.execute(wanted).scalar_one_or_none()
    except SQLAlchemyError:
        return None
    if not value:
        return None
    return BudgetState.model_validate_json(value).model_copy(update={"calls_ms": ()})


def _file(place: URL) -> Path | None:
    sqlite = place.get_backend_name() == "sqlite"
    return Path(place.database or "").absolute() if sqlite else None


@contextmanager
def _reading(place: URL) -> Iterator[Connection]:
    """A transaction that is always rolled back. `Database` is not used here, since it switches a
    file to WAL."""
    if file := _file(place):
        address = f"{file.as_uri()}?mode=rw"  # never creates a file

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)

        engine = create_engine(
            "sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True
        )
    else:
        limit = {"connect_timeout": CONNECT_SECONDS}
        engine = create_engine(place, poolclass=NullPool, hide_parameters=True, connect_args=limit)
    try:
        with engine.connect() as conn:
            try:
                yield conn
            finally:
                conn.rollback()
    finally:
        engine.dispose()


# --- In the running bot


def at_start(
    settings: Settings,
    appliances: Mapping[str, Appliance],
    on_identity: Callable[[Myself], None],
) -> Callable[[], Iterator[Line]]:
    """What the running bot checks by itself, each time the returned function is called.
    `on_identity` gets who the bot is in Slack, so that the first request need not ask. The log-in
    uses the bot's own client, session and budget, so it is the one that the first request would
    make anyway."""
    secrets = secrets_of(settings)
    sites = [_site(settings, name, a, Priority.LOOKUP) for name, a in appliances.items()]

    def found() -> Iterator[Line]:
        slack = slack_of(settings)
        slack.on_identity = on_identity
        yield from lines_of(slack.at_start())
        for site in sites:
            yield from lines_of(site.at_start(), about=site.about)

    return lambda: (line.masked(secrets) for line in found())


class BackgroundCheck:
    """Checks in a thread: at the start, and then again until nothing is wrong.

    A fault that can pass is a warning in the log, once, and a hint in `/readyz` as long as it
    lasts. A fault that cannot ends the process: `end` is called with a sentence. A refused token is
    one, although a supervisor will start the bot again and again. A bot without Slack can neither
    be asked nor answer, every supervisor shows to people that a process ended, and a rolling
    deployment stops there while the old copies still work. A loop of such restarts does no harm:
    each asks Slack one question, and ends before a log-in to any appliance.

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
        self._stopping = threading.Event()
        self._wrong: dict[str, Line] = {}
        self._once_fine: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="check", daemon=True)

    def start(self) -> None:
        """Returns at once; the checks run in a thread."""
        self._thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Whether the thread ended in this time. May be called repeatedly, and without `start`."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def hints(self) -> dict[str, str]:
        """What was wrong at the last check: the key of each line, and what it says."""
        return {key: line.sentence for key, line in self._wrong.copy().items()}

    def _run(self) -> None:
        while self.once() and self._wrong:
            if self._stopping.wait(self._again_seconds):
                return

    def once(self) -> bool:
        """One round of checks. False if no other may follow, since the bot stops."""
        for line in self._found():
            if self._stopping.is_set():
                return False
            if line.final and line.key not in self._once_fine:
                self._end(f"{line.sentence}.")
                return False
            self._keep(line)
        return True

    def _keep(self, line: Line) -> None:
        # A skipped line says nothing new, so an older hint about it stays.
        before = self._wrong.get(line.key)
        if line.result is Result.WRONG:
            self._wrong[line.key] = line
            if before is None:
                words, step = line.words, line.next_step
                log.warning("check_failed", line=line.key, words=words, next_step=step)
        elif line.ok:
            self._once_fine.add(line.key)
            if self._wrong.pop(line.key, None):
                log.info("check_fine_again", line=line.key)
