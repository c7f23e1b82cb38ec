"""Reads what was sent with the request modal, or gives a sentence for each wrong field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.request import Frozen
from bot.request.who_may import Policy
from bot.slack.draw.forms import NOT_READ, OPTION_VALUE, FieldErrors
from bot.slack.draw.ids import (
    BLOCK_FORCE,
    BLOCK_PAIRING,
    BLOCK_REASON,
    BLOCK_SITE,
    FORCE_NO,
    FORCE_YES,
    UNPAIR_REQUEST,
    AskOrigin,
)
from bot.slack.draw.markup import REASON, fenced_units, tidy, units
from bot.slack.draw.words import labels
from bot.slack.receive.payload import chosen, typed


class RequestSubmitted(Frozen):
    """`pairing` is an option's value (see `forms.Choice`)."""

    origin: AskOrigin
    pairing: str
    force: bool
    reason: str


def read_request(view: Mapping[str, Any], policy: Policy) -> RequestSubmitted | FieldErrors | None:
    """None if it is not a submission of this modal. Names everything that is wrong at once."""
    origin = AskOrigin.unpack(view.get("private_metadata"))
    if origin is None or view.get("callback_id") != UNPAIR_REQUEST:
        return None
    site = chosen(view, BLOCK_SITE)
    pairing = _with_site(tidy(chosen(view, BLOCK_PAIRING) or ""), site, policy)
    force = chosen(view, BLOCK_FORCE)
    reason = tidy(typed(view, BLOCK_REASON))
    problems = {
        BLOCK_PAIRING: _pairing_problem(pairing, site, policy),
        # An empty choice is not taken for "no": only what somebody has chosen may be sent.
        BLOCK_FORCE: None if force in (FORCE_NO, FORCE_YES) else labels.CHOOSE_FORCE,
        BLOCK_REASON: _reason_problem(reason, policy),
    }
    errors = {block: problem for block, problem in problems.items() if problem}
    if errors:
        return FieldErrors(errors=errors)
    return RequestSubmitted(origin=origin, pairing=pairing, force=force == FORCE_YES, reason=reason)


def _pairing_problem(pairing: str, site: str | None, policy: Policy) -> str | None:
    if not pairing or units(pairing) > OPTION_VALUE:
        return labels.CHOOSE_PAIRING
    if pairing == NOT_READ:
        return labels.CHOOSE_AGAIN
    if len(policy.sites) > 1 and site and not pairing.casefold().startswith(f"{site}/".casefold()):
        return labels.NOT_OF_SITE
    return None


def _with_site(pairing: str, site: str | None, policy: Policy) -> str:
    """If there are several appliances, an id without one belongs to the chosen one."""
    named = pairing.partition("/")[0].casefold() in {known.casefold() for known in policy.sites}
    if len(policy.sites) == 1 or not site or not pairing or named or pairing == NOT_READ:
        return pairing
    return f"{site}/{pairing}"


def _reason_problem(reason: str, policy: Policy) -> str | None:
    length = fenced_units(reason)
    if length > REASON:
        return labels.reason_too_long(length, REASON)
    if policy.reason_pattern is not None and not policy.reason_fits(reason):
        return labels.reason_does_not_fit(policy.reason_pattern)
    if policy.require_reason and not reason:
        return labels.REASON_NEEDED
    return None
