"""Run one effect and bring back the event it led to. The DELETE is sent by `send.py` alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.core.effects import (
    Effect,
    LookAround,
    LookAtPairing,
    LookAtTask,
    ReadPairing,
    ReadRights,
    ReadStanding,
)
from bot.core.events import CallFailed, Event, Looked, PairingRead, TaskSeen
from bot.core.policy import Policy
from bot.core.ports import AppliancePort, PeoplePort
from bot.core.request import Request, State
from bot.store.requests import Requests
from bot.worker.standing import Reading, read_rights, read_standing
from bot.worker.task_watch import TaskWatch

WITH_INTENT = (State.DELETING, State.FOLLOWING, State.SUCCEEDED, State.FAILED, State.ATTENTION)


@dataclass(frozen=True)
class Effects:
    """Everything that reaches out, by site where there are several. `lately` may answer from what
    Slack said a moment ago; without it `people` is asked."""

    policy: Policy
    people: PeoplePort
    appliances: Mapping[str, AppliancePort]
    watches: Mapping[str, TaskWatch]
    requests: Requests
    lately: PeoplePort | None = None
    monotonic: Callable[[], float] = time.monotonic

    def run(self, effect: Effect, request: Request, by: float) -> Event:
        """`by` is the monotonic second by which it must be over. Never raises for what can go
        wrong outside: that is an event too."""
        appliance = self.appliances[request.site]
        pairing = request.pairing_id or ""
        match effect:
            case ReadStanding():
                lately = self._reading(self.lately or self.people, by)
                return read_standing(self._reading(self.people, by), lately, self.policy, request)
            case ReadRights(people=users):
                return read_rights(self._reading(self.people, by), self.policy, request, users)
            case ReadPairing(purpose="check"):
                return self._with_earlier(request, appliance.find_and_read(request.asked, by))
            case ReadPairing():
                return appliance.read_to_act(pairing, by)
            case LookAround():
                return self._superseded(request, appliance.look_around(pairing, by))
            case LookAtPairing():
                return appliance.look_at_pairing(pairing, by)
            case LookAtTask(since=since):
                return self._task(request, since, by)
            case _:
                raise TypeError(f"not an effect that reaches out: {effect!r}")

    def _reading(self, people: PeoplePort, by: float) -> Reading:
        return Reading(people, by, self.monotonic)

    def _task(self, request: Request, since: int, by: float) -> TaskSeen | CallFailed:
        listed = self.watches[request.site].tasks(since, by)
        if isinstance(listed, CallFailed):
            return listed
        known = request.task.id if request.task else None
        return TaskSeen(task=next((t for t in listed if t.id == known), None))

    def _with_earlier(self, request: Request, read: Event) -> Event:
        if not isinstance(read, PairingRead):
            return read
        wanted = request.model_copy(update={"pairing_id": read.snapshot.pairing_id})
        unknown = self.requests.same_pairing(wanted, (State.ATTENTION,))
        return read.model_copy(update={"earlier_attention": unknown[0].id if unknown else None})

    def _superseded(self, request: Request, looked: Looked | CallFailed) -> Looked | CallFailed:
        if isinstance(looked, CallFailed) or request.state is not State.ATTENTION:
            return looked
        later = self.requests.same_pairing(request, WITH_INTENT)
        mine = request.intent.at if request.intent else request.created_at
        newer = any(other.intent and other.intent.at > mine for other in later)
        return looked.model_copy(update={"superseded": newer})


Draw = Callable[[Request, str], str]
"""The digest of how the message of this slot looks for this row."""
