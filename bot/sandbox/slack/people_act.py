"""What people do at Slack: type a command, press a button. Each becomes a signed request, or an
envelope over a socket."""

from __future__ import annotations

import json
from typing import Any, Literal

from . import payloads, response_url
from .deliver import FORM, Courier, Delivery, form, interactive
from .errors import SlackError
from .modal_values import CannotDo
from .records import Channel, Json, Message, Origin, Person, elements_in
from .sockets import Sockets
from .workspace import Workspace


class PeopleAct:
    """Commands, clicks, and requests by hand. Needs `request_url` or an open socket. No lock is
    held while sending, so the bot may call back before it answers."""

    def __init__(self, ws: Workspace, courier: Courier, sockets: Sockets) -> None:
        self.workspace = ws
        self.courier = courier
        self.sockets = sockets
        #: `http` or `socket`; None: over HTTP where `request_url` is set.
        self.mode: Literal["http", "socket"] | None = None

    @property
    def base_url(self) -> str:
        """Scheme, host and port of this server."""
        raise NotImplementedError

    @property
    def request_url(self) -> str:
        """Where the bot listens, `http://127.0.0.1:PORT/slack/events`; empty: nowhere."""
        return next(iter(self.courier.request_urls), "")

    @request_url.setter
    def request_url(self, url: str) -> None:
        self.request_urls = [url] if url else []

    @property
    def request_urls(self) -> list[str]:
        """Where the copies of the bot listen: requests go to them in turn."""
        return list(self.courier.request_urls)

    @request_urls.setter
    def request_urls(self, urls: list[str]) -> None:
        self.courier.request_urls = list(urls)

    def command(
        self, user: str, text: str, *, channel: str, command: str = "/vr-unpair", **overrides: Any
    ) -> Delivery:
        """Types a command. An override of None or `ABSENT` leaves that form field away.

        What the answer itself says is shown: a text to the person, a JSON message as it asks.
        Raises KeyError for an unknown person or channel.
        """
        ws = self.workspace
        with ws.changing():
            person, place = ws.people[user], ws.channels[channel]
            trigger = ws.new_trigger(user)
            origin = Origin("command", user, f"{command} {text}".strip(), trigger.id, channel)
            url = ws.new_response_url(origin, channel)
            full = payloads.full_response_url(self.base_url, url)
            fields = payloads.command_form(ws, person, place, command, text, trigger, full)
        kept = {
            key: str(value)
            for key, value in {**fields, **overrides}.items()
            if value is not None and value is not payloads.ABSENT
        }
        delivery = self._deliver("command", dict(kept), form(kept))
        delivery.trigger_id, delivery.response_url, delivery.payload = trigger.id, full, dict(kept)
        if delivery.error is None and delivery.text.strip():
            body: Json = {"text": delivery.text}
            if delivery.text.lstrip().startswith("{"):
                body = delivery.json
            with ws.changing():
                try:
                    response_url.show_acknowledgement(ws, url, body)
                except SlackError as refused:
                    delivery.problem = refused.error
        return delivery

    def click(
        self,
        user: str,
        /,
        message: Message | tuple[str, str],
        action_id: str,
        *,
        value: str | None = None,
        force: bool = False,
        **overrides: Any,
    ) -> Delivery:
        """Presses a button and confirms its dialog. `value` picks among buttons of one action id.

        Raises CannotDo when the button is not there now; `force` presses it anyway, with the
        given value, as somebody does whose screen is behind. Overrides are top-level keys of the
        payload (`ABSENT` leaves one away).
        """
        ws = self.workspace
        channel_id, ts = message if isinstance(message, tuple) else (message.channel, message.ts)
        with ws.changing():
            person, place = ws.people[user], ws.channels[channel_id]
            current = ws.messages.get((channel_id, ts))
            if current is None:
                raise CannotDo(f"no message {ts} in {place.name}")
            if current.app_id not in (None, ws.app_id):
                raise CannotDo(f"{ts} belongs to {current.app_id}: Slack tells that app of a click")
            block_id, button = _find_button(current, action_id, value, force=force)
            pressed = value if force and value is not None else button.get("value")
            action = payloads.button_action(ws, block_id, button, pressed)
            payload = self._click_payload(person, place, current, action)
        return self._send_payload(payloads.with_overrides(payload, overrides))

    def redeliver(self, delivery: Delivery, *, num: int = 1) -> Delivery:
        """The same body once more, freshly signed, with Slack's headers of a retry; or the same
        envelope."""
        if delivery.envelope_id:
            retry = {"retry_attempt": num, "retry_reason": "timeout"}
            envelope = {**json.loads(delivery.sent), **retry}
            again = self.sockets.deliver_envelope(delivery.kind, envelope, self.courier.ack_seconds)
            return _as(again, delivery)
        headers = {
            **delivery.headers,
            **self.courier.sign(delivery.sent),
            "X-Slack-Retry-Num": str(num),
            "X-Slack-Retry-Reason": "http_timeout",
        }
        return _as(self.courier.send(delivery.kind, delivery.sent, headers), delivery)

    def deliver_raw(
        self,
        body: bytes | str,
        headers: dict[str, str] | None = None,
        *,
        sign: bool = True,
        spoil_signature: bool = False,
        shift_seconds: float = 0,
        content_type: str = FORM,
    ) -> Delivery:
        """Any body: forged (`sign=False` or `spoil_signature`), old (`shift_seconds=-600`),
        malformed. `headers` win over the ones made here."""
        raw = body.encode() if isinstance(body, str) else body
        made = {"Content-Type": content_type}
        if sign:
            made |= self.courier.sign(
                raw, spoil_signature=spoil_signature, shift_seconds=shift_seconds
            )
        return self.courier.send("raw", raw, {**made, **(headers or {})})

    def _click_payload(
        self, person: Person, place: Channel, message: Message, action: Json
    ) -> Json:
        ws = self.workspace
        trigger = ws.new_trigger(person.id)
        origin = Origin("click", person.id, action["action_id"], trigger.id, place.id, message.ts)
        url = ws.new_response_url(origin, place.id)
        full = payloads.full_response_url(self.base_url, url)
        return payloads.click_payload(ws, person, message, place, action, trigger, full)

    def _deliver(self, kind: str, payload: Json, body: bytes, content_type: str = FORM) -> Delivery:
        over_socket = self.mode == "socket" or (
            self.mode is None and not self.request_url and self.sockets.opened > 0
        )
        if over_socket:
            return self.sockets.deliver(kind, payload, self.courier.ack_seconds)
        return self.courier.send_signed(kind, body, content_type)

    def _send_payload(self, payload: Json) -> Delivery:
        delivery = self._deliver(str(payload.get("type")), payload, interactive(payload))
        delivery.trigger_id = str(payload.get("trigger_id") or "")
        delivery.response_url = str(payload.get("response_url") or "")
        delivery.payload = json.loads(json.dumps(payload))
        return delivery


def _as(again: Delivery, delivery: Delivery) -> Delivery:
    again.trigger_id, again.response_url = delivery.trigger_id, delivery.response_url
    again.payload = delivery.payload
    return again


def _find_button(
    message: Message, action_id: str, value: str | None, *, force: bool
) -> tuple[str, Json]:
    for block, element in elements_in([] if message.deleted else message.blocks):
        if element["type"] != "button" or element.get("action_id") != action_id:
            continue
        if force or value is None or element.get("value") == value:
            return block["block_id"], element
    if not force:
        there = [button.get("action_id") for button in message.buttons()]
        raise CannotDo(f"no button {action_id!r} on {message.ts}, only {there}")
    text = {"type": "plain_text", "text": action_id, "emoji": True}
    return "gone", {"type": "button", "action_id": action_id, "text": text, "value": value}
