"""`preview`, `list`, `status`, and the Home tab: only the person who asks sees the answer, and
nothing is stored.

The threads of `bot.worker.lookups` first ask Slack who the person is, and then answer through the
`response_url`. So the acknowledgement waits for neither Slack nor an appliance, and it names
nothing.
"""

from __future__ import annotations

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block

from bot.request.events import CallFailed, PairingUnresolved
from bot.request.lookups import HomeRead, LookFailed, MayNotLook, PreviewRead, SitesRead
from bot.request.messages import Drawn
from bot.slack.draw.card import card_url
from bot.slack.draw.forms import suggestions
from bot.slack.draw.home import ENDED_MOST, home_view, status_list
from bot.slack.draw.markup import drawn, section
from bot.slack.draw.preview import preview
from bot.slack.draw.words import lists, status, usage
from bot.slack.draw.words.refused import may_not_look
from bot.slack.draw.words.usage import being_listed, being_looked_up, being_previewed
from bot.slack.receive.command import Preview, site_and_pairing
from bot.slack.receive.deps import ListenerDeps
from bot.slack.receive.payload import Json, object_of, text_of
from bot.slack.send.trouble import BROKEN, trouble_of

log = structlog.get_logger(__name__)

LINES_IN_BLOCK = 8
"""So many lines fit into one section, even the longest."""


def previewed(payload: Json, wanted: Preview, deps: ListenerDeps) -> str:
    """Starts a preview. Returns what the asker reads at once. Raises Malformed."""
    by, channel = text_of(payload, "user_id"), text_of(payload, "channel_id")
    address = text_of(payload, "response_url")
    found = site_and_pairing(wanted.pairing, tuple(deps.policy.sites), deps.command)
    if isinstance(found, str):
        return found
    site, pairing = found

    def tell(read: PreviewRead) -> None:
        made = _preview(read, site, pairing, by, channel, deps, force=wanted.force)
        deps.whisper.tell(address, made)

    if not deps.lookups.preview(site, pairing, by, tell):
        return usage.busy(deps.command)
    log.info("previewing", by=by, channel=channel, site=site)
    return being_previewed(pairing)


def listed(payload: Json, deps: ListenerDeps) -> str:
    """The same for the list of all pairings. Raises Malformed."""
    by, address = text_of(payload, "user_id"), text_of(payload, "response_url")

    def tell(read: SitesRead) -> None:
        deps.whisper.tell(address, _list(read, deps))

    if not deps.lookups.pairings(tuple(deps.policy.sites), by, tell, counted=True):
        return usage.busy(deps.command)
    log.info("listing", by=by)
    return being_listed(tuple(deps.policy.sites))


def stands(payload: Json, request_id: str | None, deps: ListenerDeps) -> str:
    """The same for the state of requests, which only needs the store. Raises Malformed."""
    by, address = text_of(payload, "user_id"), text_of(payload, "response_url")

    def tell(read: Drawn | MayNotLook | LookFailed) -> None:
        deps.whisper.tell(address, read if isinstance(read, Drawn) else _untold(read))

    if not deps.lookups.stored(by, lambda: _standing(request_id, deps), tell):
        return usage.busy_with_requests()
    log.info("looking_at_requests", by=by)
    return being_looked_up(request_id)


def home_opened(payload: Json, deps: ListenerDeps) -> None:
    """Handles the event `app_home_opened` (Slack docs), which also comes for the messages tab. At
    the worst the tab stays unfilled, and the person opens it again. Raises Malformed."""
    event = object_of(payload, "event")
    if text_of(event, "tab") != "home":
        return
    user = text_of(event, "user")

    def publish(read: HomeRead) -> None:
        view = home_view(
            read, workspace_url=_workspace(deps), command=deps.command, now=deps.overview.now()
        )
        try:
            deps.views.views_publish(user_id=user, view=view)
        except (SlackApiError, *BROKEN) as error:
            log.warning("home_not_published", by=user, error=trouble_of(error).word)
        else:
            log.info("home_published", by=user)

    if not deps.lookups.home(user, publish):
        log.warning("home_not_read", by=user, why="too many lookups wait")


def _workspace(deps: ListenerDeps) -> str | None:
    """Its address, for links to cards; None while Slack has not told it."""
    myself = deps.identity.known()
    return myself.url if myself else None


def _standing(request_id: str | None, deps: ListenerDeps) -> Drawn:
    if request_id is None:
        opened, ended = deps.overview.unfinished(), deps.overview.ended(ENDED_MOST)
        return status_list(opened, ended, workspace_url=_workspace(deps), command=deps.command)
    request = deps.overview.get(request_id)
    if request is None:
        return drawn(status.unknown(request_id, deps.command))
    return drawn(status.one(request, card_url(request, _workspace(deps))))


def _preview(
    read: PreviewRead,
    site: str,
    pairing: str,
    by: str,
    channel: str,
    deps: ListenerDeps,
    *,
    force: bool,
) -> Drawn:
    match read:
        case MayNotLook() | LookFailed():
            return _untold(read)
        case PairingUnresolved():
            words = lists.unresolved(site, pairing, read, deps.command)
            at = site if len(deps.policy.sites) > 1 else None
            near = suggestions(read.near, at, force=force)
            return drawn(words, section(words), near) if near else drawn(words)
        case CallFailed():
            return drawn(lists.not_previewed(pairing, read))
    found_at = read.place.site if read.place else site
    opened = lists.holders(deps.overview.unfinished())
    return preview(
        read.snapshot,
        site=found_at,
        also_at=read.also_at,
        force=force,
        by=by,
        channel=channel,
        policy=deps.policy,
        holder=lists.holder_of(found_at, read.snapshot, opened),
        unclear=deps.overview.unclear(read.snapshot),
        command=deps.command,
    )


def _list(read: SitesRead, deps: ListenerDeps) -> Drawn:
    if isinstance(read, MayNotLook | LookFailed):
        return _untold(read)
    sites = lists.sites(read, lists.holders(deps.overview.unfinished()), deps.command)
    text = "\n".join(line for lines in sites for line in lines)
    return drawn(text, *(block for lines in sites for block in _sections(lines)))


def _untold(read: MayNotLook | LookFailed) -> Drawn:
    """The words if nothing may be shown. They are the same for everything, and name nothing."""
    if isinstance(read, MayNotLook):
        return drawn(may_not_look(read.reason))
    return drawn(usage.unexpected(read.reference))


def _sections(lines: list[str]) -> list[Block]:
    parts = range(0, len(lines), LINES_IN_BLOCK)
    return [section("\n".join(lines[n : n + LINES_IN_BLOCK])) for n in parts]
