"""The slash command: from what somebody typed to one stored `Asked`, or to a sentence."""

from __future__ import annotations

import structlog

from bot.request.events import Asked
from bot.request.who_may import Policy
from bot.slack.draw.words import usage
from bot.slack.draw.words.usage import being_checked
from bot.slack.receive import origins
from bot.slack.receive.asking_form import open_form
from bot.slack.receive.command import (
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
from bot.slack.receive.deps import ListenerDeps
from bot.slack.receive.lookups import listed, previewed, stands
from bot.slack.receive.payload import Json, maybe_text, text_of
from bot.slack.receive.refusing import Why, note_refusal

log = structlog.get_logger(__name__)

Refusal = tuple[Why, str]
"""Why, in the word of the audit trail and in a sentence."""


def asked(payload: Json, deps: ListenerDeps) -> str:
    """The immediate answer, for the asker alone; empty when a form opens. Raises Malformed."""
    typed = text_of(payload, "command")
    if typed != deps.command:
        return usage.other_command(typed, deps.command)
    parsed = parse(maybe_text(payload, "text") or "", command=deps.command)
    if not isinstance(parsed, Help | Wrong):
        misplaced = _against_place(payload, parsed, deps.policy)
        if misplaced is not None:
            why, sentence = misplaced
            if isinstance(parsed, Ask | Form):
                note_refusal(payload, parsed, why, deps)
            return sentence
    match parsed:
        case Ask() as ask:
            return _ask(payload, ask, deps)
        case Form():
            return open_form(payload, deps)
        case Preview() as wanted:
            return previewed(payload, wanted, deps)
        case List():
            return listed(payload, deps)
        case Status(id=request_id):
            return stands(payload, request_id, deps)
        case Help():
            policy = deps.policy
            return usage.help_text(
                deps.command,
                require_reason=policy.require_reason,
                pattern=policy.reason_pattern,
                break_glass=bool(policy.break_glass),
                sites=tuple(policy.sites),
            )
        case Wrong(sentence=sentence):
            return sentence


def _ask(payload: Json, ask: Ask, deps: ListenerDeps) -> str:
    requester, channel = text_of(payload, "user_id"), text_of(payload, "channel_id")
    origin = origins.of_command(payload)
    response_url = text_of(payload, "response_url")
    refusal = _against_policy(ask, deps)
    if refusal is not None:
        why, sentence = refusal
        note_refusal(payload, ask, why, deps)
        return sentence
    found = site_and_pairing(ask.pairing, tuple(deps.policy.sites), deps.command)
    if isinstance(found, str):
        return found
    site, pairing = found
    event = Asked(
        site=site,
        pairing=pairing,
        force=ask.force,
        reason=ask.reason,
        requester=requester,
        team=maybe_text(payload, "team_id"),
        channel=channel,
    )
    request_id = deps.new_id()
    number = deps.inbox.put(event, origin=origin, request_id=request_id, response_url=response_url)
    if number is None:
        deps.on_repeated()
        log.info("asking_repeated", by=requester, channel=channel)
    else:
        log.info("asked", request=request_id, by=requester, channel=channel, site=site)
    return being_checked(pairing)


def _against_place(
    payload: Json, wanted: Ask | Form | Preview | List | Status, policy: Policy
) -> Refusal | None:
    """The refusal if the command does not work in this place. In a direct message people may look,
    but not ask. A complete request from another channel is let through: the check refuses it
    (`channel_not_allowed`)."""
    channel = text_of(payload, "channel_id")
    direct = channel.startswith("D") or payload.get("channel_name") == "directmessage"
    if direct and (isinstance(wanted, Ask | Form) or policy.channels is not None):
        return "direct_message", usage.NO_DIRECT_MESSAGE
    if isinstance(wanted, Ask) or policy.channels is None or channel in policy.channels:
        return None
    return "channel", usage.channel_not_allowed(policy.channels)


def _against_policy(ask: Ask, deps: ListenerDeps) -> Refusal | None:
    """What the settings alone refuse. Everything else is for the worker."""
    policy: Policy = deps.policy
    if policy.reason_missing(ask.reason):
        return "reason_missing", usage.reason_required(deps.command, policy.reason_pattern)
    if policy.reason_pattern is not None and not policy.reason_fits(ask.reason):
        return "reason_pattern", usage.reason_does_not_fit(policy.reason_pattern)
    return None
