"""Drive one claimed request as far as it goes now: absorb events, run effects, release it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from bot.request.absorb import absorb, may_stop
from bot.request.event_changes import Absorbed
from bot.request.events import (
    CallFailed,
    DeleteOutcome,
    Event,
    PairingRead,
    RightsRead,
    Stored,
    TimePassed,
)
from bot.request.model import Readings, Request, State
from bot.request.pairing import PairingUnresolved
from bot.request.plan import (
    Effect,
    ReadPairing,
    ReadRights,
    SendDelete,
    Tick,
    Wait,
    next_at,
    plan,
)
from bot.request.problem import Problem, ProblemKind
from bot.store.faults import StoreError
from bot.store.inbox import Inbox
from bot.store.one_open_request import PairingTakenBy
from bot.store.requests import Requests
from bot.store.saving import Claim, ClaimLost, SaveRefused
from bot.worker.effects import Effects
from bot.worker.send_delete import IntentUnanswered, send_delete

log = structlog.get_logger(__name__)

SLOW = Problem(
    kind=ProblemKind.TOO_LATE,
    text="Reading who may decide and what is there takes so long that it would be old before the "
    "delete is sent: Slack or the appliance answers slowly. A larger VR_TIMEOUT_SECONDS gives it "
    "more time.",
)

AGAIN_SECONDS = 1.0
"""Between two tries to store an outcome while the database is away."""


@dataclass(frozen=True)
class Driver:
    """Drives claims. Once `stopping` says so, no effect is begun and the row is given back, so that
    the next process need not wait for a lease."""

    requests: Requests
    inbox: Inbox
    effects: Effects
    stopping: Callable[[], bool] = lambda: False
    pause: Callable[[float], None] = time.sleep

    def drive(self, claim: Claim) -> None:
        """Until there is nothing to do now, the next step is another queue's, the claim is lost,
        its lease is nearly over, or the process is about to end."""
        due_at: int | None = None
        monotonic = self.effects.monotonic
        # Also by a clock that nobody can set: if the database's clock is set back while this
        # process is frozen, a lease that was over long ago would look as if it had hardly begun.
        over_at = monotonic() + self.requests.lease_ms / 1000
        try:
            while not claim.over:
                now, events = self.requests.events(claim)
                if not _goes_first(claim.request, events, now):
                    claim = self._absorb_waiting(claim, events, now)
                if claim.over:
                    break
                effect = plan(claim.request, now)
                if isinstance(effect, Wait):
                    due_at = effect.until
                    break
                if isinstance(effect, Tick):
                    absorbed = absorb(claim.request, Stored(at=now, event=TimePassed()), now)
                    # Refused: an event has come meanwhile, and the next round absorbs it first.
                    with suppress(SaveRefused):
                        claim = self.requests.save_passed(claim, absorbed)
                    continue
                if self.stopping():
                    due_at = now
                    break
                left_ms = min(claim.lease_until - now, (over_at - monotonic()) * 1000)
                time_ms = time_for(effect, claim.request, left_ms, self.requests.lease_ms)
                if time_ms is None:
                    if claim.request.readings != Readings():
                        # What was read is lost with this claim, and the next one may fare the same.
                        # People must see why nothing happens, so this is a wait with a reason.
                        claim = self._absorb(claim, CallFailed(problem=SLOW))
                    due_at = next_at(claim.request, now)  # which knows the deadline too
                    break
                claim = self._run(claim, effect, now, monotonic() + time_ms / 1000)
        except ClaimLost:
            log.info("claim_lost", request=claim.request.id)
            return
        if not claim.over:
            self.requests.release(claim, due_at)

    def _run(self, claim: Claim, effect: Effect, begun_at: int, by: float) -> Claim:
        """Run an effect and absorb its outcome. If that fails (the claim is lost, the database does
        not answer, or there is a fault of our own) the outcome of a DELETE is left in the inbox for
        the next holder of the row, since nobody else knows it. A reading is not left: it would be
        old by the time it is absorbed, and could decide a click by rights that are gone."""
        outcome: Event | None
        if isinstance(effect, SendDelete):
            try:
                claim, outcome = send_delete(claim, by, self.effects, self.requests, self.stopping)
            except IntentUnanswered as unanswered:
                self._leave(claim, unanswered.outcome)
                raise ClaimLost from unanswered
            if outcome is None:
                return claim
        else:
            outcome = self.effects.run(effect, claim.request, by)
        if isinstance(outcome, RightsRead | PairingRead):
            outcome = outcome.model_copy(update={"read_at": begun_at})
        log_outcome(claim.request, outcome)
        try:
            return self._absorb(claim, outcome)
        except Exception as error:
            if not isinstance(outcome, DeleteOutcome):
                raise
            self._leave(claim, outcome)
            if isinstance(error, ClaimLost | StoreError):
                raise ClaimLost from error
            raise

    def _absorb_waiting(self, claim: Claim, waiting: list[Stored], now: int) -> Claim:
        """Absorb what was in the inbox, each event in a transaction of its own, until one moves the
        row into another queue, which absorbs the rest. A click that waits for its owner's rights is
        stored with what comes of it. The outcome of a DELETE goes first: it was
        already so when people pressed, and after "not accepted" a cancel that waits still counts.
        All others go in the order they came."""
        for stored in sorted(waiting, key=lambda s: not isinstance(s.event, DeleteOutcome)):
            if claim.over:
                break
            absorbed = absorb(claim.request, stored, now)
            before, after = claim.request, absorbed.request
            if after.clicks != before.clicks and _changes_only(before, absorbed, "clicks"):
                heard = (*claim.heard, stored.number)
                claim = replace(claim, request=after, heard=heard)
                continue
            claim = self.requests.save(claim, absorbed)
        return claim

    def _leave(self, claim: Claim, outcome: Event) -> None:
        """Put an outcome into the inbox, however long the database is away. If the row has absorbed
        it before, since a save without an answer worked after all, it only counts as late."""
        origin = f"outcome:{claim.request.id}:{claim.version}:{outcome.kind}"
        say = log.warning
        while True:
            try:
                self.inbox.put(outcome, origin=origin, request_id=claim.request.id)
                return
            except StoreError as error:
                say(
                    "outcome_in_hand",
                    request=claim.request.id,
                    outcome=outcome.kind,
                    error=error.error,
                )
                say = log.debug  # one warning is enough, however long it lasts
                self.pause(AGAIN_SECONDS)

    def _absorb(self, claim: Claim, event: Event) -> Claim:
        now = self.requests.now()
        absorbed = absorb(claim.request, Stored(at=now, event=event), now)
        if _changes_only(claim.request, absorbed, "readings"):  # which are never stored
            return replace(claim, request=absorbed.request)
        try:
            return self.requests.save(claim, absorbed)
        except PairingTakenBy as taken:
            by = (taken.other, taken.site) if taken.site else (taken.other,)
            other = PairingUnresolved(why="taken", candidates=by)
            refused = absorb(claim.request, Stored(at=now, event=other), now)
            return self.requests.save(claim, refused)


def _goes_first(request: Request, waiting: list[Stored], now: int) -> bool:
    """Whether the DELETE, with the readings before it, goes before what waits: in any channel there
    are people whose presses change nothing, and however many, they must not hold it up. They are
    answered after it, or when it has to wait for something."""
    on_the_way = ReadRights, ReadPairing, SendDelete
    approved = request.state is State.APPROVED and isinstance(plan(request, now), on_the_way)
    return approved and not may_stop(request, waiting, now)


def _changes_only(before: Request, absorbed: Absorbed, field: str) -> bool:
    """Whether the step has changed this field of the row and nothing else that is told or
    stored."""
    if absorbed.entries or absorbed.answers:
        return False
    as_before = {field: getattr(before, field), "updated_at": before.updated_at}
    return absorbed.request.model_copy(update=as_before) == before


LEASE_MS = 25_000
"""At the default settings. With one poll on top, another copy goes on within 30 s after a kill."""

LEASE_OVER_TIMEOUT = 2.5
"""A lease in multiples of VR_TIMEOUT_SECONDS: an effect, which has EFFECT_SHARE of it, then has
time for one whole timeout."""

EFFECT_SHARE = 0.6
"""How much of a lease one effect may take. The rest is for earlier effects of the same claim and
for the commit afterwards."""

SEND_SHARE = 0.2
"""How much of a lease must be left to begin a DELETE. Less than for any other effect, because its
readings are made under the same lease: were it as much, a reading of some seconds would leave too
little each time, and an approved DELETE would never be sent."""

RIGHTS_AGAIN_MS = 1_000
"""The least time for reading rights once more, when reading the pairing took so long that they have
grown old."""

COMMIT_MS = 2_000
"""Left of a lease after the longest effect, for its commit."""


def lease_ms(timeouts_s: Iterable[float]) -> int:
    """`timeouts_s`: VR_TIMEOUT_SECONDS of each appliance. Longer if one has more time to answer."""
    return max(LEASE_MS, int(max(timeouts_s) * LEASE_OVER_TIMEOUT * 1000))


def time_for(effect: Effect, request: Request, left_ms: float, lease_ms: int) -> float | None:
    """How many ms the effect may take when `left_ms` of the lease are left; None when that is too
    little to begin."""
    send_ms = lease_ms * SEND_SHARE
    most = lease_ms * EFFECT_SHARE
    least, kept = most, float(COMMIT_MS)
    if isinstance(effect, SendDelete):
        least = send_ms
    elif isinstance(effect, ReadRights) and request.readings.appliance_at is not None:
        least, kept = RIGHTS_AGAIN_MS, COMMIT_MS + send_ms
    time_ms = min(most, left_ms - kept)
    return time_ms if time_ms >= least else None


def log_outcome(request: Request, outcome: Event) -> None:
    """A failed call is logged with all that the vendor needs to find it."""
    about: dict[str, object] = {"request": request.id, "state": request.state.value}
    about["outcome"] = outcome.kind
    if isinstance(outcome, DeleteOutcome):
        log.info("delete", **about)
    problem: Problem | None = getattr(outcome, "problem", None)
    if problem is None:
        log.debug("effect", **about)
        return
    about |= {
        "pairing": request.pairing_id,
        "problem": problem.kind.value,
        "http_status": problem.status,
        "error_code": problem.error_code,
        "op_id": problem.op_id,
        "words": problem.text,
    }
    # A request that is waiting already would log the same failure every few seconds.
    if request.unreachable_since is not None or problem.kind is ProblemKind.OVER_BUDGET:
        log.debug("effect_failed", **about)
    else:
        log.warning("effect_failed", **about)
