"""Run one effect and return the event that came of it. Only `send_delete.py` sends the DELETE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.request.events import CallFailed, Event, PairingRead
from bot.request.following import pause_to_next_poll_ms
from bot.request.model import Request, State
from bot.request.plan import (
    AppliancePort,
    Effect,
    PeoplePort,
    PollTask,
    ReadPairing,
    ReadPresence,
    ReadRights,
    ReadRightsToAsk,
)
from bot.request.problem import Problem, ProblemKind
from bot.request.who_may import Policy
from bot.steady_clock import steady_seconds
from bot.store.queries import Overview
from bot.worker.find_pairings import Lists, find
from bot.worker.rights import Reading, read_rights, read_rights_to_ask


@dataclass(frozen=True)
class Effects:
    """All that reaches outside, by site."""

    policy: Policy
    people: PeoplePort
    appliances: Mapping[str, AppliancePort]
    overview: Overview
    lists: Lists
    monotonic: Callable[[], float] = steady_seconds
    witness: Callable[[float], Problem | None] = lambda _within_s: None
    """Tells all that is recorded by now to the witness of AUDIT_BEFORE_ACT, within so many seconds;
    what kept it from that."""

    def run(self, effect: Effect, request: Request, by: float) -> Event:
        """`by` is the monotonic second by which it must be over. What goes wrong outside is never
        raised: it is an event too."""
        reading = Reading(self.people, by, self.monotonic)
        match effect:
            case ReadRightsToAsk():
                return read_rights_to_ask(reading, self.policy, request)
            case ReadRights():
                return read_rights(reading, self.policy, request, effect)
            case ReadPairing(purpose="check"):
                return self._check(request, by)
        appliance = self.appliance_of(request)
        if isinstance(appliance, Problem):
            return CallFailed(problem=appliance)
        pairing = request.pairing_id or ""
        match effect:
            case ReadPairing():
                return appliance.read_to_act(pairing, by)
            case ReadPresence(listed=listed, task_id=task_id):
                read = appliance.read_presence(pairing, by, listed=listed, task_id=task_id)
                if isinstance(read, CallFailed) or request.state is not State.ATTENTION:
                    return read
                superseded = self.overview.superseded(request)
                return read.model_copy(update={"superseded": superseded})
            case PollTask(task_id=task_id):
                place, followed = self.overview.followed(request)
                seen, now = appliance.poll_task(task_id, by), self.overview.now()
                terms = self.policy.sites[request.site]
                pause_ms = pause_to_next_poll_ms(terms, place, followed, now)
                if not isinstance(seen, CallFailed):
                    return seen.model_copy(update={"pause_ms": pause_ms})
                if seen.problem.kind is ProblemKind.OVER_BUDGET:  # not all at once then
                    turn = {"retry_at": max(seen.problem.retry_at or 0, now + pause_ms)}
                    return CallFailed(problem=seen.problem.model_copy(update=turn))
                return seen
            case _:
                raise TypeError(f"not an effect that reaches out: {effect!r}")

    def appliance_of(self, request: Request) -> AppliancePort | Problem:
        """The appliance that was shown to those who approved. If the settings name none for this
        site any more, or another one, the request waits as long as it may, and says why: no
        appliance is taken for another one, whose 404 would count as the proof that the pairing is
        gone."""
        site, shown = request.site, request.terms.appliance
        appliance = self.appliances.get(site)
        if appliance is not None and (not shown or self.policy.sites[site].appliance == shown):
            return appliance
        here = self.policy.sites[site].appliance if appliance is not None else "none"
        words = f"this is about the appliance {shown or site}, and the settings of this bot name"
        text = f"{words} {here} in its place now: whoever runs it has to put that one back"
        return Problem(kind=ProblemKind.UNSENT, text=text)

    def give_back(self, request: Request) -> None:
        """After the last effect of a claim that may have sent a DELETE."""
        appliance = self.appliance_of(request)
        if request.pairing_id is not None and not isinstance(appliance, Problem):
            appliance.give_back(request.pairing_id)

    def _check(self, request: Request, by: float) -> Event:
        """The pairing, and the earlier request of it whose outcome is or was unknown."""
        read = find(request.site, request.asked, self.appliances, self.policy, self.lists, by)
        if not isinstance(read, PairingRead):
            return read
        earlier = self.overview.unclear(read.snapshot)
        if earlier is None:
            return read
        found = {"earlier_attention": earlier.id, "earlier_settled": earlier.settled}
        return read.model_copy(update=found)
