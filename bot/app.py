"""The one place where the parts of the bot are put together, started and stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import structlog
from slack_bolt import BoltResponse
from slack_sdk import WebClient
from sqlalchemy.exc import SQLAlchemyError

from bot import __version__, parts
from bot.__main__ import Deadline
from bot.operate.background_check import STOP_SECONDS as CHECK_STOP_SECONDS
from bot.operate.background_check import BackgroundCheck
from bot.operate.check import at_start
from bot.operate.metrics import Metrics
from bot.operate.ready import Bounded, Check, Ready
from bot.request.audit_chain import Entry, Running
from bot.request.messages import Answer, Drawn, messages
from bot.request.model import Request
from bot.settings import Settings
from bot.slack.draw import message as draw
from bot.slack.people import Identity, People
from bot.slack.receive import Deps
from bot.slack.receive import Lookups as LookupsOfListeners
from bot.slack.receive.http import Server, Wsgi
from bot.slack.receive.listeners import dispatch, make_app
from bot.slack.receive.payload import Json
from bot.slack.receive.signature import FromSlack
from bot.slack.send.client import (
    PEOPLE_TIMEOUT_S,
    POST_TIMEOUT_S,
    PRESS_TIMEOUT_S,
    QUICK_TIMEOUT_S,
    api_client,
)
from bot.slack.send.poster import Poster
from bot.slack.send.whisper import Whisper
from bot.store.audit_trail import note_start
from bot.store.database import Database, nets
from bot.store.faults import fault_of
from bot.store.inbox import Inbox
from bot.store.migrate import SchemaTooNew, ready_problem, upgrade
from bot.store.outbox import Outbox
from bot.store.queries import Overview
from bot.store.requests import Requests
from bot.store.shared import Pauses
from bot.worker.drive import Driver, lease_ms
from bot.worker.effects import Effects
from bot.worker.lookup_threads import Lookups
from bot.worker.pairings import Lists
from bot.worker.queue_threads import Worker
from bot.worker.rights import may_break_glass
from bot.worker.send_delete import DeleteSender
from bot.worker.upkeep import Upkeep

if TYPE_CHECKING:
    from bot.slack.receive.socket import SocketMode

log = structlog.get_logger(__name__)

STOP_SECONDS = 8.0
"""For a stop as a whole. Hosts kill ten seconds after SIGTERM."""

CLOSE_SECONDS = 1.5
"""The database gets this long to close, even past the deadline: a `-wal` that somebody has deleted
is written into the file then."""

POSTERS = 2
"""Threads that write to Slack. It takes about one message a second in each channel."""

STORED_WITHIN_S = 2.0
"""For storing what Slack brings. After that, whoever pressed is told that it may not have been
taken. Slack waits for three seconds, and then says by itself that it failed."""

READY_WITHIN_S = 2.0
"""For `/readyz`. Whatever probes it has a limit of its own, of a few seconds."""

DRAIN_SECONDS, DRAIN_PROBES_SECONDS = 2.0, 0.5
"""For HTTP requests that have begun: those of Slack, and in Socket Mode only probes and scrapes."""

MOMENT_SECONDS = 0.05
"""For a thread that has nothing left to do and only has to notice the stop."""

LOOKUPS_STOP_SECONDS = 0.5
"""For lookups. Little is lost with one: it can be typed again."""


def _later(seconds: float, then: Callable[[], None]) -> None:
    """Ends with the process: nothing that matters is done by it."""
    timer = threading.Timer(seconds, then)
    timer.daemon = True
    timer.start()


class Bot:
    """The whole bot in one process. `start` may raise OSError (port), SchemaTooNew, Damaged or an
    error of the database; it calls neither Slack nor the appliance. `end` is called after the
    start, from another thread, with a sentence that says why the bot can never work like this."""

    def __init__(
        self,
        settings: Settings,
        end: Callable[[str], None],
        again: Callable[[], Settings] | None = None,
    ) -> None:
        self.settings = settings
        self._end = end
        self.policy = settings.policy()
        self.running = Running(
            version=__version__,
            mode=settings.mode(),
            command=settings.slack_command,
            policy=self.policy,
        )
        self.metrics = Metrics(__version__, settings.sites)
        self.db = Database(
            settings.database_url.get_secret_value(), on_error=self.metrics.database_failed
        )
        self.upkeep = Upkeep(self.db, settings.keep_for)
        self.inbox, self.outbox = Inbox(self.db), Outbox(self.db)
        self.inbox_of_slack = Inbox(self.db, within_s=STORED_WITHIN_S)
        self.requests = Requests(
            db=self.db,
            lease_ms=lease_ms(site.timeout_seconds for site in settings.sites.values()),
            on_saved=self._saved,
        )
        now = parts.settings_now(settings, again or (lambda: settings))
        self.slack_secrets = parts.SlackSecrets(settings, now)
        self.appliances = parts.appliances(settings, self.db, self.metrics, now)
        self._stopping = threading.Event()
        self._slack()
        self._work()
        self.servers: list[Server] = []
        self._away: str | None = None
        """What keeps the bot from starting: the server of the database does not answer."""

    def draw(self, request: Request, slot: str) -> Drawn:
        me, command = self.identity.known(), self.settings.slack_command
        return draw.draw(request, slot, command, me.url if me else None, self.overview.get)

    def draw_answer(self, answer: Answer, request: Request | None) -> Drawn:
        me = self.identity.known()
        return draw.draw_answer(answer, request, me.url if me else None, self.overview.get)

    def start(self) -> bool:
        """False while the server of the database is away: call it again. Meanwhile probes are
        answered, `/readyz` with 503, and Slack's requests are not found: nobody could store them.
        """
        try:
            upgrade(self.db)
            self.servers = self.servers or self._bound()
            note_start(self.db, self.running)
        except SQLAlchemyError as error:
            first, self._away = self._away is None, self._server_away(error)
            if self._away is None:
                raise
            self.servers = self.servers or self._bound()
            if first:
                self._serve()
            return False
        waited, self._away = self._away is not None, None
        self.upkeep.start()
        self.worker.start()
        self.poster.start()
        self.wsgi.slack = self.from_slack.answer if self.from_slack else None
        if not waited:
            self._serve()
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

    def _saved(self, request: Request | None, entries: Sequence[Entry]) -> None:
        parts.saved(self.metrics, request, entries)
        if entries:
            self.upkeep.committed()

    def _serve(self) -> None:
        for server in self.servers:
            server.start()

    def _server_away(self, error: SQLAlchemyError) -> str | None:
        """What keeps the bot from starting, in words, if it can pass without anybody's help. A
        SQLite file cannot come by itself: whoever starts the bot is told at once."""
        fault = fault_of(error, self.db.engine.url)
        waits = fault is not None and fault.by_itself and not self.db.one_writer
        return fault.running() if fault is not None and waits else None

    def stop(self) -> None:
        """Begin nothing new, take no more events, and give all that runs one deadline. Whatever has
        not ended by then is left behind: requests and messages are claimed with a lease, and
        another process takes them up when that is over."""
        deadline = Deadline(STOP_SECONDS)
        # Ask all of them before waiting for any: a call that began meanwhile would outlast the
        # deadline. What still comes in before the server is closed is stored for the next process.
        self._stopping.set()
        for part in (self.worker, self.poster, self.lookups, self.check):
            part.stop(0)
        ended = {}
        if self.socket and self._away is None:
            ended["socket"] = self.socket.stop(drain_s=deadline.left(DRAIN_SECONDS))
        drain_s = DRAIN_PROBES_SECONDS if self.socket else DRAIN_SECONDS
        closed = [one.close(deadline.left(drain_s)) for one in self.servers]
        ended["http"] = all(closed)
        self.lookups.stop(deadline.left(LOOKUPS_STOP_SECONDS))
        ended |= {
            "worker": self.worker.stop(deadline.left()),
            "poster": self.poster.stop(deadline.left()),
            # After listeners and lookups, which may have had something to tell people until now.
            "whisper": self.whisper.stop(max(deadline.left(), MOMENT_SECONDS)),
            "lookups": self.lookups.stop(0),
            "check": self.check.stop(deadline.left(CHECK_STOP_SECONDS)),
        }
        # After all that records something.
        ended["upkeep"] = self.upkeep.stop(max(deadline.left(), MOMENT_SECONDS))
        if all(ended.values()):
            ended["database"] = deadline.within(self._close, at_least_s=CLOSE_SECONDS)
        left = [part for part, has_ended in ended.items() if not has_ended]
        if left:
            # The database stays open for them, to store an outcome that comes at the last moment.
            log.warning("left_at_stop", left=left)
        log.info("stopped", finished=not left, seconds=round(deadline.passed(), 1))

    def _close(self) -> None:
        for appliance in self.appliances.values():
            appliance.close()
        self.db.close()

    def _slack(self) -> None:
        """What speaks in Slack, what reads there, and then what listens to it."""
        settings = self.settings
        pauses = Pauses(self.db)
        token = partial(self.slack_secrets.get, "SLACK_BOT_TOKEN")

        def client(timeout_s: int, pauses: Pauses | None = pauses) -> WebClient:
            return api_client(
                token,
                base_url=settings.slack_api_url,
                timeout_s=timeout_s,
                on_call=self.metrics.slack_called,
                pauses=pauses,
            )

        quick = client(QUICK_TIMEOUT_S)
        self.identity = Identity(quick)
        found = at_start(settings, self.appliances, self.identity.learn, token)
        self.check = BackgroundCheck(found, self._end)
        self.whisper = Whisper(pauses, settings.slack_api_url)
        self.poster = Poster(
            self.outbox,
            client(POST_TIMEOUT_S, None),  # the outbox gives no message whose method is paused
            self.draw,
            self.draw_answer,
            messages,
            nets=nets(POSTERS),
            pauses=pauses,
            on_given_up=self.metrics.message_given_up,
        )
        self.people = People(client(PEOPLE_TIMEOUT_S), self.identity, self.db.clock)
        looked_at = {name: each.for_lookups() for name, each in self.appliances.items()}
        self.lists = Lists(looked_at, self.db.clock)
        self.overview = Overview(self.db)
        self.lookups = Lookups(looked_at, self.lists, self.overview, self.people, self.policy)
        self._listen(quick, People(client(PRESS_TIMEOUT_S), self.identity, self.db.clock))

    def _listen(self, quick: WebClient, at_press: People) -> None:
        settings = self.settings
        lookups, sites = self.lookups, tuple(self.policy.sites)
        deps = Deps(
            inbox=self.inbox_of_slack,
            overview=self.overview,
            policy=self.policy,
            command=settings.slack_command,
            identity=self.identity,
            views=quick,
            whisper=self.whisper,
            lookups=LookupsOfListeners(
                preview=lookups.preview,
                all_counted=lambda by, then: lookups.pairings(sites, by, then, counted=True),
                pairings=lambda at, by, then, s: lookups.pairings(at, by, then, fresh_s=s),
                stored=lookups.stored,
                home=lookups.home,
                has_room=lookups.has_room,
                known=lambda site, seconds: self.lists.known(site, within_s=seconds),
            ),
            may_break_glass=may_break_glass(at_press, self.policy, PRESS_TIMEOUT_S),
            on_repeated=lambda: self.metrics.slack_rejected("replayed"),
            later=_later,
        )
        listen, rejected = partial(dispatch, make_app(deps)), self.metrics.slack_rejected
        secret = partial(self.slack_secrets.get, "SLACK_SIGNING_SECRET")
        over_http = settings.slack_signing_secret is not None
        self.from_slack = FromSlack(secret, listen, rejected) if over_http else None
        self.socket = self._socket_mode(listen)

    def _bound(self) -> list[Server]:
        """Slack's port, and where `OPERATE_PORT` is set another one for probes."""
        settings, slack = self.settings, self.from_slack
        ready = Ready(self._checks(), self.check.hints)
        sites = tuple(settings.sites)
        self.metrics.watch(
            figures=partial(parts.read_figures, self.db, sites),
            login_rests=partial(parts.login_rests, sites),
            ready=lambda: ready.now()[0],
            socket_age=self.socket.silent_s if self.socket else None,
            certificate_ends=partial(parts.certificate_ends, self.appliances),
        )
        pages = ready.pages(self.metrics.text)
        too_large = partial(slack.turn_away, "too_large") if slack else lambda: None
        operate_port = settings.operate_port
        self.wsgi = Wsgi(pages if operate_port is None else {}, None)  # Slack's come at the start
        bound = [Server(self.wsgi, settings.host, settings.port, on_too_large=too_large)]
        if operate_port is not None:
            bound.append(Server(Wsgi(pages, None), settings.host, operate_port, threads=2))
        return bound

    def _socket_mode(self, listen: Callable[[Json], BoltResponse]) -> SocketMode | None:
        if self.settings.slack_app_token is None:
            return None
        # Imported here: HTTP mode does not need what takes a twentieth of a start.
        from bot.slack.receive.socket import SocketMode
        from bot.slack.receive.socket_opening import ADDRESS_TIMEOUT_S

        client = api_client(
            partial(self.slack_secrets.get, "SLACK_APP_TOKEN"),
            base_url=self.settings.slack_api_url,
            timeout_s=ADDRESS_TIMEOUT_S,
            on_call=self.metrics.slack_called,
        )
        return SocketMode(client, listen, self.metrics.slack_rejected)

    def _checks(self) -> dict[str, Check]:
        checks: dict[str, Check] = {"database": Bounded(self._database, READY_WITHIN_S)}
        return {**checks, "slack": self.socket.problem} if self.socket else checks

    def _database(self) -> str | None:
        if self._away is not None:
            return self._away
        try:
            return ready_problem(self.db)
        except SchemaTooNew as error:
            # A newer copy has migrated the database meanwhile: what we write now might do harm.
            self._end(str(error))
            return str(error)

    def _work(self) -> None:
        effects = Effects(
            policy=self.policy,
            people=self.people,
            appliances=self.appliances,
            overview=self.overview,
            lists=self.lists,
        )
        stopping = self._stopping.is_set
        sender = DeleteSender(self.policy, self.appliances, self.requests, stopping)
        driver = Driver(self.requests, self.inbox, effects, sender, stopping)
        self.worker = Worker(self.requests, driver, self.policy)
