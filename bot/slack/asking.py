"""The slash command: from what somebody typed to one stored `Asked`, or to a sentence."""

from __future__ import annotations

import structlog

from bot.core.events import Asked
from bot.core.policy import Policy
from bot.slack import limits, origins, sentences
from bot.slack.command import Ask, Help, List, Preview, Status, Wrong, parse
from bot.slack.deps import ListenerDeps
from bot.slack.payload import Json, maybe_text, text_of
from bot.slack.wording.usage import being_checked

log = structlog.get_logger(__name__)


def asked(payload: Json, deps: ListenerDeps) -> str:
    """What the asker alone reads at once. Raises Malformed."""
    typed = text_of(payload, "command")
    if typed != deps.command:
        return sentences.other_command(typed, deps.command)
    match parse(maybe_text(payload, "text") or "", command=deps.command):
        case Ask() as ask:
            return _ask(payload, ask, deps)
        case Help():
            policy = deps.policy
            return sentences.help_text(
                deps.command, require_reason=policy.require_reason, pattern=policy.reason_pattern
            )
        case Preview():
            return sentences.not_built("preview", deps.command)
        case List():
            return sentences.not_built("list", deps.command)
        case Status():
            return sentences.not_built("status", deps.command)
        case Wrong(sentence=sentence):
            return sentence


def _ask(payload: Json, ask: Ask, deps: ListenerDeps) -> str:
    requester, channel = text_of(payload, "user_id"), text_of(payload, "channel_id")
    origin = origins.of_command(payload)
    response_url = text_of(payload, "response_url")
    if channel.startswith("D") or payload.get("channel_name") == "directmessage":
        return sentences.NO_DIRECT_MESSAGE
    refusal = _against_policy(ask, channel, deps)
    if refusal is not None:
        log.info("asking_refused", by=requester, channel=channel)
        return refusal
    found = _site_and_pairing(ask.pairing, tuple(deps.policy.sites), deps.command)
    if isinstance(found, str):
        return found
    site, pairing = found
    event = Asked(
        site=site,
        pairing=pairing,
        force=ask.force,
        reason=ask.reason.strip(),
        requester=requester,
        team=maybe_text(payload, "team_id"),
        channel=channel,
    )
    request_id = deps.new_id()
    number = deps.inbox.put(event, origin=origin, request_id=request_id, response_url=response_url)
    if number is None:
        log.info("asking_repeated", by=requester, channel=channel)
    else:
        log.info("asked", request=request_id, by=requester, channel=channel, site=site)
    return being_checked(pairing)


def _against_policy(ask: Ask, channel: str, deps: ListenerDeps) -> str | None:
    """What the settings alone refuse; everything else is the worker's."""
    policy: Policy = deps.policy
    if policy.channels is not None and channel not in policy.channels:
        return sentences.channel_not_allowed(policy.channels)
    reason = ask.reason.strip()
    if policy.require_reason and not reason:
        return sentences.reason_required(deps.command, policy.reason_pattern)
    if policy.reason_pattern is not None and not policy.reason_fits(reason):
        return sentences.reason_does_not_fit(policy.reason_pattern)
    if len(reason) > limits.REASON:
        return sentences.reason_too_long(limits.REASON)
    return None


def _site_and_pairing(typed: str, sites: tuple[str, ...], command: str) -> tuple[str, str] | str:
    """Which appliance is meant, by `SITE/PAIRING`, or a sentence. With one appliance its name may
    stand there, and any other slash belongs to the pairing."""
    name, slash, rest = typed.partition("/")
    named = next((s for s in sites if s.casefold() == name.strip().casefold()), None)
    if slash and named is not None and rest.strip():
        return named, rest.strip()
    if len(sites) == 1:
        return sites[0], typed
    if slash:
        return sentences.unknown_site(name, sites)
    return sentences.site_missing(command, sites)
