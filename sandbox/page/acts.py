"""What the page may do: type, click, fill in a form as one person, and turn a switch: what the
appliance does, what happens to its pairings, and some settings of the bot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.appliance import Answer
from sandbox.bot_process import DidNotStart
from sandbox.page.stage import ONE_LIST, PEOPLE, SITES, TWO_POOLS, Pair, Stage, add_pair
from sandbox.slack import CannotDo, Delivery, Json

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

TASK_ENDS = {
    "usual": ("as it should", None),
    "error": ("in ERROR", "ERROR"),
    "cancelled": ("CANCELLED", "CANCELLED"),
}
TASK_TIMES = {"fast": ("fast, 3 s", 3.0), "usual": ("12 s", 12.0), "slow": ("slow, 45 s", 45.0)}
REACHABLE = {"usual": "usual", "mute": "accepts calls, never answers", "away": "unreachable"}

DRY_RUN = {"": ("off: it breaks pairings", ""), "on": ("on: no DELETE is sent", "true")}
TTL = {"": ("1 hour", ""), "short": ("20 seconds, then it expires", "20s")}
POOLS = {
    "one": ("one list", ONE_LIST),
    "two": ("storage (Alan) and security (Anna)", TWO_POOLS),
}
KNOWN = {"one": ("Berlin's", SITES[:1]), "two": ("Berlin's and Oslo's", SITES)}
"""Settings of the bot: a change restarts it, as with a deployment."""

CHANGES = ("remote", "more", "rebuilt", "broken", "back")


class Switches:
    """One lock: two visitors may press at once, and a fault is laid out as a whole. The faults are
    those of the first appliance."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._appliance = stage.appliance
        self._lock = threading.Lock()
        self._at = {"delete": "202", "ends": "usual", "time": "usual", "reach": "usual"}
        self._at |= {"dry": "", "ttl": "", "pools": "one", "known": "one"}
        self._delete_until = 0
        self._turns: dict[str, Callable[[str], None]] = {
            "delete": self._set_delete,
            "ends": lambda value: self._appliance.set_task_outcome(TASK_ENDS[value][1]),
            "time": lambda value: self._appliance.set_task_seconds(TASK_TIMES[value][1]),
            "reach": self._set_reach,
            "dry": lambda value: stage.restart_bot({"DRY_RUN": DRY_RUN[value][1]}),
            "ttl": lambda value: stage.restart_bot({"APPROVAL_TTL": TTL[value][1]}),
            "pools": lambda value: stage.restart_bot(POOLS[value][1]),
            "known": lambda value: stage.restart_bot(known=KNOWN[value][1]),
        }

    def set(self, name: str, value: str) -> None:
        """Raises KeyError where there is no such switch or position, and DidNotStart."""
        with self._lock:
            self._turns[name](value)
            self._at[name] = value

    def change(self, pairing: str, change: str) -> None:
        """What happens to a pairing while people decide. Raises KeyError."""
        pair = self._stage.pairings.get(pairing)
        if pair is None or change not in CHANGES:
            raise KeyError(f"{change} {pairing}")
        appliance = self._stage.appliances[pair.home]
        with self._lock:
            if change == "back":
                if pairing not in appliance.pairings:
                    add_pair(appliance, pair, pairing)
                return
            try:
                there = appliance.pairing(pairing)
                if change == "remote":
                    appliance.set_remote_down(pairing, not there.remote_down)
                elif change == "more":
                    appliance.add_replication(pairing)
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
            at = dict(self._at)
            if len(self._appliance.deletes) >= self._delete_until:
                at["delete"] = "202"
        choices = [
            _choice("delete", "Next DELETE", at, DELETE_ANSWERS),
            _choice("ends", "Tasks end", at, TASK_ENDS),
            _choice("time", "Tasks take", at, TASK_TIMES),
            _choice("reach", "Appliance", at, {key: (words,) for key, words in REACHABLE.items()}),
        ]
        of_bot = [
            _choice("dry", "DRY_RUN", at, DRY_RUN),
            _choice("ttl", "Time to decide (APPROVAL_TTL)", at, TTL),
            _choice("pools", "Who approves (APPROVERS)", at, POOLS),
            _choice("known", "Sites that it knows (VR_SITES)", at, KNOWN),
        ]
        pairings = [self._pairing(*one) for one in self._stage.pairings.items()]
        return {"choices": choices, "settings": of_bot, "pairings": pairings}

    def _pairing(self, pairing_id: str, pair: Pair) -> Json:
        shown: Json = {"key": pairing_id, "name": f"{pair.home} → {pair.remote or 'itself'}"}
        try:
            there = self._stage.appliances[pair.home].pairing(pairing_id)
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
        self._lay_out(answers, self._at["reach"])
        self._delete_until = len(self._appliance.deletes) + len(answers)

    def _set_reach(self, value: str) -> None:
        if value not in REACHABLE:
            raise KeyError(value)
        # The answers that no DELETE has had yet go on waiting.
        left = max(0, self._delete_until - len(self._appliance.deletes))
        answers = DELETE_ANSWERS[self._at["delete"]][1]
        self._lay_out(answers[len(answers) - left :], value)
        self._appliance.refuse_connections(value == "away")
        if value != "mute":
            self._appliance.release_hanging()

    def _lay_out(self, answers: tuple[Answer, ...], reach: str) -> None:
        self._appliance.clear_faults()
        self._appliance.on_delete(*answers)
        if reach == "mute":
            self._appliance.fail("*", "/", Answer(wire="hang"), times=None)


def _choice(
    name: str, label: str, at: Mapping[str, str], positions: Mapping[str, tuple[Any, ...]]
) -> Json:
    options = [(key, position[0]) for key, position in positions.items()]
    return {"name": name, "label": label, "value": at[name], "options": options}


class NotUnderstood(Exception):
    """The page sent something that it does not send."""


class Acts:
    """Each act ends with a note for the visitor, empty when there is nothing to say; `wrong` when
    something did not go as it should."""

    def __init__(self, stage: Stage, switches: Switches) -> None:
        self._stage = stage
        self._slack = stage.slack
        self._switches = switches
        self._acts: dict[str, Callable[[Json], Json]] = {
            "say": self._say,
            "click": self._click,
            "submit": self._submit,
            "choose": self._choose,
            "suggest": self._suggest,
            "close": self._close,
            "home": self._home,
            "switch": self._switch,
            "change": self._change,
            "kill": self._kill,
            "start": self._start,
        }

    def act(self, body: Json) -> Json:
        """Raises NotUnderstood."""
        name = body.get("do")
        if not isinstance(name, str) or name not in self._acts:
            raise NotUnderstood(f"do {name!r}")
        try:
            return self._acts[name](body)
        except KeyError as error:
            raise NotUnderstood(f"{name}: {error!r}") from error
        except CannotDo as error:
            return _wrong(f"Slack does not let you do that: {error}.")
        except DidNotStart as error:
            return _wrong(f"The bot did not start: {error}")

    def _say(self, body: Json) -> Json:
        me, channel, text = _me(body), str(body["channel"]), str(body["text"]).strip()
        if channel not in self._slack.workspace.channels:
            raise NotUnderstood("no such channel")
        if not text:
            return _note("")
        # Slack escapes these three before anybody else reads what was typed.
        typed = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        if not text.startswith("/"):
            self._slack.post_as(me, channel, typed)
            return _note("")
        command, _, rest = typed.partition(" ")
        if command != self._slack.workspace.slash_command:
            return _wrong(f"Slack: {command} is not a valid command.")
        return _told(self._slack.command(me, rest.strip(), channel=channel), command)

    def _click(self, body: Json) -> Json:
        where = (str(body["channel"]), str(body["ts"]))
        delivery = self._slack.click(
            _me(body), where, str(body["action_id"]), value=body.get("value")
        )
        return _told(delivery, "That button")

    def _submit(self, body: Json) -> Json:
        values = body["values"]
        if not isinstance(values, dict):
            raise NotUnderstood("values are no object")
        delivery = self._slack.submit(_me(body), str(body["view"]), values)
        return _told(delivery, "The form")

    def _choose(self, body: Json) -> Json:
        delivery = self._slack.choose(
            _me(body), str(body["block_id"]), body.get("value"), view=str(body["view"])
        )
        return _told(delivery, "That choice")

    def _suggest(self, body: Json) -> Json:
        me, block_id, view = _me(body), str(body["block_id"]), str(body["view"])
        shown = self._slack.view_of(me, view)
        before = shown.options.get(block_id, [])
        delivery = self._slack.suggest(me, block_id, str(body["typed"]), view=view)
        with self._slack.workspace.changing():
            found = shown.options.get(block_id, [])
            # What was chosen from an earlier search stays chosen while somebody searches on.
            shown.options[block_id] = [*found, *(one for one in before if one not in found)]
        return {**_told(delivery, "The search"), "options": found}

    def _close(self, body: Json) -> Json:
        self._slack.close(_me(body), str(body["view"]))
        return _note("")

    def _home(self, body: Json) -> Json:
        return _told(self._slack.open_home(_me(body)), "The Home tab")

    def _switch(self, body: Json) -> Json:
        before = self._stage.bot
        self._switches.set(str(body["name"]), str(body["value"]))
        new = self._stage.bot is not before
        return _note("The bot was restarted with this setting." if new else "")

    def _change(self, body: Json) -> Json:
        self._switches.change(str(body["pairing"]), str(body["change"]))
        return _note("")

    def _kill(self, body: Json) -> Json:
        self._stage.kill_bot()
        return _note("The bot was killed with SIGKILL: nothing was finished, nothing said.")

    def _start(self, body: Json) -> Json:
        self._stage.start_bot()
        return _note("The bot runs again, with nothing but its database to go on from.")


def _me(body: Json) -> str:
    me = str(body["me"])
    if me not in {part.id for part in PEOPLE}:
        raise NotUnderstood("nobody of that name")
    return me


def _told(delivery: Delivery, what: str) -> Json:
    """What Slack shows when the bot did not answer, or answered what Slack does not take."""
    if delivery.error is not None:
        return _wrong(f"Slack: {what} failed with the error “{delivery.error}”.")
    if delivery.problem is not None:
        return _wrong(f"Slack did not take the bot's answer: {delivery.problem}")
    return _note("")


def _note(words: str) -> Json:
    return {"note": words, "wrong": False}


def _wrong(words: str) -> Json:
    return {"note": words, "wrong": True}
