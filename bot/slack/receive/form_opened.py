"""The request modal: it is opened, filled in the background, and searched.

It does no harm if the modal is closed meanwhile or the appliance is slow: until the modal is sent
there is no request, only the stored `response_url` of whoever opened it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.request.events import Opened
from bot.request.lookup_results import (
    LookFailed,
    MayNotLook,
    PairingsListed,
    SitesRead,
    SiteUnread,
)
from bot.request.time_for_delete import on_the_clock
from bot.slack.draw import ask_form
from bot.slack.draw.ask_form import Filled, FormLists, filled_form, reading_form, unread_form
from bot.slack.draw.ids import BLOCK_PAIRING, BLOCK_SITE, AskOrigin, Suggestion
from bot.slack.draw.limits import OPTIONS_MOST
from bot.slack.draw.markup import line, when
from bot.slack.draw.pairing_lists import choices, matching, not_read_option
from bot.slack.draw.words import usage
from bot.slack.draw.words.check_refused import may_not_look
from bot.slack.draw.words.phrases import problem_words
from bot.slack.receive.payload import Click, Command, Search
from bot.slack.send.slack_problem import BROKEN, problem_of

if TYPE_CHECKING:
    from bot.slack.receive.listeners import Deps

log = structlog.get_logger(__name__)

FRESH_S = 60.0
"""A list of up to this age is used without reading it again. There are few calls for looking, and
many people may open the form."""

KEPT_S = 15 * 60.0
"""If the pairings cannot be read, a list of up to this age is shown, and its age is named."""

WORDS_SHOWN = 700


# ---- opened ----------------------------------------------------------------------------------


def open_form(act: Command | Click, filled: Filled | None, deps: Deps, channel: str = "") -> str:
    """Open the form and have it filled. Returns what the asker reads at once, mostly nothing.
    `channel` is where the card will be, if not where this was done."""
    if not deps.lookups.has_room():
        return usage.BUSY
    request_id = deps.new_id()
    number = deps.inbox.put(
        Opened(action="ask", by=act.by),
        origin=act.origin,
        request_id=request_id,
        response_url=act.response_url,
    )
    channel = channel or act.channel or ""
    if number is None:
        # The same again. Its form was opened already, and its trigger is used up.
        deps.on_repeated()
        log.info("form_repeated", by=act.by, channel=channel)
        return ""
    opened = AskOrigin(request_id=request_id, channel=channel, opened_by=number)
    view = reading_form(opened, deps.command)
    try:
        shown = deps.views.views_open(trigger_id=act.trigger_id, view=view).get("view") or {}
    except (SlackApiError, *BROKEN) as error:
        log.warning("form_not_opened", by=act.by, error=problem_of(error).word)
        return usage.NOT_OPENED
    log.info("form_opened", by=act.by, channel=channel)
    filling = _Filling(opened, shown.get("id"), shown.get("hash"), None, filled)
    return "" if _fill(filling, act.by, deps) else usage.BUSY


def suggestion_pressed(click: Click, deps: Deps) -> None:
    """Open the form with the pairing that is on the button, and with what was typed before."""
    suggested = Suggestion.unpack(click.value)
    refused = deps.overview.get(suggested.refused) if suggested and suggested.refused else None
    channel = refused.channel if refused else click.channel
    if (
        suggested is None
        or channel is None
        or (suggested.refused and (not refused or refused.requester != click.by))
    ):
        words = usage.UNKNOWN_BUTTON
    elif channel.startswith("D"):
        words = usage.NO_DIRECT_MESSAGE
    else:
        reason = refused.reason if refused else ""
        # A time that got lost on this way would be a delete at once.
        at = refused.scheduled_at if refused else None
        day, time = on_the_clock(at, refused.zone) if refused and at is not None else (None, None)
        filled = Filled(
            pairing=suggested.pairing, force=suggested.force, reason=reason, day=day, time=time
        )
        words = open_form(click, filled, deps, channel)
    if words:
        deps.whisper.tell(click.response_url, words)


# ---- filled ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Filling:
    """One form that waits for its pairings: `site` is the chosen one."""

    opened: AskOrigin
    view_id: str | None
    view_hash: str | None
    site: str | None
    filled: Filled | None = None


def site_chosen(click: Click, deps: Deps) -> None:
    """Show only the pairings of the chosen appliance."""
    opened = AskOrigin.unpack(click.view.metadata) if click.view else None
    if click.view is not None and opened is not None:
        view, site = click.view, click.view.values.get(BLOCK_SITE)
        _fill(_Filling(opened, view.id, view.hash, site), click.by, deps)


def _fill(form: _Filling, by: str, deps: Deps) -> bool:
    """Have the form filled in a thread of the lookups. False if too many wait there already."""
    sites, chosen = tuple(deps.policy.sites), form.site

    def show(read: SitesRead) -> None:
        if isinstance(read, tuple) and len(read) < len(sites):
            # Add what is known of the other appliances, without waiting for them.
            others = [deps.lookups.known(each, within_s=KEPT_S) for each in sites if each != chosen]
            read = (*read, *(each for each in others if each is not None))
        lists = _lists(read, form, deps) if isinstance(read, tuple) else [untold(read)]
        if isinstance(lists, FormLists):
            view = filled_form(form.opened, lists, deps.policy)
        else:
            view = unread_form(form.opened, lists)
        try:
            deps.views.views_update(view_id=form.view_id, hash=form.view_hash, view=view)
        except (SlackApiError, *BROKEN) as error:
            # At the worst the form says that it is being filled, and the person opens another one.
            word = problem_of(error).word
            log.info("form_not_filled", request=form.opened.request_id, error=word)

    if chosen is None or chosen not in sites:
        return deps.lookups.pairings(sites, by, show, fresh_s=FRESH_S)
    return deps.lookups.pairings((chosen,), by, show, fresh_s=KEPT_S)


def _lists(
    read: Sequence[PairingsListed | SiteUnread], form: _Filling, deps: Deps
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
        old = deps.lookups.known(each.site, within_s=KEPT_S)
        named = ask_form.appliance(each.site, several)
        if old is None:
            unread.append(ask_form.unread(named, why))
        else:
            listed.append(old)
            notes.append(ask_form.unread(named, why, when(old.read_at)))
    found = choices(listed, several_sites=several)
    if several and form.site is not None and all(choice.site != form.site for choice in found):
        unread.append(ask_form.none_of_site(form.site))
    gaps = [
        ask_form.not_complete(ask_form.appliance(each.site, several), line(words))
        for each in listed
        for words in each.partial[:1]
    ]
    themselves = sum(item.pairing.of_itself for each in listed for item in each.pairings)
    gaps += [ask_form.left_out(themselves)] if themselves else []
    if found:
        shown = (*notes, *unread, *gaps)
        return FormLists(choices=tuple(found), notes=shown, site=form.site, filled=form.filled)
    if unread:
        return [*unread, ask_form.type_instead(deps.command)]
    names = ", ".join(ask_form.appliance(each.site, several) for each in read)
    return [ask_form.nothing_to_break(names), *gaps]


def search_pairings(search: Search, deps: Deps) -> list[dict[str, Any]]:
    """The pairings in memory that fit what was typed."""
    if search.block_id != BLOCK_PAIRING:
        return []
    sites = tuple(deps.policy.sites)
    known = [deps.lookups.known(site, within_s=KEPT_S) for site in sites]
    listed = [each for each in known if each is not None]
    if not listed:
        # Another copy of the bot has read the list, or this one was restarted since.
        deps.lookups.pairings(sites, search.by, lambda read: None, fresh_s=FRESH_S)
        return [not_read_option().to_dict()]
    among = choices(listed, several_sites=len(sites) > 1)
    site = search.view.values.get(BLOCK_SITE) if search.view else None
    of_site = [c for c in among if c.site == site] or among
    return [choice.option.to_dict() for choice in matching(of_site, search.typed)[:OPTIONS_MOST]]


def untold(read: MayNotLook | LookFailed) -> str:
    """The words if nothing may be shown. They are the same for everything, and name nothing."""
    if isinstance(read, MayNotLook):
        return may_not_look(read.reason)
    return usage.unexpected(read.reference)
