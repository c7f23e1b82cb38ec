"""What happens to the bot in a history: people, and what goes wrong around them."""

from __future__ import annotations

import random
from collections import Counter
from functools import partial
from typing import Any

from bot.request.events import Asked, Clicked, OperatorCancelled
from bot.request.messages import Slot
from bot.request.who_may import Policy
from tests.life.simulation.appliance import Estate
from tests.life.simulation.happenings import PAIRINGS, Happening
from tests.life.simulation.memory_store import Item
from tests.life.simulation.process import Process
from tests.life.simulation.rules import Rules
from tests.life.simulation.slack import TEAM, Workspace

CHANNEL = "C0OPS"
MOST_DEFERRED = 20
NEVER = 10**15


class Happens:
    """The half of `Simulation` that a happening calls by its name, with `_` before it."""

    rng: random.Random
    real_ms: int
    offset_ms: int
    set_back_ms: int
    store: Any
    processes: list[Process]
    waiting: list[Happening]
    deferred: Counter[tuple[object, ...]]
    rules: Rules
    estate: Estate
    workspace: Workspace
    next_at: int
    policies: dict[str, Policy]

    def tell(self, words: str) -> None:
        raise NotImplementedError

    def runs(self, process: Process) -> bool:
        raise NotImplementedError

    def policy_of(self, copy: str) -> Policy:
        raise NotImplementedError

    def _await(self, happening: Happening) -> None:
        self.waiting.append(happening)
        self._await_next()

    def _await_next(self) -> None:
        self.next_at = min((h.at for h in self.waiting if h.point is None), default=NEVER)

    def _ask(
        self,
        _h: Happening,
        _p: object,
        number: int,
        asker: str,
        pairing: int,
        force: bool,
        at: str | None = None,
    ) -> None:
        event = Asked(
            site="default",
            pairing=PAIRINGS[pairing],
            force=force,
            reason="",
            requester=asker,
            team=TEAM,
            channel=CHANNEL,
            at=at,
        )
        origin = f"ask:{number}"
        self.store.put(event, origin=origin, request_id=_id(number), response_url="asker")
        self.tell(
            f"{asker} asks for {PAIRINGS[pairing][:4]} as {_id(number)} force={force} at={at}"
        )

    def _click(
        self, h: Happening, _p: object, number: int, who: str, action: str, how: str
    ) -> None:
        request = self.store.get(_id(number))
        ts = self._card_ts(_id(number))
        if request is None or ts is None or request.fingerprint is None:
            self._later(h)  # no card yet
            return
        if not self._listening():
            self._later(h)
            return
        event = Clicked.model_validate(
            {
                "action": action,
                "by": who,
                "team": TEAM,
                "fingerprint": "0" * 16 if how == "tampered" else request.fingerprint,
                "channel": "C0OTHER" if how == "copied" else CHANNEL,
                "message_ts": ts,
                "ours": how != "foreign",
                "reason": _reason(action, how),
            }
        )
        for copy in range(2 if how == "doubled" else 1):
            origin = f"click:{len(self.store.items)}:{copy}:{self.rng.random()}"
            # By the listener of any copy, which is a thread of its own.
            listener = self.rng.choice(self._listening())
            named = {"origin": origin, "request_id": _id(number), "response_url": "clicker"}
            listener.listen(partial(listener.store.put, event, **named))
        self.tell(f"{who} presses {action} on {_id(number)} ({how})")

    def _listening(self) -> list[Process]:
        return [p for p in self.processes if self.runs(p) and p.cut_until <= self.real_ms]

    def put_committed(self, item: Item) -> None:
        """A commit of the inbox, heard of by whoever stored it or not."""
        if isinstance(item.event, Clicked):
            self.rules.clicks[item.number] = item.event

    def _later(self, h: Happening) -> None:
        """The person tries again in a moment, and not for ever."""
        self.deferred[h.args] += 1
        if self.deferred[h.args] < MOST_DEFERRED:
            self._await(Happening(self.real_ms + 4_000, h.what, h.args))

    def _operator(self, h: Happening, _p: object, number: int) -> None:
        event = OperatorCancelled(operator="root")
        if not self.store.get(_id(number)):
            return
        if not self._listening():
            self._later(h)
            return
        copy, origin = self._listening()[0], f"operator:{number}"
        copy.listen(partial(copy.store.put, event, origin=origin, request_id=_id(number)))
        self.tell(f"an operator cancels {_id(number)}")

    def _crash(self, _h: Happening, process: Process | None, which: int | None, span: int) -> None:
        victim = process or self.processes[(which or 0) % len(self.processes)]
        if not victim.alive:
            return
        victim.alive = False
        self.rules.died(victim)
        self._await(Happening(self.real_ms + span, "restart", (victim.name,)))
        self.tell(f"{victim.name} is killed")

    def _restart(self, _h: Happening, _p: object, name: str) -> None:
        place = next(n for n, p in enumerate(self.processes) if p.name == name)
        self.processes[place] = Process(self, name)
        self.tell(f"{name} starts again")

    def _settings(self, h: Happening, _p: object, which: int, setting: str, value: object) -> None:
        """A copy is killed, and started with another setting; the others have what they had."""
        name = f"copy {which % len(self.processes) + 1}"
        self.policies[name] = self.policy_of(name).model_copy(update={setting: value})
        self.tell(f"{name} has another setting: {setting} {value}")
        self._crash(h, None, which, 1)

    def _freeze(self, _h: Happening, process: Process | None, which: int | None, span: int) -> None:
        victim = process or self.processes[(which or 0) % len(self.processes)]
        victim.frozen_until = self.real_ms + span
        self.tell(f"{victim.name} freezes for {span / 1000} s")

    def _cut(self, _h: Happening, process: Process | None, which: int | None, span: int) -> None:
        victim = process or self.processes[(which or 0) % len(self.processes)]
        victim.cut_until = self.real_ms + span
        self.tell(f"{victim.name} cannot reach the store for {span / 1000} s")

    def _jump(self, _h: Happening, _p: object, ms: int) -> None:
        self.offset_ms += ms
        self.set_back_ms -= min(0, ms)
        self.tell(f"the database's clock jumps by {ms / 1000} s")

    def _appliance(self, _h: Happening, _p: object, span: int, rate: float) -> None:
        self.estate.fault_until, self.estate.fault_rate = self.real_ms + span, rate
        self.tell(f"the appliance fails {rate:.0%} of calls for {span / 1000} s")

    def _slack(self, _h: Happening, _p: object, span: int, rate: float) -> None:
        self.workspace.fault_until, self.workspace.fault_rate = self.real_ms + span, rate
        self.tell(f"Slack fails {rate:.0%} of calls for {span / 1000} s")

    def _people(self, _h: Happening, _p: object, span: int) -> None:
        self.workspace.people_until = self.real_ms + span
        self.tell(f"Slack does not say who people are for {span / 1000} s")

    def _rights(self, _h: Happening, _p: object, who: str, span: int) -> None:
        self.workspace.rights[who] = False
        self.workspace.rights_lost_at[who] = self.real_ms
        self._await(Happening(self.real_ms + span, "rights_back", (who,)))
        self.tell(f"{who} loses the right")

    def _rights_back(self, _h: Happening, _p: object, who: str) -> None:
        self.workspace.rights[who] = True
        self.workspace.rights_lost_at.pop(who, None)
        self.tell(f"{who} has the right again")

    def _world(self, _h: Happening, _p: object, pairing: int, what: str) -> None:
        self.estate.change(PAIRINGS[pairing], what)
        self.tell(f"at the appliance, {PAIRINGS[pairing][:4]}: {what}")

    def _card_ts(self, request_id: str) -> str | None:
        request = self.store.get(request_id)
        if request and request.card_ts:
            return request.card_ts
        mark = f"('{Slot.CARD.value}', '{request_id}'"
        standing = self.workspace.messages.values()
        return next((m.ts for m in standing if m.text.startswith(mark)), None)


def _id(number: int) -> str:
    return f"AAAA-{number:04d}"


def _reason(action: str, how: str) -> str | None:
    """A glass is broken for a reason; without one, by whoever was given no form."""
    if action in ("deny", "settle") or (action == "break_glass" and how != "doubled"):
        return "no"
    return None
