"""What happens with the request modal: it is opened, filled in the background, searched and sent.

It does no harm if the modal is closed meanwhile or the appliance is slow: until the modal is sent
there is no request, only the stored `response_url` of whoever opened it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.request.events import Asked, Event, Opened
from bot.request.lookups import LookFailed, MayNotLook, PairingsListed, SitesRead, SiteUnread
from bot.slack.draw.forms import (
    OPTIONS_MOST,
    FieldErrors,
    Filled,
    FormLists,
    choices,
    filled_form,
    matching,
    not_read_option,
    option,
    reading_form,
    unread_form,
)
from bot.slack.draw.ids import (
    BLOCK_FORCE,
    BLOCK_PAIRING,
    BLOCK_REASON,
    BLOCK_SITE,
    AskOrigin,
    Suggestion,
)
from bot.slack.draw.markup import TITLE, line, plain, when
from bot.slack.draw.words import labels, usage
from bot.slack.draw.words.phrases import problem_words
from bot.slack.draw.words.refused import may_not_look
from bot.slack.draw.words.usage import being_checked
from bot.slack.receive import origins
from bot.slack.receive.command import site_and_pairing
from bot.slack.receive.deps import ListenerDeps
from bot.slack.receive.payload import (
    Json,
    chosen,
    maybe_object,
    maybe_text,
    object_of,
    only_action,
    text_of,
    user_of,
)
from bot.slack.receive.request_values import read_request
from bot.slack.send.trouble import BROKEN, Kind, trouble_of

log = structlog.get_logger(__name__)

FRESH_S = 60.0
"""A list of up to this age is used without reading it again. There are few calls for looking, and
many people may open the form."""

KEPT_S = 15 * 60.0
"""If the pairings cannot be read, a list of up to this age is shown, and its age is named."""

WORDS_SHOWN = 700

GONE = frozenset({"not_found", "hash_conflict"})
"""The form was closed, or has changed since (Slack docs, views.update)."""

TRIES = 2
"""Of an update. If only the answer to the first was lost, the second changes nothing, because the
`hash` is another one by then."""


def open_form(payload: Json, deps: ListenerDeps) -> str:
    """Open the form and have it filled. Returns what the asker reads at once, mostly nothing.
    Raises Malformed."""
    return _open(
        text_of(payload, "user_id"),
        text_of(payload, "channel_id"),
        text_of(payload, "trigger_id"),
        origins.of_command(payload),
        text_of(payload, "response_url"),
        None,
        deps,
    )


def suggestion_pressed(payload: Json, deps: ListenerDeps) -> None:
    """Open the form with the pairing that is on the button, and with what was typed before. Raises
    Malformed."""
    by, _ = user_of(payload)
    address = text_of(payload, "response_url")
    suggested = Suggestion.unpack(only_action(payload).get("value"))
    refused = deps.overview.get(suggested.refused) if suggested and suggested.refused else None
    if suggested is None or (suggested.refused and (not refused or refused.requester != by)):
        return deps.whisper.tell(address, usage.unreadable_button())
    container = maybe_object(payload, "container")
    channel = maybe_text(maybe_object(payload, "channel"), "id")
    channel = refused.channel if refused else channel or text_of(container, "channel_id")
    if channel.startswith("D"):
        return deps.whisper.tell(address, usage.NO_DIRECT_MESSAGE)
    reason = refused.reason if refused else ""
    filled = Filled(pairing=suggested.pairing, force=suggested.force, reason=reason)
    trigger, origin = text_of(payload, "trigger_id"), origins.of_click(payload)
    words = _open(by, channel, trigger, origin, address, filled, deps)
    if words:
        deps.whisper.tell(address, words)
    return None


def _open(
    user: str,
    channel: str,
    trigger: str,
    event_origin: str,
    address: str,
    filled: Filled | None,
    deps: ListenerDeps,
) -> str:
    if not deps.lookups.has_room():
        return usage.busy(deps.command)
    request_id = deps.new_id()
    number = deps.inbox.put(
        Opened(action="ask", by=user),
        origin=event_origin,
        request_id=request_id,
        response_url=address,
    )
    if number is None:
        # The same command again. Its form was opened already, and its trigger is used up.
        deps.on_repeated()
        log.info("form_repeated", by=user, channel=channel)
        return ""
    origin = AskOrigin(request_id=request_id, channel=channel, opened_by=number)
    try:
        answer = deps.views.views_open(trigger_id=trigger, view=reading_form(origin, deps.command))
    except (SlackApiError, *BROKEN) as error:
        log.warning("form_not_opened", by=user, error=trouble_of(error).word)
        return usage.form_not_opened(deps.command)
    log.info("form_opened", by=user, channel=channel)
    taken = _fill(answer.get("view"), origin, user, None, deps, filled)
    return "" if taken else usage.busy(deps.command)


def site_chosen(payload: Json, deps: ListenerDeps) -> None:
    """Show only the pairings of the chosen appliance. Raises Malformed."""
    view = object_of(payload, "view")
    by, _ = user_of(payload)
    origin = AskOrigin.unpack(view.get("private_metadata"))
    if origin is not None:
        _fill(view, origin, by, chosen(view, BLOCK_SITE), deps)


def options_wanted(payload: Json, deps: ListenerDeps) -> list[dict[str, Any]]:
    """The pairings in memory that fit what was typed. Raises Malformed."""
    if payload.get("block_id") != BLOCK_PAIRING:
        return []
    sites = tuple(deps.policy.sites)
    known = [deps.lookups.lists.known(site, within_s=KEPT_S) for site in sites]
    listed = [each for each in known if each is not None]
    if not listed:
        # Another copy of the bot has read the list, or this one was restarted since.
        by, _ = user_of(payload)
        deps.lookups.pairings(sites, by, lambda read: None, fresh_s=FRESH_S)
        return [not_read_option(labels.LIST_NOT_READ).to_dict()]
    among = choices(listed, several_sites=len(sites) > 1)
    site = chosen(maybe_object(payload, "view"), BLOCK_SITE)
    of_site = [c for c in among if c.site == site] or among
    fitting = matching(of_site, maybe_text(payload, "value") or "")
    return [option(choice).to_dict() for choice in fitting[:OPTIONS_MOST]]


def form_submitted(payload: Json, deps: ListenerDeps) -> dict[str, str] | None:
    """Store the same event as the command does. Returns None, or a sentence for each wrong field,
    also where this form was sent before with other content. Raises Malformed."""
    view = object_of(payload, "view")
    by, team = user_of(payload)
    submitted = read_request(view, deps.policy)
    if submitted is None:
        log.warning("form_without_origin", by=by)
        return {BLOCK_REASON: usage.request_form_lost(deps.command)}
    if isinstance(submitted, FieldErrors):
        return submitted.errors
    place = site_and_pairing(submitted.pairing, tuple(deps.policy.sites), deps.command)
    if isinstance(place, str):
        return {BLOCK_PAIRING: labels.CHOOSE_PAIRING}
    site, pairing = place
    opened = submitted.origin
    event = Asked(
        site=site,
        pairing=pairing,
        force=submitted.force,
        reason=submitted.reason,
        requester=by,
        team=team,
        channel=opened.channel,
    )
    origin = origins.of_form(opened.request_id)
    number = deps.inbox.put(
        event,
        origin=origin,
        request_id=opened.request_id,
        answer_via=opened.opened_by,
    )
    if number is None:
        deps.on_repeated()
        log.info("asking_repeated", by=by, channel=opened.channel)
        return _not_what_was_sent(deps.inbox.stored(origin), event, opened.request_id, deps) or None
    log.info("asked", request=opened.request_id, by=by, channel=opened.channel, site=site)
    deps.whisper.tell(deps.inbox.address(opened.opened_by), being_checked(pairing))
    return None


def _not_what_was_sent(
    before: Event | None, now: Asked, request_id: str, deps: ListenerDeps
) -> dict[str, str]:
    """A sentence for each field that differs from what this form was first sent with: the form had
    stayed open, since the acknowledgement was lost, and somebody has corrected it."""
    if not isinstance(before, Asked):
        return {}
    row = deps.overview.get(request_id)
    found: dict[str, str] = {}
    if (before.site, before.pairing) != (now.site, now.pairing):
        found[BLOCK_PAIRING] = plain(row.title if row else before.pairing, TITLE)
    if before.force != now.force:
        found[BLOCK_FORCE] = f"“{labels.FORCE_YES if before.force else labels.FORCE_NO}”"
    if before.reason != now.reason:
        found[BLOCK_REASON] = f"this reason: “{labels.quoted(before.reason)}”"
    return {block: labels.already_sent(what, request_id) for block, what in found.items()}


def _fill(
    view: Any,
    origin: AskOrigin,
    by: str,
    site: str | None,
    deps: ListenerDeps,
    filled: Filled | None = None,
) -> bool:
    """Have the form filled in a thread of the lookups. False if too many wait there already."""
    shown = view if isinstance(view, Mapping) else {}

    def show(read: SitesRead) -> None:
        _update(shown, _form_of(read, origin, site, deps, filled), origin, deps)

    sites = tuple(deps.policy.sites)
    if site is None or site not in sites:
        return deps.lookups.pairings(sites, by, show, fresh_s=FRESH_S)

    def show_chosen(read: SitesRead) -> None:
        """Add what is known of the other appliances, without waiting for them."""
        others = [deps.lookups.lists.known(each, within_s=KEPT_S) for each in sites if each != site]
        known = tuple(each for each in others if each is not None)
        show((*read, *known) if isinstance(read, tuple) else read)

    return deps.lookups.pairings((site,), by, show_chosen, fresh_s=KEPT_S)


def _form_of(
    read: SitesRead, origin: AskOrigin, site: str | None, deps: ListenerDeps, filled: Filled | None
) -> dict[str, Any]:
    if isinstance(read, MayNotLook):
        return unread_form(origin, [may_not_look(read.reason)])
    if isinstance(read, LookFailed):
        return unread_form(origin, [usage.unexpected(read.reference)])
    lists = _lists(read, site, deps)
    if isinstance(lists, FormLists):
        return filled_form(origin, lists.model_copy(update={"filled": filled}), deps.policy)
    return unread_form(origin, lists)


def _lists(
    read: Sequence[PairingsListed | SiteUnread], site: str | None, deps: ListenerDeps
) -> FormLists | list[str]:
    """What to fill the form with. If there is nothing to choose, sentences that say why."""
    several = len(deps.policy.sites) > 1
    listed: list[PairingsListed] = []
    notes: list[str] = []
    unread: list[str] = []
    for each in read:
        if isinstance(each, PairingsListed):
            listed.append(each)
            continue
        why = " ".join(problem_words(each.failed.problem, WORDS_SHOWN))
        old = deps.lookups.lists.known(each.site, within_s=KEPT_S)
        named = labels.appliance(each.site, several)
        if old is None:
            unread.append(labels.unread(named, why))
        else:
            listed.append(old)
            notes.append(labels.as_of(named, when(old.read_at), why))
    found = choices(listed, several_sites=several)
    if several and site is not None and not any(choice.site == site for choice in found):
        unread.append(labels.none_of_site(site))
    if not found:
        names = ", ".join(labels.appliance(each.site, several) for each in read)
        nothing = [labels.nothing_to_break(names), *_notes(listed, several=several)]
        return [*unread, labels.type_instead(deps.command)] if unread else nothing
    notes += [*unread, *_notes(listed, several=several)]
    return FormLists(choices=tuple(found), notes=tuple(notes), site=site)


def _notes(listed: Sequence[PairingsListed], *, several: bool) -> list[str]:
    notes = [
        labels.not_complete(labels.appliance(each.site, several), line(words))
        for each in listed
        for words in each.partial[:1]
    ]
    themselves = sum(item.pairing.of_itself for each in listed for item in each.pairings)
    return [*notes, labels.left_out(themselves)] if themselves else notes


def _update(
    shown: Mapping[str, Any], filled: dict[str, Any], origin: AskOrigin, deps: ListenerDeps
) -> None:
    """Never raises for Slack's answers. If the form is closed, there is nothing to fill."""
    view_id, view_hash = shown.get("id"), shown.get("hash")
    for _ in range(TRIES):
        try:
            deps.views.views_update(view_id=view_id, hash=view_hash, view=filled)
        except (SlackApiError, *BROKEN) as error:
            trouble = trouble_of(error)
            log.info("form_not_filled", request=origin.request_id, error=trouble.word)
            if trouble.kind is not Kind.PASSING or trouble.word in GONE:
                return
        else:
            return
