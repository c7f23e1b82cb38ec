"""The local Slack as tests and the demo use it: a workspace behind a server, who and what is in it,
and what goes wrong on demand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect

from bot.sandbox.threaded_server import ThreadedServer

from .api_methods import RateLimits
from .endpoints import Endpoints, Fault, hung_up
from .person_acts import PersonActs
from .records import Channel, Group, Person
from .signed_requests import Courier
from .sockets import Sockets
from .workspace import Workspace

_SIGNING_SECRET = "local-sandbox-signing-secret-0001"  # noqa: S105 - of the sandbox alone


class LocalSlack(PersonActs):
    """A workspace behind a real HTTP server on 127.0.0.1.

    clock: epoch seconds, for message times, rate limits, triggers and response addresses;
    signatures use real time. rate_limits: Slack's own, or none.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        rate_limits: bool = True,
    ) -> None:
        workspace = Workspace(clock)
        self.signing_secret = _SIGNING_SECRET
        super().__init__(workspace, Courier(self.signing_secret), Sockets(workspace))
        self.bot_token, self.app_token = workspace.bot_token, workspace.app_token
        self.app_id, self.bot_user_id = workspace.app_id, workspace.bot_user_id
        self.team_id = workspace.team_id
        self._limits = RateLimits(clock, rate_limits)
        self._endpoints = Endpoints(workspace, self._limits, self.sockets)
        app = Starlette(
            routes=self._endpoints.routes(), exception_handlers={ClientDisconnect: hung_up}
        )
        self._server = ThreadedServer(app)
        self._endpoints.server = self.sockets.server = self._server

    def start(self) -> Self:
        """Returns when connections are accepted."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Ends the server and its thread, and lets the port go. Data stays readable."""
        self._server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def api_url(self) -> str:
        """For `SLACK_API_URL`, with the slash at the end."""
        return f"{self.base_url}/api/"

    # -- who and what is there -----------------------------------------------------------------

    def add_person(
        self, name: str, *, id: str | None = None, team_id: str | None = None, **more: Any
    ) -> str:
        """A user id. Without `team_id` the person belongs to this workspace (and its grid). `more`
        is what Person takes."""
        ws = self.workspace
        with ws.changing():
            if team_id is None:
                more = {"enterprise_id": ws.enterprise_id, **more}
            person = Person(id or ws.new_id("U"), name, team_id or ws.team_id, **more)
            ws.people[person.id] = person
            return person.id

    def deactivate(self, user: str) -> None:
        """The account is closed; user groups still list it."""
        with self.workspace.changing():
            self.workspace.people[user].deleted = True

    def add_channel(self, name: str, *, id: str | None = None, **more: Any) -> str:
        """A channel id. Everyone is a member, and the bot unless told otherwise; `more` is what
        Channel takes."""
        with self.workspace.changing():
            channel = Channel(id or self.workspace.new_id("C"), name, **more)
            self.workspace.channels[channel.id] = channel
            return channel.id

    def set_channel(
        self, channel: str, *, bot_is_member: bool | None = None, archived: bool | None = None
    ) -> None:
        """Invites or removes the bot, archives or restores the channel."""
        with self.workspace.changing():
            place = self.workspace.channels[channel]
            place.bot_is_member = place.bot_is_member if bot_is_member is None else bot_is_member
            place.archived = place.archived if archived is None else archived

    def add_group(self, handle: str, members: Iterable[str], *, id: str | None = None) -> str:
        """A user group id."""
        with self.workspace.changing():
            group = Group(id or self.workspace.new_id("S"), handle, list(members))
            self.workspace.groups[group.id] = group
            return group.id

    def set_group(self, group: str, members: Iterable[str], *, disabled: bool = False) -> None:
        """Other members from now on, or the group switched off."""
        with self.workspace.changing():
            self.workspace.groups[group].members = list(members)
            self.workspace.groups[group].disabled = disabled

    def post_as(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> str:
        """A person's own message; its `ts`."""
        ws = self.workspace
        with ws.changing():
            return ws.add_message(channel, text, [], user=user, thread_ts=thread_ts).ts

    def delete_message(self, channel: str, ts: str) -> None:
        """Somebody deletes a message: edits answer `message_not_found` then."""
        ws = self.workspace
        with ws.changing():
            ws.edit_message(ws.messages[channel, ts], deleted=True)

    def rotate(
        self,
        *,
        bot_token: str | None = None,
        signing_secret: str | None = None,
        app_token: str | None = None,
    ) -> None:
        """These are right from now on, and those of before are not; connections of Socket Mode stay
        open."""
        ws = self.workspace
        with ws.changing():
            ws.revoked |= {ws.bot_token} if bot_token else set()
            ws.revoked |= {ws.app_token} if app_token else set()
            self.bot_token = ws.bot_token = bot_token or ws.bot_token
            self.app_token = ws.app_token = app_token or ws.app_token
            self.signing_secret = signing_secret or self.signing_secret
            self.courier.signing_secret = self.signing_secret

    # -- what goes wrong on demand -------------------------------------------------------------

    def fail(self, method: str, **how: Any) -> Fault:
        """The next calls of this method fail; `how` is what Fault takes."""
        fault = Fault(method, **how)
        self._endpoints.faults.append(fault)
        return fault

    def heal(self) -> None:
        """No faults any more; calls that hang are cut."""
        self._endpoints.faults.clear()
        self._server.release()

    def down(self, is_down: bool = True) -> None:
        """Connections are refused, and those open are cut."""
        if is_down:
            self._server.stop()
        else:
            self._server.start()
