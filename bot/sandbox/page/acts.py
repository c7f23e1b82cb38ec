"""What the page may do: type, click, fill in a form as one person, and turn a switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.bot_process import DidNotStart
from bot.sandbox.page import cast
from bot.sandbox.page.stage import Stage
from bot.sandbox.page.switches import Switches
from bot.sandbox.slack import CannotDo, Delivery

Json = dict[str, Any]

COMMAND = "/vr-unpair"


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
        if command != COMMAND:
            return _wrong(f"Slack: {command} is not a valid command.")
        return _told(self._slack.command(me, rest.strip(), channel=channel), COMMAND)

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
    if me not in {part.id for part in cast.PEOPLE}:
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
