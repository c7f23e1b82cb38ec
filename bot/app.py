"""The one place where the parts of the bot are put together and started, from the store up to what
listens. `bot/stop.py` stops them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog
from slack_sdk import WebClient

from bot import __version__
from bot.appliance.appliance import Appliance
from bot.appliance.budget import Budget, budget_key, in_store
from bot.appliance.refused_login import login_rests
from bot.operate.check import BackgroundCheck, at_start
from bot.operate.metrics import Metrics
from bot.operate.ready import Bounded, Check, Ready
from bot.request.audit_chain import Running
from bot.secrets_now import SlackSecrets, appliance_of, settings_now
from bot.settings import Settings
from bot.slack.draw.message import draw, draw_answer
from bot.slack.people import Identity, People
from bot.slack.receive.bolt_app import dispatch
from bot.slack.receive.deps import Deps
from bot.slack.receive.http_server import Paths, Server
from bot.slack.receive.listeners import make_app
from bot.slack.receive.signature import FromSlack
from bot.slack.send.one_message import Whisper
from bot.slack.send.poster import SENDING_MS, Poster
from bot.slack.send.web_api import (
    PEOPLE_TIMEOUT_S,
    POST_TIMEOUT_S,
    QUICK_TIMEOUT_S,
    api_client,
)
from bot.store import queries
from bot.store.audit_trail import note_start
from bot.store.database import Database, change_shared
from bot.store.faults import StoreError
from bot.store.inbox import Inbox
from bot.store.migrate import SchemaTooNew, ready_problem, upgrade
from bot.store.outbox import Outbox
from bot.store.queries import Overview
from bot.store.queues import nets
from bot.store.requests import Requests
from bot.store.slack_pauses import Pauses
from bot.threads import Later
from bot.witnesses import witnesses_of
from bot.worker.drive import Driver, lease_ms
from bot.worker.effects import Effects
from bot.worker.find_pairings import Lists
from bot.worker.lookup_threads import Lookups
from bot.worker.queue_threads import Upkeep, Worker

if TYPE_CHECKING:
    from bot.slack.receive.socket_mode import SocketMode

log = structlog.get_logger(__name__)

POSTERS = 4
"""Threads that write to Slack, which takes about one message a second in each channel. Half of them
may meet a method that hangs."""

STORED_WITHIN_S = 2.0
"""For storing what Slack brings. After that, whoever pressed is told that it may not have been
taken. Slack waits for three seconds, and then says by itself that it failed."""

BOT_TOKEN = "SLACK_BOT_TOKEN"  # noqa: S105 - its name

READY_WITHIN_S = 2.0
"""For `/readyz`. Whatever probes it has a limit of its own, of a few seconds."""


@dataclass(frozen=True)
class Store:
    """`inbox` is for listeners: it gives up after STORED_WITHIN_S."""

    db: Database
    inbox: Inbox
    requests: Requests
    overview: Overview
    pauses: Pauses


def store_of(settings: Settings, metrics: Metrics) -> Store:
    """Does not connect yet."""
    url = settings.database_url.get_secret_value()
    db = Database(url, on_error=partial(metrics.count, "database_errors"))
    db.signer = settings.signer()
    timeouts = (site.timeout_seconds for site in settings.sites.values())
    return Store(
        db,
        Inbox(db, within_s=STORED_WITHIN_S),
        Requests(db, lease_ms(timeouts), on_saved=metrics.saved),
        Overview(db),
        Pauses(db),
    )


def appliances_of(
    settings: Settings, now: Callable[[], Settings], db: Database, metrics: Metrics
) -> dict[str, Appliance]:
    """By site, each with the budget and the log-ins that all copies share."""

    def one(name: str) -> Appliance:
        site = settings.sites[name]
        budget = Budget(
            site.calls_per_minute,
            in_store(partial(change_shared, db, budget_key(name))),
            on_wait=partial(metrics.budget_waited, name),
            on_login=partial(metrics.count, "appliance_logins", name),
        )
        return appliance_of(
            site,
            budget,
            db.about_now,
            partial(metrics.appliance_called, name),
            label=name if len(settings.sites) > 1 else None,  # nobody has named a single one
            site_now=lambda: now().sites.get(name),
        )

    return {name: one(name) for name in settings.sites}


@dataclass(frozen=True)
class Slack:
    """What reads and writes there. `quick` is for listeners, which have three seconds in all."""

    secrets: SlackSecrets
    quick: WebClient
    identity: Identity
    people: People
    whisper: Whisper
    poster: Poster


def slack_client(
    settings: Settings,
    secrets: SlackSecrets,
    metrics: Metrics,
    timeout_s: int,
    pauses: Pauses | None = None,
    of: str = BOT_TOKEN,
) -> WebClient:
    return api_client(
        partial(secrets.get, of),
        base_url=settings.slack_api_url,
        timeout_s=timeout_s,
        on_call=partial(metrics.count, "slack_calls"),
        pauses=pauses,
    )


def slack_of(settings: Settings, secrets: SlackSecrets, store: Store, metrics: Metrics) -> Slack:
    """Calls nobody yet."""
    pauses, stored, command = store.pauses, store.overview.get, settings.slack_command
    client = partial(slack_client, settings, secrets, metrics)
    quick = client(QUICK_TIMEOUT_S, pauses)
    identity = Identity(quick)
    poster = Poster(
        Outbox(store.db, SENDING_MS),
        client(POST_TIMEOUT_S),  # the outbox gives no message whose method is paused
        lambda request, slot: draw(request, slot, command, identity.url(), stored),
        lambda answer, request: draw_answer(answer, request, identity.url(), stored),
        nets=nets(POSTERS),
        pauses=pauses,
        on_given_up=metrics.message_given_up,
    )
    people = People(client(PEOPLE_TIMEOUT_S, pauses), identity, store.db.clock)
    whisper = Whisper(pauses, settings.slack_api_url)
    return Slack(secrets, quick, identity, people, whisper, poster)


class Bot:
    """The whole bot in one process. Making it raises OSError where a port is taken; `start` raises
    SchemaTooNew, Damaged or an error of the database. Neither calls Slack or the appliance. `end`
    is called after the start, from another thread, with a sentence that says why the bot can never
    work like this. `again` reads the settings once more: secrets change."""

    def __init__(
        self,
        settings: Settings,
        end: Callable[[str], None],
        again: Callable[[], Settings] | None = None,
    ) -> None:
        self.settings, self._end = settings, end
        self.policy = policy = settings.policy()
        self.metrics = metrics = Metrics(__version__, settings.sites)
        self.stopping = threading.Event()
        self.started = False
        self._away: str | None = None
        """What keeps the bot from starting: the server of the database does not answer."""

        now = settings_now(settings, again or (lambda: settings))
        self.store = store = store_of(settings, metrics)
        self.appliances = appliances_of(settings, now, store.db, metrics)
        secrets = SlackSecrets(settings, now)
        self.slack = slack = slack_of(settings, secrets, store, metrics)
        witnesses, witness = witnesses_of(settings, store.db, secrets.get)
        self.upkeep = Upkeep(store.db, settings.keep_for, witnesses)

        # The threads that work on requests, and those that only look up.
        for_lookups = {name: each.for_lookups() for name, each in self.appliances.items()}
        lists = Lists(for_lookups, store.db.clock)
        effects = Effects(
            policy, slack.people, self.appliances, store.overview, lists, witness=witness
        )
        driver = Driver(store.requests, Inbox(store.db), effects, self.stopping.is_set)
        self.worker = Worker(store.requests, driver, policy, end)
        self.lookups = Lookups(for_lookups, lists, store.overview, slack.people, policy)

        token = partial(slack.secrets.get, BOT_TOKEN)
        found = at_start(settings, self.appliances, slack.identity.learn, token)
        self.check = BackgroundCheck(found, end)
        self.from_slack, self.socket = self._listeners()
        self._paths, self.servers = self._ports()

    def _listeners(self) -> tuple[FromSlack | None, SocketMode | None]:
        """One of the two, as the settings have it."""
        settings, slack, store = self.settings, self.slack, self.store
        rejected = partial(self.metrics.count, "slack_requests_rejected")
        deps = Deps(
            inbox=store.inbox,
            overview=store.overview,
            policy=self.policy,
            command=settings.slack_command,
            identity=slack.identity,
            views=slack.quick,
            whisper=slack.whisper,
            lookups=self.lookups,
            on_repeated=lambda: rejected("replayed"),
            later=Later(),
        )
        listen = partial(dispatch, make_app(deps))
        if settings.slack_app_token is None:
            secret = partial(slack.secrets.get, "SLACK_SIGNING_SECRET")
            return FromSlack(secret, listen, rejected), None
        # Imported here: HTTP mode does not need what takes a twentieth of a start.
        from bot.slack.receive.socket_mode import SocketMode

        at_app = slack_client(
            settings, slack.secrets, self.metrics, POST_TIMEOUT_S, of="SLACK_APP_TOKEN"
        )
        return None, SocketMode(at_app, listen, rejected, answering=store.db.wakes.held)

    def _ports(self) -> tuple[Paths, list[Server]]:
        """What answers Slack, which joins at the start, and the servers, with the pages for
        operators. Raises OSError where a port is taken."""
        settings, db, sites = self.settings, self.store.db, tuple(self.policy.sites)
        checks: dict[str, Check] = {"database": Bounded(self._database, READY_WITHIN_S)}
        if self.socket:
            checks["slack"] = self.socket.problem
        probes = Ready(checks, self.check.hints)
        self.metrics.watch(
            figures=partial(queries.figures, db, [budget_key(site) for site in sites]),
            login_rests=partial(login_rests, sites),
            ready=lambda: probes.now()[0],
            socket_age=self.socket.silent_s if self.socket else None,
            certificate_ends=self._certificate_ends,
        )
        pages = probes.pages(self.metrics.text)
        too_large = self.from_slack.turn_away if self.from_slack else lambda _why: None
        paths = Paths(pages if settings.operate_port is None else {}, None)
        on_too_large = partial(too_large, "too_large")
        server = Server(
            paths,
            settings.host,
            settings.port,
            on_too_large=on_too_large,
            answering=db.wakes.held,
        )
        if settings.operate_port is None:
            return paths, [server]
        return paths, [server, Server(Paths(pages, None), settings.host, settings.operate_port)]

    def start(self) -> bool:
        """False while the server of the database is away: call it again. Meanwhile probes are
        answered, `/readyz` with 503, and Slack's requests are not found: nobody could store them.
        """
        first = self._away is None
        try:
            upgrade(self.store.db)
            mode, command = self.settings.mode(), self.settings.slack_command
            running = Running(version=__version__, mode=mode, command=command, policy=self.policy)
            note_start(self.store.db, running)
        except StoreError as error:
            self._away = self._server_away(error)
            if self._away is None:
                raise
        else:
            self._away = None
            self.upkeep.start()
            self.worker.start()
            self.slack.poster.start()
            self._paths.slack = self.from_slack.answer if self.from_slack else None
            self.started = True
        if first:
            for server in self.servers:
                server.start()
        if not self.started:
            return False
        if self.socket:
            self.socket.start()
        log.info(
            "started",
            version=__version__,
            mode=self.settings.mode(),
            port=self.servers[0].port,
            operate_port=self.servers[-1].port,
            appliances=[site.host for site in self.settings.sites.values()],
            dry_run=self.policy.dry_run,
        )
        # Last, and in a thread of its own: a Slack that hangs must not delay a start.
        self.check.start()
        return True

    def _certificate_ends(self) -> dict[str, float]:
        """In epoch seconds, by site, where a connection has shown it."""
        ends = {site: each.certificate_end for site, each in self.appliances.items()}
        return {site: end.timestamp() for site, end in ends.items() if end}

    def _server_away(self, error: StoreError) -> str | None:
        """What keeps the bot from starting, in words, if it can pass without anybody's help. A
        SQLite file cannot come by itself: whoever starts the bot is told at once."""
        fault = error.fault
        waits = fault is not None and fault.by_itself and not self.store.db.one_writer
        return fault.running() if fault is not None and waits else None

    def _database(self) -> str | None:
        if self._away is not None:
            return self._away
        try:
            return ready_problem(self.store.db)
        except SchemaTooNew as error:
            # A newer copy has migrated the database meanwhile: what we write now might do harm.
            self._end(str(error))
            return str(error)
