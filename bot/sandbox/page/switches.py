"""The switches beside the channel: what the appliance does, what happens to its pairings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Literal

from bot.sandbox.appliance import Answer, SimulatedAppliance
from bot.sandbox.page import cast

Json = dict[str, Any]

DELETE_ANSWERS: Mapping[str, tuple[str, tuple[Answer, ...]]] = {
    "202": ("202 accepted", ()),
    "400": ("400 not valid", (Answer(400, message="The pairing is in use by a recovery."),)),
    "401": ("401 once: session over", (Answer(401),)),
    "401 twice": ("401 twice", (Answer(401), Answer(401))),
    "403": ("403 no permission", (Answer(403),)),
    "404": ("404 and it is still there", (Answer(404),)),
    "429": ("429 too many, 5 s", (Answer(429, headers={"Retry-After": "5"}),)),
    "500": ("500 nothing happened", (Answer(500),)),
    "500 late": ("500 but a task began", (Answer(500, accept_first=True),)),
    "503": ("503 starting, 5 s", (Answer(503, headers={"Retry-After": "5"}),)),
    "lost": ("answer lost, a task began", (Answer(wire="cut_after_accept"),)),
    "cut": ("answer lost, nothing began", (Answer(wire="cut_before"),)),
}
"""What the next DELETE gets (vendor OpenAPI, DELETE pairing, and what a network can do)."""

TASK_ENDS: Mapping[str, tuple[str, str | None]] = {
    "usual": ("as it should", None),
    "error": ("in ERROR", "ERROR"),
    "cancelled": ("CANCELLED", "CANCELLED"),
}
TASK_TIMES: Mapping[str, tuple[str, float]] = {
    "fast": ("fast, 3 s", 3.0),
    "usual": ("12 s", 12.0),
    "slow": ("slow, 45 s", 45.0),
}
REACHABLE = {"usual": "usual", "mute": "accepts calls, never answers", "away": "unreachable"}

CHANGES = ("remote", "more", "rebuilt", "broken", "back")
Change = Literal["remote", "more", "rebuilt", "broken", "back"]


class UnknownSwitch(Exception):
    """No such switch, or no such position."""


class Switches:
    """One lock: two visitors may press at once, and a fault is laid out as a whole."""

    def __init__(self, appliance: SimulatedAppliance, pairings: Mapping[str, cast.Pair]) -> None:
        self._appliance = appliance
        self._pairings = pairings
        self._lock = threading.Lock()
        self._delete, self._delete_until = "202", 0
        self._ends, self._time, self._reach = "usual", "usual", "usual"

    def set(self, name: str, value: str) -> None:
        """Raises UnknownSwitch."""
        turns: dict[str, Callable[[str], None]] = {
            "delete": self._set_delete,
            "ends": self._set_ends,
            "time": self._set_time,
            "reach": self._set_reach,
        }
        if name not in turns:
            raise UnknownSwitch(name)
        with self._lock:
            try:
                turns[name](value)
            except KeyError as error:
                raise UnknownSwitch(f"{name} {value}") from error

    def change(self, pairing: str, change: str) -> None:
        """What happens to a pairing while people decide. Raises UnknownSwitch."""
        if pairing not in self._pairings or change not in CHANGES:
            raise UnknownSwitch(f"{change} {pairing}")
        appliance = self._appliance
        with self._lock:
            if change == "back":
                if pairing not in appliance.pairings:
                    cast.add_pair(appliance, self._pairings[pairing], pairing)
                return
            try:
                there = appliance.pairing(pairing)
                if change == "remote":
                    appliance.set_remote_down(pairing, not there.remote_down)
                elif change == "more":
                    appliance.set_replications(
                        pairing,
                        [*there.replications, f"new-vm-{len(there.replications) + 1}"],
                        recovery_plans=0,
                    )
                elif change == "rebuilt":
                    appliance.change_server_ids(pairing, "remote_vc", "remote_vrms")
                else:
                    appliance.remove_pairing(pairing)
            except KeyError:
                # It was broken by its task in this moment: what the visitor sees says so.
                return

    def as_json(self) -> Json:
        """Every switch with its positions and the present one, and every pairing."""
        with self._lock:
            used = len(self._appliance.deletes) >= self._delete_until
            choices = [
                _choice("delete", "Next DELETE", "202" if used else self._delete, _words()),
                _choice("ends", "Tasks end", self._ends, {k: v[0] for k, v in TASK_ENDS.items()}),
                _choice("time", "Tasks take", self._time, {k: v[0] for k, v in TASK_TIMES.items()}),
                _choice("reach", "Appliance", self._reach, REACHABLE),
            ]
        return {"choices": choices, "pairings": [self._pairing(one) for one in self._pairings]}

    def _pairing(self, pairing_id: str) -> Json:
        pair = self._pairings[pairing_id]
        shown: Json = {"key": pairing_id, "name": f"{cast.HOME} → {pair.remote or 'itself'}"}
        try:
            there = self._appliance.pairing(pairing_id)
        except KeyError:
            return {**shown, "there": False}
        return {
            **shown,
            "there": True,
            "self": there.is_self,
            "replications": len(there.replications),
            "protected": sum(one.recovery_solution is not None for one in there.replications),
            "remote_down": there.remote_down,
        }

    def _set_delete(self, value: str) -> None:
        answers = DELETE_ANSWERS[value][1]
        self._delete = value
        self._lay_out(answers)
        self._delete_until = len(self._appliance.deletes) + len(answers)

    def _set_ends(self, value: str) -> None:
        self._appliance.set_task_outcome(TASK_ENDS[value][1])
        self._ends = value

    def _set_time(self, value: str) -> None:
        self._appliance.set_task_seconds(TASK_TIMES[value][1])
        self._time = value

    def _set_reach(self, value: str) -> None:
        if value not in REACHABLE:
            raise KeyError(value)
        self._reach = value
        self._lay_out(self._waiting())
        self._appliance.refuse_connections(value == "away")
        if value != "mute":
            self._appliance.release_hanging()

    def _waiting(self) -> tuple[Answer, ...]:
        """The answers that no DELETE has had yet."""
        left = max(0, self._delete_until - len(self._appliance.deletes))
        answers = DELETE_ANSWERS[self._delete][1]
        return answers[len(answers) - left :]

    def _lay_out(self, answers: tuple[Answer, ...]) -> None:
        self._appliance.clear_faults()
        self._appliance.on_delete(*answers)
        if self._reach == "mute":
            self._appliance.fail("*", "/", Answer(wire="hang"), times=None)


def _words() -> dict[str, str]:
    return {key: words for key, (words, _) in DELETE_ANSWERS.items()}


def _choice(name: str, label: str, value: str, words: Mapping[str, str]) -> Json:
    return {"name": name, "label": label, "value": value, "options": list(words.items())}
