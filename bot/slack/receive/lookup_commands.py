"""`preview`, `list`, `status`, and the Home tab: only the person who asks sees the answer, and
nothing is stored.

The threads of `bot.worker.lookup_threads` first ask Slack who the person is, and then answer
through the `response_url`. So the acknowledgement waits for neither Slack nor an appliance, and it
names nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from slack_sdk.errors import SlackApiError

from bot.request.events import CallFailed, PairingUnresolved
from bot.request.lookup_results import (
    HomeRead,
    LookFailed,
    MayNotLook,
    PreviewRead,
    SitesRead,
    holder_of,
)
from bot.request.messages import Drawn
from bot.slack.draw import pairing_lists, request_lists
from bot.slack.draw.card_buttons import card_url
from bot.slack.draw.limits import ENDED_LISTED
from bot.slack.draw.markup import drawn, only_text, section
from bot.slack.draw.pairing_lists import suggestions
from bot.slack.draw.words import usage
from bot.slack.draw.words.check_refused import may_not_look
from bot.slack.receive.payload import Command, HomeOpened
from bot.slack.send.slack_problem import BROKEN, problem_of

if TYPE_CHECKING:
    from bot.slack.receive.listeners import Deps

log = structlog.get_logger(__name__)

LINES_IN_BLOCK = 8
"""So many lines fit into one section, even the longest."""


def preview(asked: Command, site: str, pairing: str, force: bool, deps: Deps) -> str:
    """Starts a preview. Returns what the asker reads at once."""

    def tell(read: PreviewRead) -> None:
        deps.whisper.tell(asked.response_url, _preview(read, asked, site, pairing, force, deps))

    if not deps.lookups.preview(site, pairing, asked.by, tell):
        return usage.BUSY
    log.info("previewing", by=asked.by, channel=asked.channel, site=site)
    return usage.LOOKING


def list_pairings(asked: Command, deps: Deps) -> str:
    """The same for the list of all pairings."""

    def tell(read: SitesRead) -> None:
        if isinstance(read, MayNotLook | LookFailed):
            return deps.whisper.tell(asked.response_url, untold(read))
        opened, url = deps.overview.unfinished(), deps.identity.url()
        blocks = [
            section("\n".join(lines[n : n + LINES_IN_BLOCK]))
            for lines in pairing_lists.sites(read, opened, deps.command, url)
            for n in range(0, len(lines), LINES_IN_BLOCK)
        ]
        return deps.whisper.tell(asked.response_url, drawn(*blocks))

    if not deps.lookups.pairings(tuple(deps.policy.sites), asked.by, tell, counted=True):
        return usage.BUSY
    log.info("listing", by=asked.by)
    return usage.LOOKING


def status(asked: Command, request_id: str | None, deps: Deps) -> str:
    """The same for the state of requests, which only needs the store."""
    overview, url = deps.overview, deps.identity.url()

    def read() -> Drawn:
        if request_id is None:
            return request_lists.status_list(
                overview.unfinished(),
                overview.ended(ENDED_LISTED),
                overview.unresolved(),
                workspace_url=url,
                command=deps.command,
            )
        request = overview.get(request_id)
        if request is None:
            return only_text(request_lists.unknown(request_id, deps.command))
        return only_text(request_lists.one(request, card_url(request, url)))

    def tell(found: Drawn | MayNotLook | LookFailed) -> None:
        words = found if isinstance(found, Drawn) else untold(found)
        deps.whisper.tell(asked.response_url, words)

    if not deps.lookups.stored(asked.by, read, tell):
        return usage.BUSY
    log.info("looking_at_requests", by=asked.by)
    return usage.LOOKING


def home(opened: HomeOpened, deps: Deps) -> None:
    """At the worst the tab stays unfilled, and the person opens it again."""

    def publish(read: HomeRead) -> None:
        view = request_lists.home_view(
            read, workspace_url=deps.identity.url(), command=deps.command, now=deps.overview.now()
        )
        try:
            deps.views.views_publish(user_id=opened.by, view=view)
        except (SlackApiError, *BROKEN) as error:
            log.warning("home_not_published", by=opened.by, error=problem_of(error).word)
        else:
            log.info("home_published", by=opened.by)

    if opened.tab == "home" and not deps.lookups.home(opened.by, publish):
        log.warning("home_not_read", by=opened.by, why="too many lookups wait")


def _preview(
    read: PreviewRead, asked: Command, site: str, pairing: str, force: bool, deps: Deps
) -> Drawn:
    match read:
        case MayNotLook() | LookFailed():
            return only_text(untold(read))
        case PairingUnresolved():
            several = len(deps.policy.sites) > 1
            why = pairing_lists.unresolved(site, pairing, read, several=several)
            near = suggestions(read.near, site if several else None, force=force)
            return drawn(section(why), near) if near else only_text(why)
        case CallFailed():
            return only_text(pairing_lists.not_previewed(pairing, read))
    found_at = read.found_at or site
    return pairing_lists.preview(
        read.snapshot,
        site=found_at,
        also_at=read.also_at,
        force=force,
        by=asked.by,
        channel=asked.channel,
        policy=deps.policy,
        holder=holder_of(found_at, read.snapshot, deps.overview.unfinished()),
        unclear=deps.overview.unclear(read.snapshot),
        command=deps.command,
        workspace_url=deps.identity.url(),
    )


def untold(read: MayNotLook | LookFailed) -> str:
    """The words if nothing may be shown. They are the same for everything, and name nothing."""
    if isinstance(read, MayNotLook):
        return may_not_look(read.reason)
    return usage.unexpected(read.reference)
