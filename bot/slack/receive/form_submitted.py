"""A modal is sent: the request form, or the reason for Deny, Break glass and Settle. Each becomes
one stored event, or a sentence for each field that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.request.events import Asked, Clicked
from bot.request.time_for_delete import tidy_time
from bot.request.who_may import Policy
from bot.slack.draw import ask_form
from bot.slack.draw.card_buttons import FORMS, WithReason
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
    ReasonOrigin,
)
from bot.slack.draw.limits import DECISION_REASON, OPTION_VALUE, REASON
from bot.slack.draw.markup import fenced_units, tidy, units
from bot.slack.draw.pairing_lists import NOT_READ
from bot.slack.draw.words import usage
from bot.slack.receive.button_pressed import log_click
from bot.slack.receive.command_typed import site_and_pairing, store
from bot.slack.receive.payload import FormSent, View, origin

if TYPE_CHECKING:
    from bot.slack.receive.listeners import Deps

log = structlog.get_logger(__name__)


# ---- the request form ------------------------------------------------------------------------


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
    if not store(event, key, opened.request_id, deps, answer_via=opened.opened_by):
        # The acknowledgement was lost, so the form had stayed open. What somebody has corrected
        # meanwhile must not look as if it had been taken.
        same = deps.inbox.stored(key) == event
        return {} if same else {BLOCK_REASON: ask_form.already_sent(opened.request_id)}
    deps.whisper.tell(deps.inbox.address(opened.opened_by), usage.being_checked(event.pairing))
    return {}


def read_request(sent: FormSent, policy: Policy) -> tuple[AskOrigin, Asked] | dict[str, str] | None:
    """None if it is not a submission of this modal. Names everything that is wrong at once."""
    values, opened = sent.view.values, AskOrigin.unpack(sent.view.metadata)
    if opened is None or sent.view.callback_id != UNPAIR_REQUEST:
        return None
    site, force = values.get(BLOCK_SITE), values.get(BLOCK_FORCE)
    chosen = _with_site(tidy(values.get(BLOCK_PAIRING, "")), site, policy)
    place = site_and_pairing(chosen, tuple(policy.sites), "")
    reason = tidy(values.get(BLOCK_REASON, ""))
    day, clock = values.get(BLOCK_DATE), values.get(BLOCK_TIME)
    at = tidy_time(f"{day}T{clock}" if day else clock) if clock else None
    problems = {
        BLOCK_PAIRING: _pairing_problem(chosen, site, policy),
        # An empty choice is not taken for "no": only what somebody has chosen may be sent.
        BLOCK_FORCE: None if force in (FORCE_NO, FORCE_YES) else ask_form.CHOOSE_FORCE,
        BLOCK_TIME: ask_form.CHOOSE_TIME if (day or clock) and at is None else None,
        BLOCK_REASON: _reason_problem(reason, policy),
    }
    if isinstance(place, str):
        problems[BLOCK_PAIRING] = problems[BLOCK_PAIRING] or ask_form.CHOOSE_PAIRING
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


def _with_site(pairing: str, site: str | None, policy: Policy) -> str:
    """If there are several appliances, an id without one belongs to the chosen one."""
    named = pairing.partition("/")[0].casefold() in {known.casefold() for known in policy.sites}
    if len(policy.sites) == 1 or not site or not pairing or named or pairing == NOT_READ:
        return pairing
    return f"{site}/{pairing}"


def _pairing_problem(pairing: str, site: str | None, policy: Policy) -> str | None:
    if not pairing or units(pairing) > OPTION_VALUE:
        return ask_form.CHOOSE_PAIRING
    if pairing == NOT_READ:
        return ask_form.CHOOSE_AGAIN
    if len(policy.sites) > 1 and site and not pairing.casefold().startswith(f"{site}/".casefold()):
        return ask_form.NOT_OF_SITE
    return None


def _reason_problem(reason: str, policy: Policy) -> str | None:
    length = fenced_units(reason)
    if length > REASON:
        return ask_form.reason_too_long(length, REASON)
    if policy.reason_missing(reason) or not policy.reason_fits(reason):
        return ask_form.reason_needed(policy.reason_pattern)
    return None


# ---- a decision with its reason --------------------------------------------------------------


def reason_sent(sent: FormSent, action: WithReason, deps: Deps) -> str | None:
    """Store the decision with its reason. None, or the sentence for the reason's field, also where
    this form was sent before with another one."""
    read = read_reason(sent.view, action)
    if read is None:
        log.warning("modal_without_origin", by=sent.by)
        return usage.FORM_LOST
    if isinstance(read, str):
        return read
    opened, reason = read
    decision = Clicked(
        action=action,
        by=sent.by,
        team=sent.team,
        fingerprint=opened.fingerprint,
        channel=opened.channel,
        message_ts=opened.message_ts,
        ours=opened.ours,
        reason=reason,
    )
    # By the press that opened it, and the person: one form makes one decision, however often it is
    # sent. It stays open if Slack heard nothing of the first. Each press opens another form.
    key = origin("reason", sent.by, opened.request_id, str(opened.opened_by))
    number = deps.inbox.put(
        decision, origin=key, request_id=opened.request_id, answer_via=opened.opened_by
    )
    log_click(number, opened.request_id, action, sent.by, deps)
    before = None if number is not None else deps.inbox.stored(key)
    if isinstance(before, Clicked) and before.reason != reason:
        return ask_form.already_sent(opened.request_id)
    return None


def read_reason(view: View, action: WithReason) -> tuple[ReasonOrigin, str] | str | None:
    """A sentence if the reason will not do. None if it is not a submission of this modal."""
    opened = ReasonOrigin.unpack(view.metadata)
    if opened is None or view.callback_id != FORMS[action].callback_id:
        return None
    reason = tidy(view.values.get(FORMS[action].block_id, ""))
    length = fenced_units(reason)
    if not reason:
        return FORMS[action].missing
    if length > DECISION_REASON:
        return ask_form.reason_too_long(length, DECISION_REASON)
    return opened, reason
