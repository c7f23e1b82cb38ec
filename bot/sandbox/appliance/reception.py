"""The appliance without its sockets: one lock, its state, and what becomes of each call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from bot.sandbox.appliance import names
from bot.sandbox.appliance.faults import Answer, Faults
from bot.sandbox.appliance.limits import CallLimit
from bot.sandbox.appliance.messages import Call, Request, Response
from bot.sandbox.appliance.operations import Operations
from bot.sandbox.appliance.routes import Routes
from bot.sandbox.appliance.sessions import Sessions
from bot.sandbox.appliance.state import Estate
from bot.sandbox.appliance.wire import Delivery, Pause

T = TypeVar("T")


class Reception:
    """Takes calls in, from any thread, and lets others wait for what they change."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        base_path: str,
        base_url: Callable[[], str],
        estate: Estate,
        sessions: Sessions,
        per_session: CallLimit,
        per_address: CallLimit,
    ) -> None:
        self.base_path = base_path
        self._clock = clock
        self._estate = estate
        self._sessions = sessions
        self._faults = Faults()
        self._changed = threading.Condition(threading.RLock())
        self._calls: list[Call] = []
        self._op_ids = 0
        # How often hanging calls were released, and how often connections were cut.
        self._releases = 0
        self._cuts = 0
        # True while nothing listens: a call that is still on its way in must not begin to hang.
        self._away = False
        operations = Operations(estate, sessions, base_url=base_url, new_op_id=self._new_op_id)
        self._routes = Routes(
            operations, sessions, per_session, per_address, new_op_id=self._new_op_id
        )

    # -- what it saw -------------------------------------------------------------------------

    @property
    def calls(self) -> list[Call]:
        with self._changed:
            return list(self._calls)

    @property
    def deletes(self) -> list[Call]:
        """The DELETE calls on pairings, whatever became of them."""
        return [call for call in self.calls if call.is_unpair]

    @property
    def accepted_deletes(self) -> list[Call]:
        """Those that made a task, whatever their answer said."""
        return [call for call in self.deletes if call.task_id is not None]

    @property
    def logins(self) -> list[Call]:
        """Log-ins at the local site, the refused ones too."""
        return [call for call in self.calls if (call.method, call.path) == ("POST", "/session")]

    def poke(self) -> None:
        """Tells waiters that an injected clock was moved."""
        with self._changed:
            self._advance()
            self._changed.notify_all()

    def wait_for(self, predicate: Callable[[], T], timeout_seconds: float = 5.0) -> T:
        """The first true value of `predicate`, looked at after each call and each change.

        Raises TimeoutError, naming the last calls, after so many real seconds.
        """
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while not (value := predicate()):
                left = deadline - time.monotonic()
                if left <= 0:
                    last = [f"{call.method} {call.path} {call.status}" for call in self._calls[-5:]]
                    raise TimeoutError(f"not within {timeout_seconds} s; the last calls: {last}")
                # A task may change by the clock alone, and then nobody notifies.
                change = self._estate.board.next_change(self._advance())
                self._changed.wait(left if change is None else min(left, max(change, 0.001)))
            return value

    # -- what a connection asks for (wire.Exchange) ------------------------------------------

    def receive(self, request: Request) -> Delivery:
        """Takes a call in: its effect, its answer, and the fault that the answer meets."""
        with self._changed:
            since = (self._releases, self._cuts)
            fault = self._faults.take(request)
            if fault is None:
                response = self._ordinary(request)
                self._note(request, response, response.status)
                return Delivery(response)
            if fault.wire == "hang":
                return self._hang(request, fault, since)
            response = self._faulty(request, fault)
            silent = fault.wire in ("cut_before", "cut_after_accept", "garbage")
            self._note(request, response, None if silent else response.status)
            return Delivery(response, fault.wire, fault.gap_seconds, since)

    def _hang(self, request: Request, fault: Answer, since: tuple[int, int]) -> Delivery:
        early = self._faulty(request, fault) if fault.has_effect else None
        number = self._note(request, early or Response(0), None)

        def late() -> Response:
            response = early or self._faulty(request, replace(fault, wire=None))
            self._note(request, response, response.status, number)
            return response

        return Delivery(None, "hang", since=since, late=late)

    def resume(self, delivery: Delivery) -> Response | None:
        """Waits until hanging calls are released; None when the connection is cut meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self._moved_on(delivery))
            if delivery.late is None or self._is_cut(delivery):
                return None
            return delivery.late()

    def pause(self, delivery: Delivery) -> Pause:
        """After the gap the next byte; at once the rest when released, and no more when cut."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._moved_on(delivery), delivery.gap_seconds):
                return "next"
            return "cut" if self._is_cut(delivery) else "rest"

    def _is_cut(self, delivery: Delivery) -> bool:
        return self._away or self._cuts != delivery.since[1]

    def _moved_on(self, delivery: Delivery) -> bool:
        # Compared with the moment the call came in: a release between that and the wait counts.
        return self._is_cut(delivery) or self._releases != delivery.since[0]

    def _ordinary(self, request: Request) -> Response:
        return self._routes.answer(request, self._advance())

    def _faulty(self, request: Request, fault: Answer) -> Response:
        own = self._ordinary(request) if fault.has_effect else None
        if not fault.is_ordinary:
            response = fault.response(self._new_op_id())
        elif own is not None:
            response = own
            response.headers.update(fault.headers)
        else:
            response = Response(fault.status or 200)
        if own is not None:
            response.task_id = own.task_id
        return response

    def _note(
        self, request: Request, response: Response, status: int | None, number: int | None = None
    ) -> int:
        """Keeps the call, or what became of call `number`; returns its number."""
        now = self._clock()
        session = self._sessions.find(request.token, now)
        document = response.document or {}
        call = Call(
            at=now if number is None else self._calls[number].at,
            method=request.method,
            path=request.path,
            query={name: ",".join(values) for name, values in request.query.items()},
            status=status,
            session_seq=response.session_seq or (session.seq if session else None),
            remote_address=request.remote_address,
            task_id=response.task_id,
            op_id=document.get("op_id"),
            is_unpair=request.is_unpair,
        )
        if number is None:
            number = len(self._calls)
            self._calls.append(call)
        else:
            self._calls[number] = call
        self._changed.notify_all()
        return number

    # -- shared ------------------------------------------------------------------------------

    def _advance(self) -> float:
        """Moves the tasks to the clock's time, which is returned."""
        now = self._clock()
        if self._estate.advance(now):
            self._changed.notify_all()
        return now

    def _new_op_id(self) -> str:
        self._op_ids += 1
        return names.stable_uuid(self._estate.seed, "operation", str(self._op_ids))
