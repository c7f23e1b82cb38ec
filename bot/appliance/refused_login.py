"""When the bot may log in to an appliance, and when it rests so that SSO does not lock the account.

Each function takes the state that all copies of the bot share and the time, and gives the state
after it (`bot.appliance.budget`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.appliance.budget import BudgetState, budget_key, state_of
from bot.appliance.http_answers import CallError
from bot.request.lookup_results import Figures
from bot.request.problem import ProblemKind

REST_MS = 300_000
"""SSO counts refused log-ins over some minutes before it locks (vCenter's default policy is five in
three minutes); one or two in five minutes can never get there."""

LOGINS_UNPROVEN_MAX = 2
"""A second log-in is needed when a session ends early. A third without a call that worked in
between means that logging in does not help."""

PROOF_MS = 5_000
"""Copies may log in at the same moment, after a restart of the appliance. Whoever comes third waits
this long for a call of the others to work."""


@dataclass(frozen=True)
class Rest:
    """No log-in is made from `since_ms`, the refusal that began it, until `until_ms`; both by the
    copies' common clock."""

    since_ms: int
    until_ms: int
    why: str
    kind: ProblemKind = ProblemKind.LOGIN_REST


def rest_of(state: BudgetState, now: int) -> Rest | None:
    """None where a log-in may be made now."""
    # min, here and below: a clock that was set back must not make a rest longer than a rest.
    until = min(state.rests_until_ms or 0, now + REST_MS)
    if until > now:
        return Rest(until - REST_MS, until, state.why)
    if state.logins_unproven < LOGINS_UNPROVEN_MAX or state.last_login_ms is None:
        return None
    since = min(state.last_login_ms, now)
    until = since + (PROOF_MS if now < since + PROOF_MS else REST_MS)
    why = f"{state.logins_unproven} log-ins were made and no call worked after them"
    return Rest(since, until, why, ProblemKind.UNPROVEN) if now < until else None


def login_rests(sites: Sequence[str], found: Figures) -> dict[str, tuple[float, float]]:
    """Since when each site is not logged in to, in epoch seconds, and for how many seconds more;
    both are 0 where it may be."""
    rests = {
        site: rest_of(state_of(found.shared.get(budget_key(site))), found.at) for site in sites
    }
    return {
        site: (rest.since_ms / 1000, (rest.until_ms - found.at) / 1000) if rest else (0.0, 0.0)
        for site, rest in rests.items()
    }


def begin_login(state: BudgetState, now: int, changed_ms: int | None = None) -> BudgetState:
    """The state after one more log-in. Raises LOGIN_REST or, where none was refused and no call
    is known to have worked after the last two, UNPROVEN; neither changes the state.

    `changed_ms`: when the password of whoever asks last changed. The rest after a refusal belongs
    to the password that was refused, but two refusals in one rest are enough for any password: the
    next ones would lock the account.
    """
    lately = [at for at in state.refused_ms if min(at, now) > now - REST_MS]
    if changed_ms is not None and len(lately) == 1 and changed_ms > lately[0]:
        state = call_worked(state, now).model_copy(update={"rests_until_ms": None})
    if rest := rest_of(state, now):
        since = datetime.fromtimestamp(rest.since_ms / 1000, UTC)
        seconds = (rest.until_ms - now) / 1000
        raise CallError(
            rest.kind,
            f"The bot has made no log-in to this appliance since {since:%H:%M} UTC and makes the"
            f" next in {seconds:.0f} s at the earliest, so that the account is not locked:"
            f" {rest.why}.",
            retry_after_seconds=seconds,
        )
    if state.logins_unproven >= LOGINS_UNPROVEN_MAX:
        state = call_worked(state, now)  # the rest is over: from here on as if one had
    return state.model_copy(
        update={
            "logins_unproven": state.logins_unproven + 1,
            "last_login_ms": now,
            "rests_until_ms": None,
            "why": "",
        }
    )


def login_not_sent(state: BudgetState, _now: int) -> BudgetState:
    """Without the log-in that was counted and never reached SSO."""
    return state.model_copy(update={"logins_unproven": max(0, state.logins_unproven - 1)})


def login_refused(state: BudgetState, now: int, why: str) -> BudgetState:
    """The same password would be refused again: rest at once."""
    lately = (*(at for at in state.refused_ms if at > now - REST_MS), now)
    rest = {"rests_until_ms": now + REST_MS, "why": why, "refused_ms": lately}
    return state.model_copy(update=rest)


def call_worked(state: BudgetState, _now: int) -> BudgetState:
    """A call worked on a new session. A rest stays: another copy may have been refused with the
    password as it is now."""
    return state.model_copy(update={"logins_unproven": 0})
