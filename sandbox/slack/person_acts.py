"""What people do at Slack: type a command, press a button, fill in a modal, open the Home tab. Each
becomes a signed request, or an envelope over a socket."""

from __future__ import annotations

import copy
import json
from typing import Any, Literal

from . import signed_requests as payloads
from .block_limits import check_suggestions
from .chat_methods import show_to_one
from .modals import CannotDo, answered, element_in, fill
from .records import Ephemeral, Json, Message, Person, SlackError, View, elements_in
from .signed_requests import FORM, JSON, Courier, Delivery, form
from .sockets import Sockets
from .workspace import Watch, Workspace


class PersonActs(Watch):
    """Needs `request_url` or an open socket. No lock is held while sending, so the bot may call
    back before it answers. `view` is the id of a modal; None is whatever is open."""

    def __init__(self, ws: Workspace, courier: Courier, sockets: Sockets) -> None:
        super().__init__(ws)
        self.courier = courier
        self.sockets = sockets
        self.mode: Literal["http", "socket"] = "http"

    @property
    def base_url(self) -> str:
        """Scheme, host and port of this server."""
        raise NotImplementedError

    @property
    def request_url(self) -> str:
        """Where the bot listens, `http://127.0.0.1:PORT/slack/events`; empty: nowhere. Where its
        copies listen is in `courier.request_urls`."""
        return next(iter(self.courier.request_urls), "")

    @request_url.setter
    def request_url(self, url: str) -> None:
        self.courier.request_urls = [url] if url else []

    # -- messages ----------------------------------------------------------------------------

    def command(self, user: str, text: str, *, channel: str) -> Delivery:
        """Types a command. What the answer itself says is shown: a text to the person, a JSON
        message as it asks. Raises KeyError for an unknown person or channel."""
        ws = self.workspace
        with ws.changing():
            person, place = ws.people[user], ws.channels[channel]
            trigger = ws.new_trigger(user)
            url = ws.new_response_url(trigger, channel)
            to = self.base_url + url.path
            fields = payloads.command_form(ws, person, place, text, trigger, to)
        delivery = self._deliver("command", dict(fields), form(fields))
        if delivery.error is None and delivery.text.strip():
            with ws.changing():
                try:
                    body = delivery.json or {"text": delivery.text}
                    show_to_one(ws, url, body, via="ack")
                except SlackError as refused:
                    delivery.problem = refused.error
        return delivery

    def click(
        self,
        user: str,
        /,
        message: Message | Ephemeral | tuple[str, str],
        action_id: str,
        *,
        value: str | None = None,
        force: bool = False,
        **overrides: Any,
    ) -> Delivery:
        """Presses a button and confirms its dialog. `value` picks among buttons of one action id.

        Raises CannotDo when the button is not there now; `force` presses it anyway, with the
        given value, as somebody does whose screen is behind. Overrides are top-level keys of the
        payload.
        """
        ws = self.workspace
        channel_id, ts = message if isinstance(message, tuple) else (message.channel, message.ts)
        with ws.changing():
            person, place = ws.people[user], ws.channels[channel_id]
            current = self._on_screen(person, channel_id, ts)
            block_id, button = _find_button(current, action_id, value, force=force)
            pressed = value if force and value is not None else button.get("value")
            action = payloads.button_action(ws, block_id, button, pressed)
            trigger = ws.new_trigger(person.id)
            url = self.base_url + ws.new_response_url(trigger, place.id, "actions").path
            payload = payloads.click_payload(ws, person, current, place, action, trigger, url)
        return self._send_payload({**payload, **overrides})

    def _on_screen(self, person: Person, channel: str, ts: str) -> Message | Ephemeral:
        """A message, a deleted one too, or what this person alone sees. Raises CannotDo."""
        ws = self.workspace
        message = ws.messages.get((channel, ts))
        own = [one for one in ws.ephemerals if (one.user, one.ts) == (person.id, ts)]
        if message is None and not own:
            raise CannotDo(f"no message {ts} in {channel}")
        return message or own[0]

    # -- modals and the Home tab -------------------------------------------------------------

    def view_of(self, user: str, view: str | None = None) -> View:
        """The modal. Raises CannotDo when it is not open."""
        with self.workspace.lock:
            found = self.workspace.views.get(user)
        if found is None or view not in (None, found.id):
            raise CannotDo(f"no such modal open for {user}")
        return found

    def choose(
        self, user: str, block_id: str, value: Any = None, *, view: str | None = None
    ) -> Delivery:
        """Chooses something that tells the bot at once, or presses a button in the modal.

        Raises CannotDo for an input without `dispatch_action`: Slack says nothing then.
        """
        ws = self.workspace
        with ws.changing():
            shown = self.view_of(user, view)
            block, element = element_in(shown, block_id)
            if block["type"] == "input" and not block.get("dispatch_action"):
                raise CannotDo(f"the input {block_id!r} does not tell the bot (dispatch_action)")
            if element["type"] != "button":
                fill(shown, {block_id: value}, force=False, complete=False)
            trigger = ws.new_trigger(user)
            payload = payloads.view_action_payload(
                ws, ws.people[user], shown, block_id, element, trigger
            )
        return self._send_payload(payload)

    def suggest(self, user: str, block_id: str, typed: str, *, view: str | None = None) -> Delivery:
        """Types into an external select; the options that come back can be chosen then."""
        ws = self.workspace
        with ws.changing():
            shown = self.view_of(user, view)
            _, element = element_in(shown, block_id)
            if element["type"] != "external_select":
                raise CannotDo(f"block {block_id!r} does not search")
            payload = payloads.suggestion_payload(
                ws, ws.people[user], shown, block_id, element, typed
            )
        delivery = self._send_payload(payload)
        options = delivery.json.get("options")
        with ws.changing():
            problems = check_suggestions(options)
            if delivery.error is None and problems:
                delivery.problem = "; ".join(problems)
            shown.options[block_id] = options if isinstance(options, list) and not problems else []
        return delivery

    def submit(
        self,
        user: str,
        view: str | None = None,
        values: Json | None = None,
        *,
        force: bool = False,
    ) -> Delivery:
        """Presses the submit button. Raises CannotDo for what Slack's form would not send
        (a required input left empty, a text too long); `force` sends it.

        Without a good answer the modal stays open. A delivery's `problem` names an answer that
        Slack would not take.
        """
        ws = self.workspace
        with ws.changing():
            shown = self.view_of(user, view)
            fill(shown, values or {}, force=force)
            trigger = ws.new_trigger(user)
            payload = payloads.submission_payload(ws, ws.people[user], shown, trigger)
        delivery = self._send_payload(payload)
        if delivery.error is None:
            with ws.changing():
                delivery.problem = answered(ws, shown, delivery.text, delivery.json)
        return delivery

    def close(self, user: str, view: str | None = None) -> None:
        """Closes the modal; the bot is not told."""
        with self.workspace.changing():
            del self.workspace.views[self.view_of(user, view).user]

    def open_home(self, user: str) -> Delivery:
        """Opens the app's Home tab. Raises KeyError for an unknown person."""
        ws = self.workspace
        with ws.changing():
            payload = payloads.home_opened_payload(ws, ws.people[user])
        return self._deliver("event_callback", payload, json.dumps(payload).encode(), JSON)

    # -- by hand -----------------------------------------------------------------------------

    def redeliver(self, delivery: Delivery, *, num: int = 1) -> Delivery:
        """The same body once more, freshly signed, with Slack's headers of a retry; or the same
        envelope."""
        if delivery.envelope_id:
            retry = {"retry_attempt": num, "retry_reason": "timeout"}
            envelope = {**json.loads(delivery.sent), **retry}
            again = self.sockets.deliver_envelope(delivery.kind, envelope, self.courier.ack_seconds)
        else:
            headers = {
                **delivery.headers,
                **self.courier.sign(delivery.sent),
                "X-Slack-Retry-Num": str(num),
                "X-Slack-Retry-Reason": "http_timeout",
            }
            again = self.courier.send(delivery.kind, delivery.sent, headers)
        again.payload = delivery.payload
        return again

    def deliver_raw(
        self,
        body: bytes,
        *,
        sign: bool = True,
        spoil_signature: bool = False,
        shift_seconds: float = 0,
    ) -> Delivery:
        """Any body: forged (`sign=False` or `spoil_signature`), old (`shift_seconds=-600`),
        malformed."""
        made = {"Content-Type": FORM}
        if sign:
            made |= self.courier.sign(
                body, spoil_signature=spoil_signature, shift_seconds=shift_seconds
            )
        return self.courier.send("raw", body, made)

    def _deliver(self, kind: str, payload: Json, body: bytes, content_type: str = FORM) -> Delivery:
        if self.mode == "socket":
            delivery = self.sockets.deliver(kind, payload, self.courier.ack_seconds)
        else:
            headers = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0 (local)"}
            delivery = self.courier.send(kind, body, {**headers, **self.courier.sign(body)})
        delivery.payload = copy.deepcopy(payload)
        return delivery

    def _send_payload(self, payload: Json) -> Delivery:
        body = form({"payload": json.dumps(payload)})
        return self._deliver(str(payload.get("type")), payload, body)


def _find_button(
    shown: Message | Ephemeral, action_id: str, value: str | None, *, force: bool
) -> tuple[str, Json]:
    gone = isinstance(shown, Message) and shown.deleted
    for block, element in elements_in([] if gone else shown.blocks):
        if element["type"] != "button" or element.get("action_id") != action_id:
            continue
        if force or value is None or element.get("value") == value:
            return block["block_id"], element
    if not force:
        there = [button.get("action_id") for button in shown.buttons()]
        raise CannotDo(f"no button {action_id!r} on {shown.ts}, only {there}")
    text = {"type": "plain_text", "text": action_id, "emoji": True}
    return "gone", {"type": "button", "action_id": action_id, "text": text, "value": value}
