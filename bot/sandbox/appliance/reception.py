"""The appliance without its sockets: one lock, its state, and what becomes of each call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from bot.sandbox.appliance.answers_on_demand import Answer, Call, Faults, Request, Response, Wire
from bot.sandbox.appliance.api_paths import Api
from bot.sandbox.appliance.estate import Estate
from bot.sandbox.appliance.login_sessions import Sessions

T = TypeVar("T")


@dataclass(eq=False)
class Hanging:
    """A call that waits for its answer: `late` makes it, once `over` says `released`, not `cut`."""

    late: Callable[[], Response]
    over: Future[Literal["released", "cut"]] = field(default_factory=Future)


@dataclass(frozen=True)
class Delivery:
    """What to do with one call: this answer, through this fault."""

    response: Response | Hanging
    wire: Wire | None = None


class Reception:
    """Takes calls in, from any thread, and lets others wait for what they change."""

    base_path = "/api/rest/vr/v2"

    def __init__(self, *, clock: Callable[[], float], estate: Estate, sessions: Sessions) -> None:
        self._clock = clock
        self._estate = estate
        self._sessions = sessions
        self._api = Api(estate, sessions)
        self._faults = Faults()
        self._changed = threading.Condition(threading.RLock())
        self._calls: list[Call] = []
        self._hanging: list[Hanging] = []
        # True while nothing listens: a call that is still on its way in must not begin to hang.
        self._away = False

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

    # -- what goes wrong on demand -----------------------------------------------------------

    def on_delete(self, *answers: Answer) -> None:
        """What the next DELETE calls on pairings get, one each, in this order."""
        with self._changed:
            self._faults.on_unpair(*answers)

    def fail(self, method: str, path_prefix: str, answer: Answer, times: int | None = 1) -> None:
        """The same for other calls. `path_prefix` is below the base path; method `*` is any."""
        with self._changed:
            self._faults.on_call(method, path_prefix, answer, times)

    def clear_faults(self) -> None:
        """Forgets every answer that no call has had yet."""
        with self._changed:
            self._faults.clear()

    def release_hanging(self) -> None:
        """Calls that hang are answered now."""
        with self._changed:
            self._end_hanging("released")

    # -- what a connection asks for ----------------------------------------------------------

    def receive(self, request: Request) -> Delivery:
        """Takes a call in: its effect, its answer, and the fault that the answer meets."""
        with self._changed:
            fault = self._faults.take(request)
            if fault is None:
                response = self._ordinary(request)
                self._note(request, response, response.status)
                return Delivery(response)
            if fault.wire == "hang":
                return Delivery(self._hang(request, fault), "hang")
            response = self._faulty(request, fault)
            silent = fault.wire is not None
            self._note(request, response, None if silent else response.status)
            return Delivery(response, fault.wire)

    def _hang(self, request: Request, fault: Answer) -> Hanging:
        early = self._faulty(request, fault) if fault.has_effect else None
        call = self._note(request, early or Response(0), None)

        def late() -> Response:
            response = early or self._faulty(request, replace(fault, wire=None))
            self._complete(call, response, response.status)
            return response

        hanging = Hanging(late)
        self._hanging.append(hanging)
        if self._away:
            self._end_hanging("cut")
        return hanging

    def resume(self, hanging: Hanging) -> Response | None:
        """The answer of a call that hangs no more; None when its connection is cut."""
        with self._changed:
            return hanging.late() if hanging.over.result() == "released" else None

    def _end_hanging(self, over: Literal["released", "cut"]) -> None:
        for hanging in self._hanging:
            hanging.over.set_result(over)
        self._hanging.clear()

    def _ordinary(self, request: Request) -> Response:
        return self._api.answer(request, self._advance())

    def _faulty(self, request: Request, fault: Answer) -> Response:
        own = self._ordinary(request) if fault.has_effect else None
        if not fault.is_ordinary:
            response = fault.response()
        elif own is not None:
            response = own
            response.headers.update(fault.headers)
        else:
            response = Response(fault.status or 200)
        if own is not None:
            response.task_id = own.task_id
        return response

    def _note(self, request: Request, response: Response, status: int | None) -> Call:
        call = Call(
            at=self._clock(),
            method=request.method,
            path=request.path,
            query={name: ",".join(values) for name, values in request.query.items()},
            status=status,
            is_unpair=request.is_unpair,
        )
        self._calls.append(call)
        self._complete(call, response, status)
        return call

    def _complete(self, call: Call, response: Response, status: int | None) -> None:
        call.status, call.task_id = status, response.task_id
        self._changed.notify_all()

    # -- shared ------------------------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Iterator[float]:
        """The lock, with the tasks at the clock's time, which is given; at the end the bell."""
        with self._changed:
            yield self._advance()
            self._changed.notify_all()

    def _advance(self) -> float:
        """Moves the tasks to the clock's time, which is returned."""
        now = self._clock()
        if self._estate.advance(now):
            self._changed.notify_all()
        return now
