"""Every way to ask: from what somebody typed, or sent with the form, to one stored `Asked`, or to a
sentence."""

from __future__ import annotations

import time
from typing import Literal

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.request import Frozen
from bot.request.checking import SLOW_MS
from bot.request.events import Asked, AskRefused
from bot.request.model import ANY_SITE, State
from bot.request.time_for_delete import tidy_time
from bot.request.who_may import Policy
from bot.slack.draw.forms import NOT_READ, OPTION_VALUE
from bot.slack.draw.ids import (
    BLOCK_DATE,
    BLOCK_FORCE,
    BLOCK_PAIRING,
    BLOCK_REASON,
    BLOCK_SITE,
    BLOCK_TIME,
    FORCE_NO,
    FORCE_YES,
    UNPAIR_REQUEST,
    AskOrigin,
)
from bot.slack.draw.markup import REASON, TITLE, fenced_units, plain, tidy, units
from bot.slack.draw.words import labels, usage
from bot.slack.receive import Deps, lookups
from bot.slack.receive.command_text import Ask, Form, Help, List, Preview, Status, Wrong, parse
from bot.slack.receive.forms import open_form
from bot.slack.receive.payload import Command, FormSent, View, origin

log = structlog.get_logger(__name__)

REFUSED_ONCE_IN_S = 60
"""The same refusal of the same person in the same place is recorded only once in this time.
Somebody who types it all day must not fill the trail, nor the queue in which other requests
wait."""

Why = Literal["direct_message", "channel", "reason_missing", "reason_pattern"]


def command_typed(command: Command, deps: Deps) -> str:
    """The immediate answer, for the asker alone; empty when a form opens."""
    if command.name != deps.command:
        return usage.other_command(command.name, deps.command)
    parsed = parse(command.text, command=deps.command)
    if isinstance(parsed, Wrong):
        return parsed.sentence
    if isinstance(parsed, Help):
        return usage.help_text(
            deps.command,
            require_reason=deps.policy.require_reason,
            pattern=deps.policy.reason_pattern,
            break_glass=bool(deps.policy.break_glass),
            sites=tuple(deps.policy.sites),
            schedule=deps.policy.schedule_max_ms > 0,
        )
    if problem := _problem(command, parsed, deps):
        why, sentence = problem
        if isinstance(parsed, Ask | Form):
            _record(command, parsed, why, deps)
        return sentence
    match parsed:
        case Form():
            return open_form(command, None, deps)
        case List():
            return lookups.list_pairings(command, deps)
        case Status(id=request_id):
            return lookups.status(command, request_id, deps)
    found = site_and_pairing(parsed.pairing, tuple(deps.policy.sites), deps.command)
    if isinstance(found, str):
        return found
    site, pairing = found
    if isinstance(parsed, Preview):
        return lookups.preview(command, site, pairing, parsed.force, deps)
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
    store(event, command.origin, deps.new_id(), deps, response_url=command.response_url)
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
        return "reason_missing", usage.reason_required(deps.command, policy.reason_pattern)
    if policy.reason_pattern is not None and not policy.reason_fits(wanted.reason):
        return "reason_pattern", usage.reason_does_not_fit(policy.reason_pattern)
    return None


def _record(command: Command, wanted: Ask | Form, why: Why, deps: Deps) -> None:
    """Leave a refused request to the worker, for the audit trail, and that is all: a listener never
    waits for the head of the trail."""
    event = AskRefused(
        by=command.by,
        team=command.team,
        channel=command.channel,
        pairing=wanted.pairing if isinstance(wanted, Ask) else "",
        force=wanted.force if isinstance(wanted, Ask) else False,
        why=why,
    )
    period = str(int(time.time()) // REFUSED_ONCE_IN_S)
    deps.inbox.put(
        event, origin=origin("refusal", command.by, command.channel, why, period), request_id=""
    )
    log.info("asking_refused", by=command.by, channel=command.channel, why=why)


def store(
    event: Asked,
    key: str,
    request_id: str,
    deps: Deps,
    *,
    response_url: str | None = None,
    answer_via: int | None = None,
) -> bool:
    """Whether this request is a new one."""
    number = deps.inbox.put(
        event,
        origin=key,
        request_id=request_id,
        response_url=response_url,
        answer_via=answer_via,
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
    """If there is still neither a card nor a word of why not."""
    try:
        row = deps.overview.get(request_id)
        told = row is not None and (row.state is not State.CHECKING or row.unreachable_since)
        if not told and (row is None or row.snapshot is None):
            deps.whisper.tell(deps.inbox.address(number), usage.still_reading(pairing))
    except SQLAlchemyError as error:  # whoever asks again is told so
        log.warning("slow_check_untold", request=request_id, error=type(error).__name__)


def site_and_pairing(typed: str, sites: tuple[str, ...], command: str) -> tuple[str, str] | str:
    """Site and pairing from `SITE/PAIRING`, or a sentence that says what is wrong. With a single
    appliance its name is optional, and any other slash belongs to the pairing. With several, a
    pairing without a site is looked for at all of them."""
    name, slash, rest = typed.partition("/")
    named = next((s for s in sites if s.casefold() == name.strip().casefold()), None)
    if slash and named is not None and rest.strip():
        return named, rest.strip()
    if len(sites) == 1:
        return sites[0], typed
    if slash and named is not None:
        return usage.pairing_missing(command, named)
    if slash:
        return usage.unknown_site(name, sites)
    return ANY_SITE, typed


# ---- by the form ----------------------------------------------------------------------------


class RequestSent(Frozen):
    """`pairing` is an option's value (see `draw.forms.Choice`), `at` as `tidy_time` gives it."""

    opened: AskOrigin
    pairing: str
    force: bool
    reason: str
    at: str | None = None


def request_sent(sent: FormSent, deps: Deps) -> dict[str, str]:
    """Store the same event as the command does. Returns a sentence for each wrong field, also where
    this form was sent before with other content; nothing if all is well."""
    read = read_request(sent.view, deps.policy)
    if read is None:
        log.warning("form_without_origin", by=sent.by)
        return {BLOCK_REASON: usage.request_form_lost(deps.command)}
    if isinstance(read, dict):
        return read
    place = site_and_pairing(read.pairing, tuple(deps.policy.sites), deps.command)
    if isinstance(place, str):
        return {BLOCK_PAIRING: labels.CHOOSE_PAIRING}
    event = Asked(
        site=place[0],
        pairing=place[1],
        force=read.force,
        reason=read.reason,
        requester=sent.by,
        team=sent.team,
        channel=read.opened.channel,
        at=read.at,
    )
    # By the id of its request: one form makes one request, however often it is sent.
    key, request_id = origin("form", read.opened.request_id), read.opened.request_id
    if not store(event, key, request_id, deps, answer_via=read.opened.opened_by):
        return _differs(key, event, request_id, deps)
    address = deps.inbox.address(read.opened.opened_by)
    deps.whisper.tell(address, usage.being_checked(event.pairing))
    return {}


def read_request(view: View, policy: Policy) -> RequestSent | dict[str, str] | None:
    """None if it is not a submission of this modal. Names everything that is wrong at once."""
    opened = AskOrigin.unpack(view.metadata)
    if opened is None or view.callback_id != UNPAIR_REQUEST:
        return None
    site, force = view.values.get(BLOCK_SITE), view.values.get(BLOCK_FORCE)
    pairing = _with_site(tidy(view.values.get(BLOCK_PAIRING, "")), site, policy)
    reason = tidy(view.values.get(BLOCK_REASON, ""))
    day, clock = view.values.get(BLOCK_DATE), view.values.get(BLOCK_TIME)
    at = tidy_time(f"{day}T{clock}" if day else clock) if clock else None
    problems = {
        BLOCK_PAIRING: _pairing_problem(pairing, site, policy),
        # An empty choice is not taken for "no": only what somebody has chosen may be sent.
        BLOCK_FORCE: None if force in (FORCE_NO, FORCE_YES) else labels.CHOOSE_FORCE,
        BLOCK_TIME: labels.CHOOSE_TIME if (day or clock) and at is None else None,
        BLOCK_REASON: _reason_problem(reason, policy),
    }
    found = {block: problem for block, problem in problems.items() if problem}
    return found or RequestSent(
        opened=opened, pairing=pairing, force=force == FORCE_YES, reason=reason, at=at
    )


def _with_site(pairing: str, site: str | None, policy: Policy) -> str:
    """If there are several appliances, an id without one belongs to the chosen one."""
    named = pairing.partition("/")[0].casefold() in {known.casefold() for known in policy.sites}
    if len(policy.sites) == 1 or not site or not pairing or named or pairing == NOT_READ:
        return pairing
    return f"{site}/{pairing}"


def _pairing_problem(pairing: str, site: str | None, policy: Policy) -> str | None:
    if not pairing or units(pairing) > OPTION_VALUE:
        return labels.CHOOSE_PAIRING
    if pairing == NOT_READ:
        return labels.CHOOSE_AGAIN
    if len(policy.sites) > 1 and site and not pairing.casefold().startswith(f"{site}/".casefold()):
        return labels.NOT_OF_SITE
    return None


def _reason_problem(reason: str, policy: Policy) -> str | None:
    length = fenced_units(reason)
    if length > REASON:
        return labels.reason_too_long(length, REASON)
    if policy.reason_pattern is not None and not policy.reason_fits(reason):
        return labels.reason_does_not_fit(policy.reason_pattern)
    if policy.require_reason and not reason:
        return labels.REASON_NEEDED
    return None


def _differs(key: str, now: Asked, request_id: str, deps: Deps) -> dict[str, str]:
    """A sentence for each field that differs from what this form was first sent with: the form had
    stayed open, since the acknowledgement was lost, and somebody has corrected it."""
    before = deps.inbox.stored(key)
    if not isinstance(before, Asked):
        return {}
    row = deps.overview.get(request_id)
    found: dict[str, str] = {}
    if (before.site, before.pairing) != (now.site, now.pairing):
        found[BLOCK_PAIRING] = plain(row.title if row else before.pairing, TITLE)
    if before.force != now.force:
        found[BLOCK_FORCE] = f"“{labels.FORCE_YES if before.force else labels.FORCE_NO}”"
    if before.at != now.at:
        found[BLOCK_TIME] = before.at or "no time"
    if before.reason != now.reason:
        found[BLOCK_REASON] = f"this reason: “{labels.quoted(before.reason)}”"
    return {block: labels.already_sent(what, request_id) for block, what in found.items()}
