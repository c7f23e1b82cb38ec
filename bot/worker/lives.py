"""One claimed request, driven as far as it goes now: events, then effects, then released."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.core.effects import Effect, SendDelete, Tick, Wait
from bot.core.entries import Absorbed
from bot.core.events import (
    CallFailed,
    DeleteOutcome,
    Event,
    IntentStored,
    PairingRead,
    PairingTaken,
    RightsRead,
    SetBack,
    Stored,
    TimePassed,
)
from bot.core.life import absorb, plan
from bot.core.problem import Problem, ProblemKind
from bot.core.request import Readings, Request
from bot.store.claims import Claim, ClaimLost, Claims, PairingTakenBy, SaveRefused, WentBack
from bot.store.inbox import Inbox
from bot.store.saving import Saving
from bot.worker.digests import Draw, changed_messages
from bot.worker.effects import Effects, no_appliance
from bot.worker.lease import time_for
from bot.worker.outcome_log import log_outcome
from bot.worker.send import Sender, not_told

log = structlog.get_logger(__name__)

SLOW = Problem(
    kind=ProblemKind.TOO_LATE,
    text="Reading who may decide and what is there takes so long that it would be old before the "
    "delete is sent: Slack or the appliance answers slowly. A larger VR_TIMEOUT_SECONDS gives it "
    "more time.",
)

AGAIN_SECONDS = 1.0
"""Between two tries to leave an outcome with a store that is away."""


@dataclass(frozen=True)
class Lives:
    """Drives claims. Once `stopping` says so, no effect is begun and the row is given back, so that
    the next process need not wait for a lease. The worst case it prevents: a DELETE whose answer
    comes after this process has ended, where nobody can ever read it."""

    requests: Claims
    inbox: Inbox
    effects: Effects
    senders: dict[str, Sender]
    draw: Draw
    monotonic: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    stopping: Callable[[], bool] = lambda: False

    def drive(self, claim: Claim) -> None:
        """Until there is nothing to do now, what is to be done is another lane's, the claim is
        lost, its lease is nearly over, or the process is about to end."""
        due_at: int | None = claim.lease_until
        # By a clock that nobody sets: the database's may be set back while this process is frozen,
        # and then a lease that was over long ago looks as if it had hardly begun.
        lasts_ms = min(self.requests.lease_ms, claim.lease_until - self.requests.now())
        over_at = self.monotonic() + lasts_ms / 1000
        try:
            while not claim.over:
                # The time before the events: a process that froze after it had read them would
                # let a deadline pass over a click that was stored in time.
                now = self.requests.now()
                claim = self._absorb_waiting(claim)
                if claim.over:
                    break
                effect = plan(claim.request, now)
                if isinstance(effect, Wait):
                    due_at = effect.until
                    break
                if isinstance(effect, Tick):
                    claim = self._pass_time(claim, now)
                    continue
                if self.stopping():
                    due_at = now
                    break
                begun_at = self.requests.now()
                left_ms = min(claim.lease_until - begun_at, (over_at - self.monotonic()) * 1000)
                time_ms = time_for(effect, claim.request, left_ms, self.requests.lease_ms)
                if time_ms is None:
                    if claim.request.readings != Readings():
                        # All that was read is lost with this claim, and the next one may go the
                        # same way: then it is a wait with a reason, no circle in silence.
                        claim = self._keep(claim, CallFailed(problem=SLOW))
                    due_at = claim.request.not_before or now
                    break
                claim = self._run(claim, effect, begun_at, time_ms)
        except ClaimLost:
            log.info("claim_lost", request=claim.request.id)
            return
        except WentBack:
            self._call_a_person(claim)
            return
        if not claim.over:
            self.requests.release(claim, due_at)

    def _call_a_person(self, claim: Claim) -> None:
        """The database has been set back, so this may have been sent: nobody here can tell."""
        try:
            claim = self._absorb(claim, SetBack(), self.requests.now())
        except ClaimLost:  # events were heard on the way: the next claim finds the same
            log.info("claim_lost", request=claim.request.id)
            return
        if not claim.over:
            self.requests.release(claim, _due_at(claim.request))

    def _run(self, claim: Claim, effect: Effect, begun_at: int, time_ms: float) -> Claim:
        by = self.monotonic() + time_ms / 1000
        if isinstance(effect, SendDelete):
            return self._send(claim, by)
        outcome = self.effects.run(effect, claim.request, by)
        if isinstance(outcome, RightsRead | PairingRead):
            outcome = outcome.model_copy(update={"read_at": begun_at})
        log_outcome(claim.request, outcome)
        return self._keep(claim, outcome)

    def _send(self, claim: Claim, by: float) -> Claim:
        sender = self.senders.get(claim.request.site)
        if sender is None:
            # Another copy, with other settings, has read the appliance that is asked here.
            return self._keep(claim, CallFailed(problem=no_appliance(claim.request.site)))
        unprepared = sender.prepare(claim.request, by)
        if unprepared:
            log_outcome(claim.request, unprepared)
            return self._keep(claim, unprepared)
        intended_at = self.monotonic()
        now = self.requests.now()
        if self.stopping():
            return claim  # nothing was sent, and nothing is
        if intended_at > by or not isinstance(plan(claim.request, now), SendDelete):
            # Preparing took so long that what was read has grown old: it is read again. Both by
            # the clock of all copies and by our own, which nobody sets.
            return claim
        stored = Stored(at=now, event=IntentStored())
        absorbed = absorb(claim.request, stored, now)
        try:
            claim = self.requests.save_intent(claim, self._saving(claim.request, absorbed))
        except SaveRefused:
            return claim  # an event waits, or the time is over: the next round sees which
        except SQLAlchemyError as error:
            # Stored or not, nothing was sent; only we can say so, and whoever finds the intent
            # would have to call a person.
            self._leave(claim, not_told(absorbed.request))
            raise ClaimLost from error
        outcome = sender.send(claim.request, intended_at, by)
        log.info("delete", request=claim.request.id, outcome=outcome.kind)
        log_outcome(claim.request, outcome)
        claim = self._keep(claim, outcome)
        self.requests.wake_posters()  # of the intent; an outcome in hand goes first
        return claim

    def _absorb_waiting(self, claim: Claim) -> Claim:
        """Everything in the inbox, each in a transaction of its own, until one takes the row into
        another lane: the rest is heard there. In order, but for what became of a DELETE: it was so
        before anything was pressed, and "not accepted" makes way for a cancel that waits."""
        waiting = self.requests.events(claim)
        for stored in sorted(waiting, key=lambda s: not isinstance(s.event, DeleteOutcome)):
            if claim.over:
                break
            absorbed = absorb(claim.request, stored, self.requests.now())
            saving = self._saving(claim.request, absorbed, stored.number)
            claim = self.requests.save(claim, saving)
        return claim

    def _pass_time(self, claim: Claim, now: int) -> Claim:
        absorbed = absorb(claim.request, Stored(at=now, event=TimePassed()), now)
        try:
            return self.requests.save_passed(claim, self._saving(claim.request, absorbed))
        except SaveRefused:
            return claim  # an event has come since we looked: the next round hears it first

    def _keep(self, claim: Claim, outcome: Event) -> Claim:
        """Absorb an outcome. When the claim is lost, the store does not say whether it has it, or a
        fault of our own is in the way, one that only we know is left for whoever holds the row
        next. A reading is not: by the time that it is heard it may be old, and decide a click by
        rights that are gone."""
        try:
            return self._absorb(claim, outcome, self.requests.now())
        except Exception as error:
            if not isinstance(outcome, DeleteOutcome):
                raise
            self._leave(claim, outcome)
            if isinstance(error, ClaimLost | SQLAlchemyError):
                raise ClaimLost from error
            raise

    def _leave(self, claim: Claim, outcome: Event) -> None:
        """Into the inbox, however long the store is away. Absorbed twice, since the first time may
        have been stored after all, it only comes late."""
        origin = f"outcome:{claim.request.id}:{claim.version}:{outcome.kind}"
        say = log.warning
        while True:
            try:
                self.inbox.put(outcome, origin=origin, request_id=claim.request.id)
                return
            except SQLAlchemyError as error:
                say(
                    "outcome_in_hand",
                    request=claim.request.id,
                    outcome=outcome.kind,
                    error=type(error).__name__,
                )
                say = log.debug  # once is enough, however long it lasts
                self.pause(AGAIN_SECONDS)

    def _absorb(self, claim: Claim, event: Event, now: int) -> Claim:
        absorbed = absorb(claim.request, Stored(at=now, event=event), now)
        if _only_read(claim.request, absorbed):
            return replace(claim, request=absorbed.request)
        try:
            return self.requests.save(claim, self._saving(claim.request, absorbed))
        except PairingTakenBy as taken:
            other = PairingTaken(other=taken.other, site=taken.site)
            refused = absorb(claim.request, Stored(at=now, event=other), now)
            return self.requests.save(claim, self._saving(claim.request, refused))

    def _saving(self, before: Request, step: Absorbed, number: int = 0) -> Saving:
        after = step.request
        return Saving(
            request=after,
            absorbed=number,
            entries=step.entries,
            answers=step.answers,
            wanted=changed_messages(before, after, self.draw),
            due_at=_due_at(after),
        )


def _due_at(request: Request) -> int | None:
    """By the time of the step that has just made it."""
    now = request.updated_at
    effect = plan(request, now)
    return effect.until if isinstance(effect, Wait) else now


def _only_read(before: Request, absorbed: Absorbed) -> bool:
    """Nothing to store: readings that are as they should be."""
    if absorbed.entries or absorbed.answers:
        return False
    read = {"readings": before.readings, "updated_at": before.updated_at}
    return absorbed.request.model_copy(update=read) == before
