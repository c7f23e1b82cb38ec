"""The slash command: what was typed becomes one stored `Asked`, a form, a lookup, or a sentence.
And the Home tab, which is a lookup too.

Of a lookup (`preview`, `list`, `status`) only the person who asks sees the answer, and nothing is
stored. The threads of `bot.worker.lookup_threads` first ask Slack who the person is, and then
answer through the `response_url`. So the acknowledgement waits for neither Slack nor an appliance,
and it names nothing.
"""

from __future__ import annotations

import time
from typing import Literal

import structlog
from slack_sdk.errors import SlackApiError

from bot.request.events import Asked, AskRefused, CallFailed
from bot.request.lookup_results import (
    HomeRead,
    LookedTooOften,
    LookFailed,
    MayNotLook,
    PreviewRead,
    SitesRead,
    Untold,
    holder_of,
)
from bot.request.messages import Drawn
from bot.request.pairing import PairingUnresolved
from bot.request.request_id import new_request_id
from bot.slack.draw import pairing_lists, request_lists
from bot.slack.draw.card_buttons import card_url
from bot.slack.draw.limits import ENDED_LISTED
from bot.slack.draw.markup import drawn, only_text, section
from bot.slack.draw.pairing_lists import suggestions
from bot.slack.draw.words import usage
from bot.slack.receive.command_text import (
    Ask,
    Form,
    Help,
    List,
    Preview,
    Status,
    Wrong,
    parse,
    site_and_pairing,
)
from bot.slack.receive.deps import Deps
from bot.slack.receive.payload import Command, HomeOpened, origin
from bot.slack.receive.request_form import open_form, store, untold
from bot.slack.send.slack_problem import BROKEN, problem_of
from bot.store.per_person import TooOften

log = structlog.get_logger(__name__)

REFUSED_ONCE_IN_S = 60
"""The same refusal of the same person in the same place is recorded only once in this time.
Somebody who types it all day must not fill the trail, nor the queue in which other requests
wait."""

Why = Literal["direct_message", "channel", "reason_missing", "reason_pattern"]


def command_typed(command: Command, deps: Deps) -> str:
    """The immediate answer, for the asker alone; empty when a form opens."""
    try:
        parsed = parse(command.text, command=deps.command)
    except Wrong as wrong:
        return str(wrong)
    if isinstance(parsed, Help):
        return usage.help_text(deps.command, deps.policy)
    if problem := _problem(command, parsed, deps):
        why, sentence = problem
        if isinstance(parsed, Ask | Form):
            # Left to the worker, for the audit trail: a listener never waits for its head.
            refused = AskRefused(
                by=command.by,
                team=command.team,
                channel=command.channel,
                pairing=parsed.pairing if isinstance(parsed, Ask) else "",
                force=isinstance(parsed, Ask) and parsed.force,
                why=why,
            )
            period = str(int(time.time()) // REFUSED_ONCE_IN_S)
            key = origin("refusal", command.by, command.channel, why, period)
            deps.inbox.put(refused, origin=key, request_id="")
            log.info("asking_refused", by=command.by, channel=command.channel, why=why)
        return sentence
    match parsed:
        case Form():
            return open_form(command, None, deps)
        case List():
            return list_pairings(command, deps)
        case Status(id=request_id):
            return status(command, request_id, deps)
    found = site_and_pairing(parsed.pairing, tuple(deps.policy.sites), deps.command)
    if isinstance(found, str):
        return found
    site, pairing = found
    if isinstance(parsed, Preview):
        return preview(command, site, pairing, parsed.force, deps)
    event = Asked(
        site=site,
        pairing=pairing,
        force=parsed.force,
        reason=parsed.reason,
        requester=command.by,
        team=command.team,
        channel=command.channel,
        at=parsed.at,
    )
    try:
        store(event, command.origin, new_request_id(), deps, response_url=command.response_url)
    except TooOften as often:
        log.info("asked_too_often", by=command.by, channel=command.channel)
        return usage.too_often(often.seconds)
    return usage.being_checked(pairing)


def _problem(
    command: Command, wanted: Ask | Form | Preview | List | Status, deps: Deps
) -> tuple[Why, str] | None:
    """What the settings alone refuse. Everything else is for the worker: a complete request from
    another channel too (`channel_not_allowed`). In a direct message people may look, but not
    ask."""
    policy = deps.policy
    if command.direct and (isinstance(wanted, Ask | Form) or policy.channels is not None):
        return "direct_message", usage.NO_DIRECT_MESSAGE
    if not isinstance(wanted, Ask):
        if policy.channels is None or command.channel in policy.channels:
            return None
        return "channel", usage.channel_not_allowed(policy.channels)
    if policy.reason_missing(wanted.reason):
        return "reason_missing", usage.reason_needed(deps.command, policy.reason_pattern)
    if policy.reason_pattern is not None and not policy.reason_fits(wanted.reason):
        return "reason_pattern", usage.reason_needed(deps.command, policy.reason_pattern)
    return None


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
        if isinstance(read, Untold):
            return deps.whisper.tell(asked.response_url, untold(read))
        opened, url = deps.overview.unfinished(), deps.identity.url()
        shown = pairing_lists.pairings_list(read, opened, deps.command, url)
        return deps.whisper.tell(asked.response_url, shown)

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
        case MayNotLook() | LookFailed() | LookedTooOften():
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
        force=force,
        by=asked.by,
        channel=asked.channel,
        policy=deps.policy,
        holder=holder_of(found_at, read.snapshot, deps.overview.unfinished()),
        unclear=deps.overview.unclear(read.snapshot),
        command=deps.command,
        workspace_url=deps.identity.url(),
    )
