"""What happens to the bot in a history: people, and what goes wrong around them.

A happening calls the function of its name. What people cannot do yet (True) they try again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.request.events import Asked, Clicked, OperatorCancelled
from bot.request.messages import Slot
from tests.life.simulation.happenings import PAIRINGS, Happening
from tests.life.simulation.process import Process
from tests.life.simulation.slack import TEAM
from tests.support.world import changed_policy

if TYPE_CHECKING:
    from tests.life.simulation.simulation import Simulation

CHANNEL = "C0OPS"

# ---- what people do ------------------------------------------------------------------------------


def ask(
    sim: Simulation, number: int, asker: str, pairing: int, force: bool, at: str | None = None
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
    sim.store.put(event, origin=origin, request_id=_id(number), response_url="asker")
    sim.tell(f"{asker} asks for {PAIRINGS[pairing][:4]} as {_id(number)} force={force} at={at}")


def click(sim: Simulation, number: int, who: str, action: str, how: str) -> bool:
    request = sim.store.get(_id(number))
    ts = _card_ts(sim, _id(number))
    if request is None or ts is None or request.fingerprint is None or not sim.listening():
        return True
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
        origin = f"click:{len(sim.store.items)}:{copy}:{sim.rng.random()}"
        # By the listener of any copy, which is a thread of its own.
        listener = sim.rng.choice(sim.listening())
        named = {"origin": origin, "request_id": _id(number), "response_url": "clicker"}
        listener.listen(partial(listener.store.put, event, **named))
    sim.tell(f"{who} presses {action} on {_id(number)} ({how})")
    return False


def operator(sim: Simulation, number: int) -> bool:
    event = OperatorCancelled(operator="root")
    if not sim.store.get(_id(number)):
        return False
    if not sim.listening():
        return True
    copy, origin = sim.listening()[0], f"operator:{number}"
    copy.listen(partial(copy.store.put, event, origin=origin, request_id=_id(number)))
    sim.tell(f"an operator cancels {_id(number)}")
    return False


# ---- to a copy of the bot ------------------------------------------------------------------------


def crash(sim: Simulation, victim: Process, span: int) -> None:
    if not victim.alive:
        return
    victim.alive = False
    sim.rules.died(victim)
    sim.happens_later(Happening(sim.real_ms + span, "restart", (victim.name,)))
    sim.tell(f"{victim.name} is killed")


def restart(sim: Simulation, name: str) -> None:
    place = next(n for n, p in enumerate(sim.processes) if p.name == name)
    sim.processes[place] = Process(sim, name)
    sim.tell(f"{name} starts again")


def settings(sim: Simulation, victim: Process, setting: str, value: object) -> None:
    """A copy is killed, and started with another setting; the others have what they had."""
    name = victim.name
    sim.policies[name] = changed_policy(sim.policy_of(name), **{setting: value})
    sim.tell(f"{name} has another setting: {setting} {value}")
    crash(sim, victim, 1)


def freeze(sim: Simulation, victim: Process, span: int) -> None:
    victim.frozen_until = sim.real_ms + span
    sim.tell(f"{victim.name} freezes for {span / 1000} s")


def cut(sim: Simulation, victim: Process, span: int) -> None:
    victim.cut_until = sim.real_ms + span
    sim.tell(f"{victim.name} cannot reach the store for {span / 1000} s")


OF_A_COPY = frozenset({"crash", "settings", "freeze", "cut"})
"""Their first argument is its number, or None for the one that passes the happening's point."""

# ---- around it -----------------------------------------------------------------------------------


def jump(sim: Simulation, ms: int) -> None:
    sim.offset_ms += ms
    sim.set_back_ms -= min(0, ms)
    sim.tell(f"the database's clock jumps by {ms / 1000} s")


def appliance(sim: Simulation, span: int, rate: float) -> None:
    sim.estate.fault_until, sim.estate.fault_rate = sim.real_ms + span, rate
    sim.tell(f"the appliance fails {rate:.0%} of calls for {span / 1000} s")


def slack(sim: Simulation, span: int, rate: float) -> None:
    sim.workspace.fault_until, sim.workspace.fault_rate = sim.real_ms + span, rate
    sim.tell(f"Slack fails {rate:.0%} of calls for {span / 1000} s")


def people(sim: Simulation, span: int) -> None:
    sim.workspace.people_until = sim.real_ms + span
    sim.tell(f"Slack does not say who people are for {span / 1000} s")


def rights(sim: Simulation, who: str, span: int) -> None:
    sim.workspace.rights[who] = False
    sim.workspace.rights_lost_at[who] = sim.real_ms
    sim.happens_later(Happening(sim.real_ms + span, "rights_back", (who,)))
    sim.tell(f"{who} loses the right")


def rights_back(sim: Simulation, who: str) -> None:
    sim.workspace.rights[who] = True
    sim.workspace.rights_lost_at.pop(who, None)
    sim.tell(f"{who} has the right again")


def world(sim: Simulation, pairing: int, what: str) -> None:
    sim.estate.change(PAIRINGS[pairing], what)
    sim.tell(f"at the appliance, {PAIRINGS[pairing][:4]}: {what}")


def _id(number: int) -> str:
    return f"AAAA-{number:04d}"


def _card_ts(sim: Simulation, request_id: str) -> str | None:
    request = sim.store.get(request_id)
    if request and request.card_ts:
        return str(request.card_ts)
    mark = f"('{Slot.CARD.value}', '{request_id}'"
    standing = sim.workspace.messages.values()
    return next((m.ts for m in standing if m.text.startswith(mark)), None)


def _reason(action: str, how: str) -> str | None:
    """A glass is broken for a reason; without one, by whoever was given no form."""
    if action in ("deny", "settle") or (action == "break_glass" and how != "doubled"):
        return "no"
    return None
