"""The slash command: what was typed becomes one stored `Asked`, a form, a lookup, or a sentence."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.request.events import Asked, AskRefused
from bot.request.model import ANY_SITE, State
from bot.request.new_request import SLOW_MS
from bot.slack.draw.words import usage
from bot.slack.receive import lookup_commands
from bot.slack.receive.command_text import Ask, Form, Help, List, Preview, Status, Wrong, parse
from bot.slack.receive.form_opened import open_form
from bot.slack.receive.payload import Command, origin

if TYPE_CHECKING:
    from bot.slack.receive.listeners import Deps

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
            return lookup_commands.list_pairings(command, deps)
        case Status(id=request_id):
            return lookup_commands.status(command, request_id, deps)
    found = site_and_pairing(parsed.pairing, tuple(deps.policy.sites), deps.command)
    if isinstance(found, str):
        return found
    site, pairing = found
    if isinstance(parsed, Preview):
        return lookup_commands.preview(command, site, pairing, parsed.force, deps)
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
        return "reason_missing", usage.reason_needed(deps.command, policy.reason_pattern)
    if policy.reason_pattern is not None and not policy.reason_fits(wanted.reason):
        return "reason_pattern", usage.reason_needed(deps.command, policy.reason_pattern)
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
