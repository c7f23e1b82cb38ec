"""The request modal: it is opened, filled in the background, searched, and sent.

It does no harm if the modal is closed meanwhile or the appliance is slow: until the modal is sent
there is no request, only the stored `response_url` of whoever opened it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.request.events import Asked, Opened
from bot.request.lookup_results import (
    LookedTooOften,
    MayNotLook,
    PairingsListed,
    SitesRead,
    SiteUnread,
    Untold,
)
from bot.request.model import ANY_SITE, State
from bot.request.new_request import SLOW_MS
from bot.request.request_id import new_request_id
from bot.request.time_for_delete import on_the_clock, tidy_time
from bot.request.who_may import Policy
from bot.slack.draw import ask_form
from bot.slack.draw.ask_form import Filled, FormLists, filled_form, reading_form, unread_form
from bot.slack.draw.ids import (
    BLOCK_DATE,
    BLOCK_FORCE,
    BLOCK_PAIRING,
    BLOCK_REASON,
    BLOCK_SITE,
    BLOCK_TIME,
    FORCE_NO,
    FORCE_YES,
    AskOrigin,
    Suggestion,
)
from bot.slack.draw.limits import OPTION_VALUE, OPTIONS_MOST, REASON
from bot.slack.draw.markup import fenced_units, tidy, units
from bot.slack.draw.pairing_lists import NOT_READ, choices, matching, not_read_option
from bot.slack.draw.words import usage
from bot.slack.draw.words.check_refused import may_not_look
from bot.slack.draw.words.phrases import problem_words
from bot.slack.receive.command_text import site_and_pairing
from bot.slack.receive.deps import Deps
from bot.slack.receive.payload import Click, Command, FormSent, Search, origin
from bot.slack.send.slack_problem import BROKEN, problem_of
from bot.store.per_person import TooOften

log = structlog.get_logger(__name__)

FRESH_S = 60.0
"""A list of up to this age is used without reading it again. There are few calls for looking, and
many people may open the form."""

KEPT_S = 15 * 60.0
"""While somebody fills in a form that is open, its lists of up to this age serve the choice."""

WORDS_SHOWN = 700


# ---- opened ----------------------------------------------------------------------------------


def open_form(act: Command | Click, filled: Filled | None, deps: Deps, channel: str = "") -> str:
    """Open the form and have it filled. Returns what the asker reads at once, mostly nothing.
    `channel` is where the card will be, if not where this was done."""
    request_id = new_request_id()
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
    sites = tuple(deps.policy.sites)

    def show(read: SitesRead) -> None:
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

    return deps.lookups.pairings(sites, by, show, fresh_s=KEPT_S if form.site else FRESH_S)


def _lists(
    read: Sequence[PairingsListed | SiteUnread], form: _Filling, deps: Deps
) -> FormLists | list[str]:
    """What to fill the form with. If there is nothing to choose, sentences that say why."""
    several = len(deps.policy.sites) > 1
    listed = [each for each in read if isinstance(each, PairingsListed)]
    unread = [
        ask_form.unread(
            ask_form.appliance(each.site, several),
            " ".join(problem_words(each.failed.problem, WORDS_SHOWN)),
        )
        for each in read
        if isinstance(each, SiteUnread)
    ]
    found = choices(listed, several_sites=several)
    if several and form.site is not None and all(choice.site != form.site for choice in found):
        unread.append(ask_form.none_of_site(form.site))
    gaps = [
        ask_form.not_complete(ask_form.appliance(each.site, several), words)
        for each in listed
        for words in each.partial[:1]
    ]
    themselves = sum(item.pairing.of_itself for each in listed for item in each.pairings)
    gaps += [ask_form.left_out(themselves)] if themselves else []
    if found:
        shown = (*unread, *gaps)
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


def untold(read: Untold) -> str:
    """The words if nothing may be shown. They are the same for everything, and name nothing."""
    match read:
        case MayNotLook():
            return may_not_look(read.reason)
        case LookedTooOften():
            return usage.too_often(read.seconds)
    return usage.unexpected(read.reference)


# ---- sent --------------------------------------------------------------------------------------


def request_sent(sent: FormSent, deps: Deps) -> dict[str, str]:
    """Store the same event as the command does. Returns a sentence for each wrong field, also where
    this form was sent before with other content; nothing if all is well."""
    read = read_request(sent, deps.policy)
    if read is None:
        log.warning("form_without_origin", by=sent.by)
        return {BLOCK_REASON: usage.FORM_LOST}
    if isinstance(read, dict):
        return read
    opened, event = read
    # By the id of its request: one form makes one request, however often it is sent.
    key = origin("form", opened.request_id)
    try:
        new = store(event, key, opened.request_id, deps, answer_via=opened.opened_by)
    except TooOften as often:
        return {BLOCK_REASON: usage.too_often(often.seconds)}
    if not new:
        # The acknowledgement was lost, so the form had stayed open. What somebody has corrected
        # meanwhile must not look as if it had been taken.
        same = deps.inbox.stored(key) == event
        return {} if same else {BLOCK_REASON: ask_form.already_sent(opened.request_id)}
    deps.whisper.tell(deps.inbox.address(opened.opened_by), usage.being_checked(event.pairing))
    return {}


def read_request(sent: FormSent, policy: Policy) -> tuple[AskOrigin, Asked] | dict[str, str] | None:
    """None if the modal does not tell what opened it. Names everything that is wrong at once."""
    values, opened = sent.view.values, AskOrigin.unpack(sent.view.metadata)
    if opened is None:
        return None
    force = values.get(BLOCK_FORCE)
    place = _place(tidy(values.get(BLOCK_PAIRING, "")), values.get(BLOCK_SITE), policy)
    reason = tidy(values.get(BLOCK_REASON, ""))
    day, clock = values.get(BLOCK_DATE), values.get(BLOCK_TIME)
    at = tidy_time(f"{day}T{clock}" if day else clock) if clock else None
    problems = {
        BLOCK_PAIRING: place if isinstance(place, str) else None,
        # An empty choice is not taken for "no": only what somebody has chosen may be sent.
        BLOCK_FORCE: None if force in (FORCE_NO, FORCE_YES) else ask_form.CHOOSE_FORCE,
        BLOCK_TIME: ask_form.CHOOSE_TIME if (day or clock) and at is None else None,
        BLOCK_REASON: _reason_problem(reason, policy),
    }
    found = {block: problem for block, problem in problems.items() if problem}
    if found or isinstance(place, str):
        return found
    return opened, Asked(
        site=place[0],
        pairing=place[1],
        force=force == FORCE_YES,
        reason=reason,
        requester=sent.by,
        team=sent.team,
        channel=opened.channel,
        at=at,
    )


def _place(pairing: str, site: str | None, policy: Policy) -> tuple[str, str] | str:
    """Site and pairing, or what is wrong with them. If there are several appliances, an id without
    one belongs to the chosen one."""
    if pairing == NOT_READ:
        return ask_form.CHOOSE_AGAIN
    sites = tuple(policy.sites)
    found = site_and_pairing(pairing, sites, "")
    if site and found == (ANY_SITE, pairing):
        found = site_and_pairing(f"{site}/{pairing}", sites, "")
    if not pairing or units(pairing) > OPTION_VALUE or isinstance(found, str):
        return ask_form.CHOOSE_PAIRING
    if len(sites) > 1 and site and found[0].casefold() != site.casefold():
        return ask_form.NOT_OF_SITE
    return found


def _reason_problem(reason: str, policy: Policy) -> str | None:
    length = fenced_units(reason)
    if length > REASON:
        return ask_form.reason_too_long(length, REASON)
    if policy.reason_missing(reason) or not policy.reason_fits(reason):
        return ask_form.reason_needed(policy.reason_pattern)
    return None


def store(
    event: Asked,
    key: str,
    request_id: str,
    deps: Deps,
    *,
    response_url: str | None = None,
    answer_via: int | None = None,
) -> bool:
    """Whether this request is a new one. Raises TooOften."""
    number = deps.inbox.put(
        event,
        origin=key,
        request_id=request_id,
        response_url=response_url,
        answer_via=answer_via,
        counted_for=event.requester,
    )
    about = {"by": event.requester, "channel": event.channel}
    if number is None:
        deps.on_repeated()
        log.info("asking_repeated", **about)
    else:
        log.info("asked", request=request_id, site=event.site, **about)
        deps.later(SLOW_MS / 1000, lambda: _tell_slow(request_id, event.pairing, number, deps))
    return number is not None


def _tell_slow(request_id: str, pairing: str, number: int, deps: Deps) -> None:
    """If there is still neither a card nor a word of why not. Never raises."""
    try:
        row = deps.overview.get(request_id)
        told = row is not None and (row.state is not State.CHECKING or row.unreachable_since)
        if not told and (row is None or row.snapshot is None):
            deps.whisper.tell(deps.inbox.address(number), usage.still_reading(pairing))
    except Exception as error:  # whoever asks again is told so
        log.warning("slow_check_untold", request=request_id, error=type(error).__name__)
