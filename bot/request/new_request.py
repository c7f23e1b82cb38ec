"""From the asking to the card: `checking`, which ends in `pending` or `refused`."""

from __future__ import annotations

from bot.request.event_changes import Absorbed, Step
from bot.request.events import (
    Asked,
    CallFailed,
    CardHeldUp,
    CardPosted,
    CardRefused,
    PairingRead,
    RightsToAskRead,
    Stored,
)
from bot.request.fingerprint import fingerprint, identified
from bot.request.model import Outcome, Request, State
from bot.request.pairing import (
    Near,
    PairingUnresolved,
)
from bot.request.plan import UNREACHABLE_MS
from bot.request.problem import Problem, ProblemKind
from bot.request.terms import Terms
from bot.request.time_for_delete import NotTaken, moment
from bot.request.who_may import Verdict

SLOW_MS = 10_000
"""So long somebody may wait for a card without a word. Then they are told that it is still being
read, by the copy that heard them (`bot.slack.receive.request_form`); where the appliance cannot be
read, at once."""

RETRY_MS = 2_000
"""Between two tries of a check. Short, since somebody is waiting in front of the screen."""


def begin(stored: Stored, request_id: str, terms: Terms, now: int) -> Absorbed:
    """The first row of a request, from the event that asked for it."""
    asked = stored.event
    if not isinstance(asked, Asked):
        raise TypeError(f"a request begins with Asked, not with {asked.kind}")
    request = Request(
        id=request_id,
        site=asked.site,
        asked=asked.pairing,
        force=asked.force,
        reason=asked.reason,
        requester=asked.requester,
        requester_team=asked.team,
        channel=asked.channel,
        at=asked.at,
        terms=terms,
        asked_by_event=stored.number,
        created_at=stored.at,
        updated_at=now,
    )
    step = Step(request, stored, now)
    said = asked.model_dump(exclude={"kind", "requester", "team"})
    step.record("asked", asked.requester, **said, dry_run=terms.dry_run)
    return step.done()


def rights_to_ask_read(step: Step, event: RightsToAskRead) -> None:
    """May this person ask here, and are there enough people who could approve? Settled before the
    appliance is asked anything."""
    request = step.request
    if event.requester.unread:
        return _ask_slack_again(step, event.requester)
    if not event.requester.yes:
        return refuse(step, "requester_not_allowed", lines=(event.requester.reason.value,))
    if not event.channel_allowed:
        return refuse(step, "channel_not_allowed", lines=event.channels)
    if request.at is not None:
        found = _time_asked_for(request, event, step.now)
        if isinstance(found, str):
            return refuse(step, "time_not_taken", lines=(found, event.zone or ""))
        step.change(scheduled_at=found, zone=event.zone)
    if event.missing:
        # The missing approvers may be among those whom Slack told nothing about: no refusal yet.
        if event.unread is not None and not event.glass_possible:
            return _ask_slack_again(step, event.unread)
        if not event.glass_possible:
            short = [pool for pool in request.terms.pools if pool.name in event.missing]
            there = [(p.name, p.needed - event.missing[p.name], p.needed) for p in short]
            lines = tuple(str(each) for one in there for each in one)
            return refuse(step, "too_few_approvers", lines=lines)
        # Unless Slack told of everybody, there may be enough of them, so Approve is shown as well.
        step.change(only_glass=event.unread is None)
    if event.unseeing or event.unread_groups:  # told once the card is there
        people = {"told": event.unseeing, "unread": event.unread_groups}
        step.notice("asked_unseen", text="unread" if event.channel_unread else "", **people)
    step.change(rights_to_ask_read=True, not_before=None, unreachable_since=None)
    return None


def _time_asked_for(request: Request, event: RightsToAskRead, now: int) -> int | NotTaken:
    if not event.schedule_max_ms:
        return "off"
    found = moment(request.at or "", event.zone, request.created_at)
    if isinstance(found, str):
        return found
    if found <= now:
        return "past"
    return "too_far" if found > request.created_at + event.schedule_max_ms else found


def pairing_read(step: Step, event: PairingRead) -> None:
    """The snapshot is what everybody will be shown. The time to decide begins here."""
    snapshot, at = event.snapshot, step.request.scheduled_at
    if at is not None and step.now >= at:  # while the appliance was away
        return refuse(step, "time_not_taken", lines=("past", step.request.zone or ""))
    if event.site_terms is not None:
        here = event.site_terms.model_dump(exclude={"calls_per_minute"})
        terms = step.request.terms.model_copy(update=here)
        step.change(site=event.found_at or step.request.site, terms=terms)
    request = step.request
    decide_by = step.now + request.terms.approval_ttl_ms
    step.change(
        snapshot=snapshot,
        pairing_id=snapshot.id,
        earlier_attention=event.earlier_attention,
        earlier_settled=event.earlier_settled,
        fingerprint=fingerprint(
            snapshot, force=request.force, dry_run=request.terms.dry_run, scheduled_at=at
        ),
        decide_by=decide_by if at is None else min(decide_by, at),
        not_before=None,
        unreachable_since=None,
        waiting=None,
    )
    step.record(
        "checked",
        site=request.site,
        pairing_id=snapshot.id,
        pairing=snapshot.title,
        replications=snapshot.count,
        complete=snapshot.complete,
        scheduled_at=at,
        fingerprint=step.request.fingerprint,
        # What the fingerprint is made of, and what the card warns of. Whoever reads the trail years
        # later sees what was approved, even when the card has been deleted from Slack.
        compared=identified(snapshot),
        in_recovery_plans=snapshot.protected,
        open_issues=snapshot.issue_count,
        remote_down=snapshot.remote_down,
    )
    return None


def pairing_unresolved(step: Step, event: PairingUnresolved) -> None:
    lines = event.unread or event.candidates
    refuse(step, f"pairing_{event.why}", lines=lines, near=event.near)


def check_failed(step: Step, event: CallFailed) -> None:
    problem = event.problem
    if problem.kind is ProblemKind.NOT_FOUND:
        return refuse(step, "pairing_none", problem)
    if not problem.passes:
        return refuse(step, "check_failed", problem)
    until = problem.retry_at or step.now + RETRY_MS
    # Our own limit of calls (`bot.appliance.budget`) is no outage: only APPROVAL_TTL ends the wait.
    told = step.request.unreachable_since is not None
    step.change(waiting=problem)
    if problem.kind is ProblemKind.OVER_BUDGET:
        return step.change(not_before=until)
    if _away_too_long(step, until):
        return refuse(step, "unreachable", problem)
    if not told and step.now - step.request.created_at < SLOW_MS:  # after that they were told
        step.answer("appliance_away", event=step.request.asked_by_event)
    return None


def card_posted(step: Step, event: CardPosted) -> None:
    request = step.request
    if request.card_ts is None:
        # A request that ended while its card was on the way keeps the card too: it is the record,
        # and its thread takes the final reply.
        step.change(card_ts=event.ts)
        if request.state is State.CHECKING:
            step.change(state=State.PENDING, pending_since=step.now)
        step.record("card_posted", message=f"{request.channel}/{event.ts}")
    elif request.card_ts != event.ts and event.ts not in request.strays:
        # The answer to a post was lost, so the card was posted twice: this copy is turned into a
        # pointer to the real one.
        step.change(strays=(*request.strays, event.ts))


def card_refused(step: Step, event: CardRefused) -> None:
    request = step.request
    if request.state is State.CHECKING:
        refuse(step, "card_refused", lines=(event.error,))
    elif request.state is State.CANCELLED and request.card_ts is None:
        # Cancelled while Slack was away, and there will be no thread to say so in.
        step.record("card_refused", error=event.error)
        step.answer("cancelled", event=request.asked_by_event, matters=True)


def card_held_up(step: Step, event: CardHeldUp) -> None:
    """Slack refuses the token or its scopes. Only an operator can help, and nobody in Slack can see
    that, so the asker is told once, at Slack's first refusal."""
    if step.request.card_error is None:
        step.answer("card_held_up", event=step.request.asked_by_event)
    step.change(card_error=event.error)
    step.record("card_held_up", error=event.error)


def refuse(
    step: Step,
    code: str,
    problem: Problem | None = None,
    lines: tuple[str, ...] = (),
    near: tuple[Near, ...] = (),
) -> None:
    """The check ends the request. Only the asker is told, once."""
    step.end(State.REFUSED, Outcome(code=code, problem=problem, lines=lines, near=near))
    step.record("refused", why=code, lines=list(lines), problem=_words(problem))
    step.answer("refused", event=step.request.asked_by_event, matters=True)


def _ask_slack_again(step: Step, unread: Verdict) -> None:
    if _away_too_long(step, max(unread.retry_at or 0, step.now + RETRY_MS)):
        refuse(step, "people_unreadable")


def _away_too_long(step: Step, until: int) -> bool:
    """If not, it is tried again at `until`. Whoever asked sees nothing meanwhile, so the last try
    comes after UNREACHABLE_MS even if a Retry-After says later: a new request would not wait for
    it either."""
    since = step.request.unreachable_since
    if since is None:
        since = step.now
    last = since + UNREACHABLE_MS
    step.change(unreachable_since=since, not_before=min(until, last))
    return step.now >= last


def _words(problem: Problem | None) -> dict[str, object] | None:
    return problem.model_dump(exclude_none=True) if problem else None
