"""When the bot may log in to an appliance, and when it rests so that SSO does not lock the account.

Each function takes the state that all copies of the bot share and the time, and gives the state
after it (`bot.appliance.budget`).
"""

from __future__ import annotations

from bot.appliance.budget import BudgetState
from bot.appliance.errors import LoginRest, Unproven

REST_MS = 300_000
"""SSO counts refused log-ins over some minutes before it locks (vCenter's default policy is five in
three minutes); one or two in five minutes can never get there."""

LOGINS_UNPROVEN_MAX = 2
"""A second log-in is needed when a session ends early. A third without a call that worked in
between means that logging in does not help."""

PROOF_MS = 5_000
"""Copies may log in at the same moment, after a restart of the appliance. Whoever comes third waits
this long for a call of the others to work."""


def begin_login(state: BudgetState, now: int, changed_ms: int | None = None) -> BudgetState:
    """The state after one more log-in. Raises LoginRest or Unproven, which changes no state.

    `changed_ms`: when the password of whoever asks last changed. The rest after a refusal belongs
    to the password that was refused, but two refusals in one rest are enough for any password: the
    next ones would lock the account.
    """
    lately = [at for at in state.refused_ms if min(at, now) > now - REST_MS]
    if changed_ms is not None and len(lately) == 1 and changed_ms > lately[0]:
        state = call_worked(state, now).model_copy(update={"rests_until_ms": None})
    # min, here and below: a clock that was set back must not make a rest longer than a rest.
    rest_left = min(state.rests_until_ms or 0, now + REST_MS) - now
    if rest_left > 0:
        raise _rest(LoginRest, rest_left, state.why)
    unproven = state.logins_unproven
    last = state.last_login_ms
    since_last = REST_MS if last is None else now - min(last, now)
    if unproven >= LOGINS_UNPROVEN_MAX and since_last < PROOF_MS:
        raise _rest(Unproven, PROOF_MS - since_last, "two log-ins have just been made")
    if unproven >= LOGINS_UNPROVEN_MAX and since_last < REST_MS:
        why = f"{unproven} log-ins were made and no call worked after them"
        raise _rest(Unproven, REST_MS - since_last, why)
    if unproven >= LOGINS_UNPROVEN_MAX:
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


def login_refused(
    state: BudgetState, now: int, why: str, *, the_password: bool = True
) -> BudgetState:
    """The same password would be refused again: rest at once. Where it is not `the_password` that
    was refused, none that changes ends the rest."""
    lately = (*(at for at in state.refused_ms if at > now - REST_MS), now)
    rest = {"rests_until_ms": now + REST_MS, "why": why}
    return state.model_copy(update={**rest, "refused_ms": lately if the_password else ()})


def login_in_vain(state: BudgetState, now: int) -> BudgetState:
    """The appliance itself has said that a log-in, not refused, led nowhere: it was answered
    without a session, or with one that was not taken afterwards. Two are a refusal."""
    state = state.model_copy(update={"logins_in_vain": state.logins_in_vain + 1})
    if state.logins_in_vain < LOGINS_UNPROVEN_MAX:
        return state
    why = "two log-ins have led to no session that the appliance takes"
    return login_refused(state, now, why, the_password=False)


def call_worked(state: BudgetState, _now: int) -> BudgetState:
    """A call worked on a new session. A rest stays: another copy may have been refused with the
    password as it is now."""
    return state.model_copy(update={"logins_unproven": 0, "logins_in_vain": 0})


def login_rest_seconds(state: BudgetState, now: int) -> float:
    """How long no log-in is made; 0 where one may be made now."""
    try:
        begin_login(state, now)
    except LoginRest as exc:
        return exc.retry_after_seconds or 0.0
    return 0.0


def _rest(kind: type[LoginRest], left_ms: int, why: str) -> LoginRest:
    seconds = left_ms / 1000
    return kind(
        f"The bot logs in to this appliance again in {seconds:.0f} s at the earliest, so that the"
        f" account is not locked: {why}.",
        retry_after_seconds=seconds,
    )
